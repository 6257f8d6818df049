// What the tests of the kernel set up again and again.
import type { Cell, Kernel, Sink } from '../../watch/cell.ts'
import type { runSourceLoop } from '../../watch/source-loop.ts'
import type { State } from '../../watch/state.ts'
import { FakeClock } from '../fakes/clock.fake.ts'
import type { CreateKernel } from './random-graph.fixture.ts'

/** What the laws are about. */
export interface WatchModule {
  readonly createKernel: CreateKernel
  readonly runSourceLoop: typeof runSourceLoop
}

export type Bench = { readonly kernel: Kernel; readonly clock: FakeClock; readonly errors: unknown[] }

export function createBench(module: WatchModule): Bench {
  const clock = new FakeClock()
  const errors: unknown[] = []
  return { kernel: module.createKernel({ clock, onError: error => errors.push(error) }), clock, errors }
}

export function collect<T>(
  cell: Cell<T>,
  signal?: AbortSignal,
): { readonly seen: State<T>[]; readonly unwatch: () => void } {
  const seen: State<T>[] = []
  return { seen, unwatch: cell.watch(state => seen.push(state), signal) }
}

export function okValue<T>(state: State<T> | undefined): T | undefined {
  return state?.kind === 'ok' ? state.value : undefined
}

export function nothing(): void {}

/** A source that counts; `answer` is set while it is opened. */
export function countingSource(kernel: Kernel, lingerMs: number, answer = 1) {
  const counts = { opens: 0, closes: 0 }
  const open = (sink: Sink<number>): (() => void) => {
    counts.opens++
    sink.set(answer)
    return () => {
      counts.closes++
    }
  }
  return { cell: kernel.source('source', open, { lingerMs }), counts }
}
