// From the lines of a file to endpoints: host names are looked up once per reading. A name that never had an address is left
// out, as namerd did, and logged.
import { lookup } from 'node:dns/promises'
import { isIP } from 'node:net'
import type { Endpoint } from '../../naming/replica-set.ts'
import type { Log } from '../../runtime/log.ts'
import type { Clock } from '../../watch/clock.ts'
import type { EndpointLines } from './endpoint-file.ts'

/** One address literal of a host name; rejects when there is none. */
export type LookUpHost = (host: string) => Promise<string>

/** The system's resolver: hosts file and DNS, IPv4 preferred as in Java. */
export const systemLookUp: LookUpHost = async host => (await lookup(host, { order: 'ipv4first' })).address

/** Shares a look-up among all who ask while it is under way, so that a name server that is away gathers no crowd. */
export function sharingLookUps(lookUpHost: LookUpHost): LookUpHost {
  const underWay = new Map<string, Promise<string>>()
  return host => {
    const known = underWay.get(host)
    if (known !== undefined) return known
    const started = lookUpHost(host).finally(() => underWay.delete(host))
    underWay.set(host, started)
    return started
  }
}

/** A name server that is away must not hold back a file for longer, in milliseconds. */
const lookupTimeoutMs = 2000

export interface ResolvedLines {
  readonly endpoints: readonly Endpoint[]
  readonly hosts: KnownHosts
}

/** What is known of the host names of a file. */
export interface KnownHosts {
  readonly addresses: ReadonlyMap<string, string>
  /** Those whose last look-up gave no address. */
  readonly unresolved: ReadonlySet<string>
}

export const noHosts: KnownHosts = { addresses: new Map(), unresolved: new Set() }

export interface HostLookupContext {
  readonly lookUpHost: LookUpHost
  readonly clock: Clock
  readonly log: Log
  readonly file: string
  /** What earlier look-ups gave. */
  readonly known: KnownHosts
}

/**
 * The endpoints of a file's lines; two lines that lead to one address and port are one endpoint. A host that cannot be
 * looked up keeps the address it had. Never rejects. With `only`, other hosts are not looked up again.
 */
export async function resolveLines(
  lines: EndpointLines,
  context: HostLookupContext,
  only?: ReadonlySet<string>,
): Promise<ResolvedLines> {
  const names = new Set(lines.map(line => line.host).filter(host => isIP(host) === 0))
  const addresses = new Map([...context.known.addresses].filter(([host]) => names.has(host)))
  const unresolved = new Set<string>()
  const find = async (host: string): Promise<void> => {
    try {
      addresses.set(host, await withTimeout(context.lookUpHost(host), context.clock))
    } catch (error) {
      unresolved.add(host)
      if (saysThereIsNone(error)) addresses.delete(host)
      logUnresolved(host, error, addresses.has(host), context)
    }
  }
  await Promise.all([...names].filter(host => only === undefined || only.has(host)).map(find))
  const endpoints = new Map<string, Endpoint>()
  for (const { host, port, weight } of lines) {
    const address = isIP(host) === 0 ? addresses.get(host) : host
    if (address !== undefined) endpoints.set(`${address} ${port}`, { address, port, weight })
  }
  return { endpoints: [...endpoints.values()], hosts: { addresses, unresolved } }
}

/** Whether the answer was that there is no such host, and not that there is no answer. */
function saysThereIsNone(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === 'ENOTFOUND'
}

function logUnresolved(host: string, error: unknown, isKept: boolean, { log, file, known }: HostLookupContext): void {
  const level = known.unresolved.has(host) ? 'debug' : 'warn'
  const outcome = isKept ? 'its last address stays' : 'its endpoint is left out'
  log[level]({ err: error, host, file }, `a host name has no address; ${outcome}`)
}

function withTimeout<T>(work: Promise<T>, clock: Clock): Promise<T> {
  return new Promise((resolve, reject) => {
    const cancel = clock.after(lookupTimeoutMs, () => reject(new Error(`no answer in ${lookupTimeoutMs} ms`)))
    work.then(resolve, reject).finally(cancel)
  })
}
