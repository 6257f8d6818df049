// Random graphs with circles: who must fail, and that all heal when the circles are gone.
import assert from 'node:assert/strict'
import type { Cell } from '../../watch/cell.ts'
import { ok, type State } from '../../watch/state.ts'
import { collect, createBench, okValue, type WatchModule } from './kernel-bench.fixture.ts'

/** `[reader, read]`, numbers of cells. */
type Edge = readonly [number, number]

const cellCount = 6

/** Six cells, each reading an input and, while it is true, whatever the edges say. */
export function checkCycles(module: WatchModule, edges: readonly Edge[]): void {
  const { kernel, clock } = createBench(module)
  const isOn = kernel.input('isOn', { initial: true })
  const cells: Cell<number>[] = []
  for (let i = 0; i < cellCount; i++) {
    const compute = (read: <T>(cell: Cell<T>) => State<T>): State<number> => {
      if (okValue(read(isOn)) === false) return ok(i)
      const states = cells
        .filter((_, at) => edges.some(([from, to]) => from === i && to === at))
        .map(cell => read(cell))
      return states.find(state => state.kind === 'failed') ?? ok(i)
    }
    cells.push(kernel.derive(`cell${i}`, compute))
  }
  const watches = cells.map(cell => collect(cell))
  for (let round = 0; round < 3; round++) {
    for (const [i, { seen }] of watches.entries()) checkState(edges, i, seen.at(-1))
    isOn.set(false)
    clock.settle()
    const healed = watches.map(({ seen }) => okValue(seen.at(-1)))
    assert.deepEqual(healed, [...cells.keys()])
    isOn.set(true)
    clock.settle()
  }
  for (const { unwatch } of watches) unwatch()
  assert.deepEqual([kernel.counts().cells, clock.waiting], [0, 0])
}

/** Failed exactly when a circle can be reached from it. */
function checkState(edges: readonly Edge[], from: number, state: State<number> | undefined): void {
  const isInReachOfCircle = [from, ...reachable(edges, from)].some(at => reachable(edges, at).has(at))
  assert.equal(state?.kind, isInReachOfCircle ? 'failed' : 'ok')
  if (state?.kind === 'failed') assert.match(state.error.message, /^cycle: (cell\d)( > cell\d)* > \1$/)
}

function reachable(edges: readonly Edge[], start: number): ReadonlySet<number> {
  const reached = new Set(edges.filter(([from]) => from === start).map(([, to]) => to))
  for (const at of reached) for (const [from, to] of edges) if (from === at) reached.add(to)
  return reached
}
