// Rewrites by the host of an HTTP request.
import { pathOf, type Rewrite, splitAs } from './rewrite.ts'

const hostName = /^[A-Za-z0-9.:_-]+$/

/** `/<host>/rest` is `/rest`. */
export const anyHost: Rewrite = ([host, ...rest]) => (host !== undefined && hostName.test(host) ? rest : undefined)

/** `/<pfx>/<host>/rest` is `/pfx/rest`. */
export const anyHostPfx: Rewrite = ([prefix, host, ...rest]) =>
  prefix !== undefined && host !== undefined && hostName.test(host) ? [prefix, ...rest] : undefined

/** `/<domain>/<host>/rest` is `/<what stands before .domain>/rest`; a port is cut off. */
export const subdomainOf: Rewrite = ([domain, host, ...rest]) => {
  const subdomain = subdomainIn(domain, host)
  return subdomain === undefined ? undefined : [subdomain, ...rest]
}

/** `/<domain>/<pfx>/<host>/rest` is `/pfx/<what stands before .domain>/rest`. */
export const subdomainOfPfx: Rewrite = ([domain, prefix, host, ...rest]) => {
  const subdomain = subdomainIn(domain, host)
  return subdomain === undefined || prefix === undefined ? undefined : [prefix, subdomain, ...rest]
}

/** `/www.example.com/rest` is `/com/example/www/rest`; a port stays. */
export const domainToPath: Rewrite = ([domain, ...rest]) =>
  domain === undefined ? undefined : pathOf([...labelsBackwards(domain), ...rest])

/** `/<pfx>/www.example.com/rest` is `/pfx/com/example/www/rest`. */
export const domainToPathPfx: Rewrite = ([prefix, domain, ...rest]) =>
  prefix === undefined || domain === undefined ? undefined : pathOf([prefix, ...labelsBackwards(domain), ...rest])

function subdomainIn(domain: string | undefined, host: string | undefined): string | undefined {
  if (domain === undefined || host === undefined) return undefined
  const colon = host.indexOf(':')
  const name = colon > 0 ? host.slice(0, colon) : host
  const length = name.length - domain.length - 1
  return length > 0 && name.endsWith(`.${domain}`) ? name.slice(0, length) : undefined
}

function labelsBackwards(domain: string): readonly string[] {
  return [...splitAs(domain, '.')].reverse()
}
