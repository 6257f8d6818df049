// What `nameplane dev` tells a newcomer: where things are, and what to try.

export interface DevPlaces {
  readonly baseUrl: string
  readonly grpcPort: number
  readonly serverAdminPort: number
  readonly proxyPort: number
  readonly proxyAdminPort: number
  readonly dir: string
  /** How namerctl is called here, and where the example dtabs are. */
  readonly namerctl: string
  readonly examples: string
}

const usualBaseUrl = 'http://127.0.0.1:4180'

/** Commands that can be pasted as they stand, in the order to try them. */
export function devWelcome(places: DevPlaces): string {
  const { baseUrl, grpcPort, serverAdminPort, proxyPort, proxyAdminPort, dir, examples } = places
  const namerctl = baseUrl === usualBaseUrl ? places.namerctl : `${places.namerctl} --base-url ${baseUrl}`
  return `
Nameplane is running.

  HTTP API      ${baseUrl}/api/dtabs
  gRPC          127.0.0.1:${grpcPort}
  server admin  http://127.0.0.1:${serverAdminPort}  (/ready /metrics /state)
  proxy         http://127.0.0.1:${proxyPort}
  proxy admin   http://127.0.0.1:${proxyAdminPort}  (/ready /metrics /state)
  discovery     ${dir}/disco  (one file a service, "host port" a line)

Try, in another terminal:

  A request through the proxy, routed by the dtab "default":
    curl -H 'Host: web' localhost:${proxyPort}

  The rules, and how the name is found:
    ${namerctl} dtab get default
    ${namerctl} delegate /svc/web

  Move 10 % of the traffic to version 2, and look:
    ${namerctl} dtab update default ${examples}/ten-percent.dtab
    for i in $(seq 20); do curl -s -H 'Host: web' localhost:${proxyPort}; done

  Then all of it:
    ${namerctl} dtab update default ${examples}/all-v2.dtab
    curl -H 'Host: web' localhost:${proxyPort}

  And back, with one command:
    ${namerctl} dtab history default
    ${namerctl} dtab rollback default 1

Ctrl-C stops everything; the dtabs stay in ${dir}.
`
}
