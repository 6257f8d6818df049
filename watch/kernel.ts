// The watch kernel: cells that push "perhaps changed" and pull the new value, so that nobody sees a half-made change.
// Delivery is latest-wins and bounded per turn of the event loop. Knows nothing of naming.
import type {
  Cell,
  CellOptions,
  Compute,
  Input,
  InputOptions,
  Kernel,
  Mirror,
  MirrorFeed,
  Pool,
  Sink,
  SourceOptions,
} from './cell.ts'
import type { Core, KernelOptions } from './core.ts'
import { Delivery } from './delivery.ts'
import { DerivedNode } from './derived.ts'
import { MirrorNode } from './mirror.ts'
import { KeyedPool } from './pool.ts'
import { InputNode } from './settable.ts'
import { SourceNode } from './source.ts'

export type { KernelOptions } from './core.ts'

/** A kernel of its own; cells of two kernels must not be mixed. The caller closes it. */
export function createKernel(options: KernelOptions): Kernel {
  const core: Core = {
    options,
    delivery: new Delivery(options),
    openSources: new Set(),
    busy: [],
    leaving: [],
    nesting: 0,
    peeked: undefined,
    isClosed: false,
    watchers: 0,
    cells: 0,
    evaluations: 0,
  }
  // The casts give back the type that a node does not know: it holds only what its own set, compute or open gave it.
  return {
    input: <T>(name: string, cell: InputOptions<T> = {}) =>
      new InputNode(core, name, cell as InputOptions<unknown>) as Input<T>,
    derive: <T>(name: string, compute: Compute<T>, cell: CellOptions<T> = {}) =>
      new DerivedNode(core, name, compute, cell as CellOptions<unknown>) as Cell<T>,
    source: <T>(name: string, open: (sink: Sink<T>) => () => void, cell: SourceOptions<T> = {}) =>
      new SourceNode(core, name, open, cell as SourceOptions<unknown>) as Cell<T>,
    mirror: <T>(name: string, feed: MirrorFeed<T>) =>
      new MirrorNode(core, name, feed as MirrorFeed<unknown>) as Mirror<T>,
    pool: <K, T>(create: (key: K, keyText: string) => Cell<T>, keyText: (key: K) => string) =>
      new KeyedPool(core, create, keyText) as Pool<K, T>,
    afterDelivery: then => core.delivery.afterNow(then),
    changedAt: () => core.delivery.changedAt,
    sources: () => [...core.openSources].map(source => source.report()),
    counts: () => ({
      watchers: core.watchers,
      cells: core.cells,
      openSources: core.openSources.size,
      evaluations: core.evaluations,
      deliveries: core.delivery.delivered,
    }),
    close: () => closeCore(core),
  }
}

function closeCore(core: Core): void {
  core.isClosed = true
  core.delivery.close()
  for (const source of [...core.openSources]) source.shut()
  core.watchers = core.cells = 0
}
