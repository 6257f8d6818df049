// Hosts as this machine resolves them: its hosts file, then DNS. For every part that is given host names by a backend.
import type { Kernel } from '../../watch/cell.ts'
import type { Clock } from '../../watch/clock.ts'
import { createHostCells, type HostCells } from './host-cells.ts'
import type { HostsFile } from './hosts-file.ts'
import { createSystemResolver, type HostResolver } from './resolver.ts'
import { createSystemHosts } from './system-hosts.ts'

export interface SystemHostCellsOptions {
  readonly kernel: Kernel
  readonly clock: Clock
  /** Asks DNS; the system's servers and search domains when absent. */
  readonly resolver?: HostResolver
  /** This machine's when absent. */
  readonly hostsFile?: HostsFile
}

export interface SystemHostCells extends HostCells {
  /** Ends what is being asked; the caller calls it, harmless when called twice. */
  close(): void
}

/** Asks nothing before somebody watches. */
export function createSystemHostCells(options: SystemHostCellsOptions): SystemHostCells {
  const { kernel, clock, resolver = createSystemResolver(), hostsFile = createSystemHosts() } = options
  return { ...createHostCells({ kernel, clock, resolver, hostsFile }), close: () => resolver.close() }
}
