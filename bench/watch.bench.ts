// The watch kernel beside @preact/signals-core on the same graphs: time and memory. Run with node --expose-gc.
import { computed, effect, signal } from '@preact/signals-core'
import type { Cell, Kernel, Read } from '../watch/cell.ts'
import { systemClock } from '../watch/clock.ts'
import { createKernel } from '../watch/kernel.ts'
import { ok, type State } from '../watch/state.ts'

type Row = { readonly what: string; readonly ours: string; readonly preact: string; readonly ratio: string }

const rounds = 7

function newKernel(): Kernel {
  return createKernel({
    clock: systemClock,
    onError: error => {
      throw error
    },
  })
}

function numberIn(state: State<number>): number {
  return state.kind === 'ok' ? state.value : 0
}

function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b)
  return sorted[Math.floor(sorted.length / 2)] ?? Number.NaN
}

function heapBytes(): number {
  if (globalThis.gc === undefined) throw new Error('run with node --expose-gc')
  for (let i = 0; i < 3; i++) globalThis.gc()
  return process.memoryUsage().heapUsed
}

/** Bytes that `count` of what `make` builds keep alive, each. */
function bytesEach<T>(count: number, make: (index: number) => T): number {
  const kept = new Array<T>(count)
  const before = heapBytes()
  for (let i = 0; i < count; i++) kept[i] = make(i)
  const bytes = (heapBytes() - before) / count
  kept.length = 0
  return bytes
}

function turn(): Promise<void> {
  return new Promise(resolve => setImmediate(resolve))
}

type Graph = { readonly set: (value: number) => void; readonly delivered: () => number; readonly close: () => void }

/** One input, one cell derived from it, `count` watchers of that. */
function ourFan(count: number): Graph {
  const kernel = newKernel()
  const input = kernel.input('input', { initial: 0 })
  const derived = kernel.derive('derived', read => ok(numberIn(read(input)) + 1))
  let delivered = 0
  for (let i = 0; i < count; i++)
    derived.watch(() => {
      delivered++
    })
  return { set: value => input.set(value), delivered: () => delivered, close: () => kernel.close() }
}

function preactFan(count: number): Graph {
  const input = signal(0)
  const derived = computed(() => input.value + 1)
  let delivered = 0
  const look = (): void => {
    delivered += derived.value === -1 ? 0 : 1
  }
  const ends = Array.from({ length: count }, () => effect(look))
  return {
    set: value => {
      input.value = value
    },
    delivered: () => delivered,
    close: () => {
      for (const end of ends) end()
    },
  }
}

/** One input, `groups` cells derived from it, `count` cells derived from those, each with one watcher. */
function ourGraph(count: number, groups: number): Graph {
  const kernel = newKernel()
  const input = kernel.input('input', { initial: 0 })
  const middle = Array.from({ length: groups }, (_, i) =>
    kernel.derive('middle', read => ok(numberIn(read(input)) + i)),
  )
  let delivered = 0
  for (let i = 0; i < count; i++) {
    const from = middle[i % groups] ?? input
    kernel
      .derive('leaf', read => ok(numberIn(read(from)) * 2 + i))
      .watch(() => {
        delivered++
      })
  }
  return { set: value => input.set(value), delivered: () => delivered, close: () => kernel.close() }
}

function preactGraph(count: number, groups: number): Graph {
  const input = signal(0)
  const middle = Array.from({ length: groups }, (_, i) => computed(() => input.value + i))
  let delivered = 0
  const ends: (() => void)[] = []
  for (let i = 0; i < count; i++) {
    const from = middle[i % groups] ?? input
    const leaf = computed(() => from.value * 2 + i)
    ends.push(
      effect(() => {
        delivered += leaf.value === -1 ? 0 : 1
      }),
    )
  }
  return {
    set: value => {
      input.value = value
    },
    delivered: () => delivered,
    close: () => {
      for (const end of ends) end()
    },
  }
}

/** Deliveries per second over a few changes, each delivered to all before the next. */
async function updatesPerSecond(graph: Graph, count: number, changes: number): Promise<number> {
  const target = graph.delivered() + count * changes
  const startedAt = performance.now()
  for (let i = 0; i < changes; i++) {
    const reached = graph.delivered() + count
    graph.set(Math.random())
    while (graph.delivered() < reached) await turn()
  }
  const seconds = (performance.now() - startedAt) / 1000
  if (graph.delivered() !== target) throw new Error('a watcher was told twice')
  return (count * changes) / seconds
}

