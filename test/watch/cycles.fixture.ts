// Random graphs whose circles come and go: who must fail at each moment, and that nothing is left behind.
import assert from 'node:assert/strict'
import type { Cell, Read } from '../../watch/cell.ts'
import { ok, type State } from '../../watch/state.ts'
import { collect, createBench, okValue, type WatchModule } from './kernel-bench.fixture.ts'

/** `[reader, read]`, numbers of cells. */
type Edge = readonly [number, number]

export const cellCount = 6

/** Cells that each read whatever the edges say while their own switch is on; the script flips one switch after the other. */
export function checkCycles(module: WatchModule, edges: readonly Edge[], script: readonly number[]): void {
  const { kernel, clock } = createBench(module)
  const switches = Array.from({ length: cellCount }, (_, i) => kernel.input(`switch${i}`, { initial: true }))
  const isOn = switches.map(() => true)
  const cells: Cell<number>[] = []
  for (const [i, isReading] of switches.entries()) {
    const compute = (read: Read): State<number> => {
      if (okValue(read(isReading)) === false) return ok(i)
      const states = cells
        .filter((_, at) => edges.some(([from, to]) => from === i && to === at))
        .map(cell => read(cell))
      return states.find(state => state.kind === 'failed') ?? ok(i)
    }
    cells.push(kernel.derive(`cell${i}`, compute))
  }
  const watches = cells.map(cell => collect(cell))
  for (const flipped of [0, ...script]) {
    const live = edges.filter(([from]) => isOn[from])
    for (const [i, { seen }] of watches.entries()) checkState(live, i, seen.at(-1))
    isOn[flipped] = isOn[flipped] === false
    switches[flipped]?.set(isOn[flipped])
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
