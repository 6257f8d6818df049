// One cell per host: literal addresses, the hosts file, this machine, then DNS. Knows nothing of paths and ports.
import { isIP } from 'node:net'
import { type Cell, type Kernel, relayGroup, type Sink } from '../../watch/cell.ts'
import type { Clock } from '../../watch/clock.ts'
import { ok, type State } from '../../watch/state.ts'
import { createHostsFileCell, type HostsFile, hostsGroup } from './hosts-file.ts'
import { openPolledHost } from './polled-host.ts'
import type { HostResolver } from './resolver.ts'

/** Sorted addresses without duplicates, or that DNS knows no such host. */
export type HostAddresses = readonly string[] | 'unknown'

export interface HostCells {
  /** Resolved again whenever its time to live is over. */
  live(host: string): Cell<HostAddresses>
  /** Resolved once; keeps the first addresses while anyone watches and a while longer. */
  fixed(host: string): Cell<HostAddresses>
}

export interface HostCellsOptions {
  readonly kernel: Kernel
  readonly clock: Clock
  readonly resolver: HostResolver
  readonly hostsFile: HostsFile
}

const lingerMs = 30_000
const thisMachine: readonly string[] = ['127.0.0.1', '::1']

export function createHostCells({ kernel, clock, resolver, hostsFile }: HostCellsOptions): HostCells {
  const hosts = createHostsFileCell({ kernel, clock, file: hostsFile })
  const options = { equals: sameAddresses, lingerMs, group: hostsGroup }
  const polled = kernel.pool<string, HostAddresses>(
    host => kernel.source(`dns ${host}`, sink => openPolledHost({ host, sink, clock, resolver }), options),
    host => host,
  )
  const live = kernel.pool<string, HostAddresses>(
    host =>
      kernel.derive(
        `host ${host}`,
        read => {
          if (isIP(host) !== 0) return ok([host])
          const known = read(hosts)
          if (known.kind !== 'ok') return known
          const listed = known.value.get(host.toLowerCase())
          if (listed !== undefined) return ok(listed)
          if (host.toLowerCase() === 'localhost') return ok(thisMachine)
          return isHostName(host) ? read(polled.at(host)) : ok('unknown')
        },
        { equals: sameAddresses },
      ),
    host => host,
  )
  const fixed = kernel.pool<string, HostAddresses>(
    host =>
      kernel.source(`first address of ${host}`, sink => keepFirst(live.at(host), sink), {
        ...options,
        group: relayGroup,
      }),
    host => host,
  )
  return { live: host => live.at(host), fixed: host => fixed.at(host) }
}

function isHostName(host: string): boolean {
  return host.length <= 253 && /^[A-Za-z0-9_]([A-Za-z0-9._-]*[A-Za-z0-9_.])?$/.test(host)
}

function sameAddresses(a: HostAddresses, b: HostAddresses): boolean {
  if (a === b) return true
  if (a === 'unknown' || b === 'unknown' || a.length !== b.length) return false
  return a.every((address, index) => address === b[index])
}

/** Passes states on until there are addresses, then never again. */
function keepFirst(cell: Cell<HostAddresses>, sink: Sink<HostAddresses>): () => void {
  const done = new AbortController()
  const take = (state: State<HostAddresses>): void => {
    if (state.kind === 'failed') sink.fail(state.error)
    if (state.kind !== 'ok') return
    sink.set(state.value)
    if (state.value !== 'unknown') done.abort()
  }
  cell.watch(take, done.signal)
  return () => done.abort()
}
