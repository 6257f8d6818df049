// Asks DNS for the addresses of a host, with their time to live, along the search domains of this machine.
import { Resolver } from 'node:dns/promises'
import { readFile } from 'node:fs/promises'
import { NamingError } from '../../naming/errors.ts'
import { createGate } from './gate.ts'

/** No addresses: DNS says that there is no such host. */
export interface HostAnswer {
  readonly addresses: readonly string[]
  readonly ttlSeconds: number
  /** The addresses of this family could not be asked for: what was known of them still holds. */
  readonly unanswered?: 4 | 6
}

/** The part of Node's resolver that is used. */
export type DnsQuestions = Pick<Resolver, 'resolve4' | 'resolve6'>

export interface HostResolver {
  /** Rejects when DNS cannot be asked or does not answer. */
  resolve(host: string): Promise<HostAnswer>
  /** Gives up what is under way; harmless when called twice. */
  close(): void
}

/** What resolv.conf says of names that are not absolute. */
export interface SearchRules {
  readonly domains: readonly string[]
  readonly ndots: number
}

const noSuchHost = new Set(['ENOTFOUND', 'ENODATA'])
const timeoutMs = 2_000
const tries = 2
/** Questions under way at once: a burst of ten thousand hosts must not flood the name server. */
const maxQuestions = 64

/** Uses the servers of this machine; `/etc/resolv.conf` is read once, at the first question. */
export function createSystemResolver(): HostResolver {
  const resolver = new Resolver({ timeout: timeoutMs, tries })
  const gate = createGate(maxQuestions)
  let rules: Promise<SearchRules> | undefined
  return {
    resolve: async host => {
      rules ??= readSearchRules('/etc/resolv.conf')
      for (const candidate of candidatesOf(host, await rules)) {
        const answer = await gate(() => askBoth(resolver, candidate))
        if (answer.addresses.length > 0) return answer
      }
      return { addresses: [], ttlSeconds: 0 }
    },
    close: () => resolver.cancel(),
  }
}

/** The full names to try, in order, as resolver libraries do. */
export function candidatesOf(host: string, { domains, ndots }: SearchRules): readonly string[] {
  if (host.endsWith('.')) return [host.slice(0, -1)]
  const searched = domains.map(domain => `${host}.${domain}`)
  return host.split('.').length - 1 >= ndots ? [host, ...searched] : [...searched, host]
}

/** The search domains and `ndots` of a resolv.conf; the last line of a kind wins. */
export function parseSearchRules(text: string): SearchRules {
  let domains: readonly string[] = []
  let ndots = 1
  for (const line of text.split('\n')) {
    const [keyword, ...values] = line.trim().split(/\s+/)
    if (keyword === 'search' || keyword === 'domain') domains = values.filter(domain => domain !== '.')
    const option = keyword === 'options' ? values.find(value => value.startsWith('ndots:')) : undefined
    if (option !== undefined) ndots = Number.parseInt(option.slice('ndots:'.length), 10) || 0
  }
  return { domains, ndots }
}

async function readSearchRules(path: string): Promise<SearchRules> {
  try {
    return parseSearchRules(await readFile(path, 'utf8'))
  } catch {
    return { domains: [], ndots: 1 } // a machine without the file has no search domains
  }
}

/** IPv4 and IPv6 addresses together; one family's failure does not hide the other's answer. */
export async function askBoth(resolver: DnsQuestions, name: string): Promise<HostAnswer> {
  const outcomes = await Promise.allSettled([
    resolver.resolve4(name, { ttl: true }),
    resolver.resolve6(name, { ttl: true }),
  ])
  const records = outcomes.flatMap(outcome => (outcome.status === 'fulfilled' ? outcome.value : []))
  const failures = outcomes.map(outcome => outcome.status === 'rejected' && !isNoSuchHost(outcome.reason))
  const failed = failures.indexOf(true)
  if (records.length > 0) {
    return {
      addresses: records.map(record => record.address),
      ttlSeconds: Math.min(...records.map(record => record.ttl)),
      ...(failed >= 0 && { unanswered: failed === 0 ? 4 : 6 }),
    }
  }
  const outcome = outcomes[failed]
  if (outcome?.status === 'rejected') throw dnsFailure(name, outcome.reason)
  return { addresses: [], ttlSeconds: 0 }
}

function isNoSuchHost(error: unknown): boolean {
  return error instanceof Error && 'code' in error && noSuchHost.has(String(error.code))
}

function dnsFailure(name: string, cause: unknown): NamingError {
  const why = cause instanceof Error ? cause.message : String(cause)
  return new NamingError('namer-unavailable', `DNS does not answer for ${name}: ${why}`, { cause })
}