async function compareUpdates(
  what: string,
  count: number,
  graphs: { readonly ours: Graph; readonly preact: Graph },
): Promise<Row> {
  const ours: number[] = []
  const preact: number[] = []
  await updatesPerSecond(graphs.ours, count, 50)
  await updatesPerSecond(graphs.preact, count, 50)
  for (let i = 0; i < rounds; i++) {
    ours.push(await updatesPerSecond(graphs.ours, count, 10))
    preact.push(await updatesPerSecond(graphs.preact, count, 10))
  }
  graphs.ours.close()
  graphs.preact.close()
  return row(`updates/s, ${what}`, median(ours), median(preact))
}

function row(what: string, ours: number, preact: number): Row {
  const ratio = Number.isNaN(preact) ? '' : (ours / preact).toFixed(2)
  return { what, ours: format(ours), preact: Number.isNaN(preact) ? '' : format(preact), ratio }
}

function format(value: number): string {
  return value >= 10 ? Math.round(value).toLocaleString('en') : value.toFixed(2)
}

/** Bytes of one cell read from two others, with its watcher; the same compute and name for all, so only ours is counted. */
function compareMemory(count: number): readonly Row[] {
  const kernel = newKernel()
  const a = kernel.input('a', { initial: 1 })
  const b = kernel.input('b', { initial: 2 })
  const compute = (read: Read): State<number> => ok(numberIn(read(a)) + numberIn(read(b)))
  const watcher = (): void => {}
  const cell = bytesEach(count, () => {
    const derived: Cell<number> = kernel.derive('cell', compute)
    return [derived, derived.watch(watcher)]
  })
  const one = kernel.derive('one', compute)
  const watch = bytesEach(count, () => one.watch(watcher))
  const observer = { deliver: watcher }
  const observe = bytesEach(count, () => one.observe(observer))
  const [x, y] = [signal(1), signal(2)]
  const sum = (): number => x.value + y.value
  const theirs = bytesEach(count, () => {
    const derived = computed(sum)
    return [derived, effect(() => void derived.value)]
  })
  const shared = computed(sum)
  const look = (): void => void shared.value
  const theirWatch = bytesEach(count, () => effect(look))
  const holder = 56
  kernel.close()
  return [
    row('bytes per cell with 2 reads and its state', cell - watch - holder, theirs - theirWatch - holder),
    row('bytes per watcher with its unwatch', watch, theirWatch),
    row('bytes per watcher that is an object', observe, Number.NaN),
  ]
}

/** One input read by all, whose change concerns one in a thousand. */
async function fanOutWithAffects(count: number): Promise<readonly Row[]> {
  const kernel = newKernel()
  const input = kernel.input('input', { initial: 0 })
  for (let i = 0; i < count; i++) {
    const affects = (_: number, after: number): boolean => i % 1000 === after % 1000
    kernel.derive('cell', read => ok(numberIn(read(input, affects)))).watch(() => {})
  }
  const setUs: number[] = []
  const wholeUs: number[] = []
  for (let i = 1; i <= rounds; i++) {
    const evaluations = kernel.counts().evaluations
    const startedAt = performance.now()
    input.set(i)
    setUs.push(((performance.now() - startedAt) * 1000) / count)
    while (kernel.counts().evaluations < evaluations + count / 1000) await turn()
    for (let turns = 0; turns < 20; turns++) await turn()
    wholeUs.push(((performance.now() - startedAt) * 1000) / count)
  }
  kernel.close()
  return [
    row(`µs per dependent in set, ${count} that affects spares`, median(setUs), Number.NaN),
    row('µs per dependent until all were asked', median(wholeUs), Number.NaN),
  ]
}

/** Runs all and prints one small table. */
export async function run(): Promise<void> {
  const count = 10_000
  const rows: Row[] = [
    ...compareMemory(100_000),
    await compareUpdates('10,000 watchers of one cell', count, { ours: ourFan(count), preact: preactFan(count) }),
    await compareUpdates('10,000 watched cells over 100', count, {
      ours: ourGraph(count, 100),
      preact: preactGraph(count, 100),
    }),
    ...(await fanOutWithAffects(100_000)),
  ]
  console.table(rows)
}

if (import.meta.main) await run()
