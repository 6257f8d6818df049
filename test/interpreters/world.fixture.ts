// A whole interpreter over a store in memory and a clock that stands still: what tests of evaluation stand on.
import { createInterpreter } from '../../interpreters/create-interpreter.ts'
import type { Interpreter } from '../../interpreters/interpreter.ts'
import type { Namer } from '../../interpreters/namer.ts'
import { type BoundTree, formatBoundTree } from '../../naming/bound-tree.ts'
import type { Dtab } from '../../naming/dtab.ts'
import { parseDtab, parsePath } from '../../naming/parse.ts'
import type { Path } from '../../naming/path.ts'
import { orThrow } from '../../naming/result.ts'
import { createMemoryStore } from '../../storage/memory/memory-store.ts'
import type { Store } from '../../storage/store.ts'
import type { Cell, Kernel } from '../../watch/cell.ts'
import { createKernel } from '../../watch/kernel.ts'
import type { State } from '../../watch/state.ts'
import { FakeClock } from '../fakes/clock.fake.ts'
import { createTestNamers } from '../vectors/test-namers.fixture.ts'

export interface World {
  readonly clock: FakeClock
  readonly kernel: Kernel
  readonly store: Store
  readonly interpreter: Interpreter
  /** Writes a version of a namespace; no text deletes it. Deliveries wait for `clock.settle()`. */
  put(namespace: string, text?: string): Promise<number>
  bind(path: string, local?: string): Cell<BoundTree>
}

/** `namers` are those of the oracle vectors unless others are made. */
export function createWorld(
  makeNamers: (kernel: Kernel, clock: FakeClock) => readonly Namer[] = createTestNamers,
): World {
  const clock = new FakeClock()
  const kernel = createKernel({
    clock,
    onError: error => {
      throw error
    },
  })
  const store = createMemoryStore({ kernel, clock })
  const interpreter = createInterpreter({ store, kernel, clock, namers: makeNamers(kernel, clock) })
  return {
    clock,
    kernel,
    store,
    interpreter,
    put: async (namespace, text) => {
      const { written } = await store.write({
        namespace,
        ...(text !== undefined && { text }),
        expect: { kind: 'anything' },
        author: 'test',
        verified: false,
        message: '',
      })
      return written.version
    },
    bind: (path, local) =>
      interpreter.bind({
        namespace: 'default',
        path: pathOf(path),
        ...(local !== undefined && { local: dtabOf(local) }),
      }),
  }
}

export function pathOf(text: string): Path {
  return orThrow(parsePath(text))
}

export function dtabOf(text: string): Dtab {
  return orThrow(parseDtab(text))
}

/** A bound tree as text; `pending: what it waits for`, `failed: why`, and ` (stale)` after a stale one. */
export function textOf(state: State<BoundTree>): string {
  if (state.kind === 'pending') return `pending: ${state.waitingFor ?? ''}`
  if (state.kind === 'failed') return `failed: ${state.error.message}`
  return `${formatBoundTree(state.value)}${state.stale === undefined ? '' : ' (stale)'}`
}

/** Everything that a cell delivers, from now on, as text. */
export function recorded(cell: Cell<BoundTree>): string[] {
  const seen: string[] = []
  cell.watch(state => seen.push(textOf(state)))
  return seen
}
