// From the lines of a file to endpoints: host names are looked up once per reading. A name without an address is left out, as
// namerd did, and logged.
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

/** A name server that is away must not hold back a file for longer, in milliseconds. */
const lookupTimeoutMs = 2000

export interface ResolvedLines {
  readonly endpoints: readonly Endpoint[]
  /** Host names that gave no address. */
  readonly unresolved: readonly string[]
}

export interface HostLookupContext {
  readonly lookUpHost: LookUpHost
  readonly clock: Clock
  readonly log: Log
  readonly file: string
  /** Names that gave no address the last time: logged already. */
  readonly knownUnresolved: readonly string[]
}

/** The endpoints of a file's lines; two lines that lead to one address and port are one endpoint. Never rejects. */
export async function resolveLines(lines: EndpointLines, context: HostLookupContext): Promise<ResolvedLines> {
  const unresolved: string[] = []
  const addresses = new Map<string, string>()
  const find = async (host: string): Promise<void> => {
    try {
      addresses.set(host, await withTimeout(context.lookUpHost(host), context.clock))
    } catch (error) {
      unresolved.push(host)
      const level = context.knownUnresolved.includes(host) ? 'debug' : 'warn'
      context.log[level](
        { err: error, host, file: context.file },
        'a host name has no address; its endpoint is left out',
      )
    }
  }
  const names = new Set(lines.map(line => line.host).filter(host => isIP(host) === 0))
  await Promise.all([...names].map(find))
  const endpoints = new Map<string, Endpoint>()
  for (const { host, port, weight } of lines) {
    const address = isIP(host) === 0 ? addresses.get(host) : host
    if (address !== undefined) endpoints.set(`${address} ${port}`, { address, port, weight })
  }
  return { endpoints: [...endpoints.values()], unresolved }
}

function withTimeout<T>(work: Promise<T>, clock: Clock): Promise<T> {
  return new Promise((resolve, reject) => {
    const cancel = clock.after(lookupTimeoutMs, () => reject(new Error(`no answer in ${lookupTimeoutMs} ms`)))
    work.then(resolve, reject).finally(cancel)
  })
}
