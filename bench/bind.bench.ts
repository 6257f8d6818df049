// Figures of evaluation: bind at three sizes of dtab, 100,000 live names on one dtab, one edited entry of 50,000.
import { setImmediate as nextTurn } from 'node:timers/promises'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { bind } from '../interpreters/bind.ts'
import { createInterpreter } from '../interpreters/create-interpreter.ts'
import type { Interpreter } from '../interpreters/interpreter.ts'
import type { Namer } from '../interpreters/namer.ts'
import { joinNamers } from '../interpreters/namers.ts'
import { createLookupIndex } from '../naming/lookup-index.ts'
import { parseDtab } from '../naming/parse.ts'
import { noSuchReplicas } from '../naming/replica-set.ts'
import { orThrow } from '../naming/result.ts'
import { createMemoryStore } from '../storage/memory/memory-store.ts'
import type { Store } from '../storage/store.ts'
import type { Kernel, Read } from '../watch/cell.ts'
import { systemClock } from '../watch/clock.ts'
import { createKernel } from '../watch/kernel.ts'
import { ok } from '../watch/state.ts'
import { median, printTable } from './measure.ts'

const sizes = [10, 1_000, 50_000]
/** Finagle 21.4 on a warm JVM, 2 shared cores; it was not measured at 50,000. */
const finagleBinds: Readonly<Record<number, string>> = { 10: '417,000', 1000: '21,000' }
const liveNames = 100_000
const editedNames = 10_000
const rounds = 5

setFlagsFromString('--expose-gc')
const collectGarbage = runInNewContext('gc') as () => void // the flag just set defines it

interface World {
  readonly kernel: Kernel
  readonly store: Store
  readonly interpreter: Interpreter
}

/** A namer that binds every first label and never changes. */
function boundNamer(kernel: Kernel): Namer {
  const replicas = kernel.derive('no replicas', () => ok(noSuchReplicas))
  return {
    prefix: ['#', 'io.bench'],
    lookup: ([first = '', ...residual]) =>
      ok({ kind: 'leaf', value: { kind: 'bound', id: ['#', 'io.bench', first], residual } }),
    replicas: () => replicas,
    close: () => {},
  }
}

function createWorld(): World {
  const kernel = createKernel({
    clock: systemClock,
    onError: error => {
      throw error
    },
  })
  const store = createMemoryStore({ kernel, clock: systemClock })
  const interpreter = createInterpreter({ store, kernel, clock: systemClock, namers: [boundNamer(kernel)] })
  return { kernel, store, interpreter }
}

async function put(store: Store, text: string): Promise<void> {
  await store.write({
    namespace: 'default',
    text,
    expect: { kind: 'anything' },
    author: 'bench',
    verified: false,
    message: '',
  })
}

function chainText(entries: number): string {
  const lines = ['/host => /#/io.bench', '/svc => /host']
  for (let i = lines.length; i < entries; i++) lines.push(`/svc/web-${i} => /host/web-${i}-v2 | /host/web-${i}`)
  return lines.join(';\n')
}

function bindRow(entries: number): string[] {
  const { kernel } = createWorld()
  const rules = createLookupIndex(orThrow(parseDtab(chainText(entries))))
  const namers = joinNamers([boundNamer(kernel)], [])
  const read: Read = cell => cell.peek()
  const paths = Array.from({ length: 500 }, (_, n) => ['svc', `web-${Math.floor((n * entries) / 500)}`, 'users'])
  const rates: number[] = []
  for (let round = 0; round <= rounds; round++) {
    const startedAt = performance.now()
    let binds = 0
    while (performance.now() - startedAt < 150) {
      for (const path of paths) bind({ rules, namers, read, path })
      binds += paths.length
    }
    if (round > 0) rates.push((binds / (performance.now() - startedAt)) * 1_000)
  }
  return [`bind, ${whole(entries)} entries`, `${whole(median(rates))}/s`, `Finagle ${finagleBinds[entries] ?? '-'}/s`]
}

/** CPU time of this thread in ms: what a turn costs, whatever else the machine does. */
function cpuMs(since?: NodeJS.CpuUsage): number {
  const { user, system } = process.threadCpuUsage(since)
  return (user + system) / 1_000
}

/** Runs turns until every delivery is made; gives the CPU time of the longest in ms. */
async function drain(kernel: Kernel, expected: number): Promise<number> {
  const goal = kernel.counts().deliveries + expected
  let longest = 0
  while (kernel.counts().deliveries < goal) {
    const start = process.threadCpuUsage()
    await nextTurn()
    longest = Math.max(longest, cpuMs(start))
  }
  return longest
}

async function liveRows(): Promise<string[][]> {
  const { kernel, store, interpreter } = createWorld()
  await put(store, '/host => /#/io.bench;\n/svc => /host')
  const stopRoot = interpreter.namespace('default').watch(() => {})
  const paths = Array.from({ length: liveNames }, (_, n) => ['svc', `web-${n}`])
  const noop = (): void => {}
  const unwatches: (() => void)[] = new Array(liveNames)
  collectGarbage()
  const before = process.memoryUsage().heapUsed
  const startedAt = performance.now()
  for (const [n, path] of paths.entries()) unwatches[n] = interpreter.bind({ namespace: 'default', path }).watch(noop)
  const openMs = performance.now() - startedAt
  collectGarbage()
  const perName = (process.memoryUsage().heapUsed - before) / liveNames
  const times: number[] = []
  const turns: number[] = []
  for (let round = 0; round < rounds; round++) {
    await put(store, `/host => /#/io.bench/v${round};\n/svc => /host`)
    const start = process.threadCpuUsage()
    turns.push(await drain(kernel, liveNames))
    times.push(cpuMs(start))
  }
  for (const unwatch of unwatches) unwatch()
  stopRoot()
  return [
    [`${whole(liveNames)} live names: open`, `${openMs.toFixed(0)} ms`, ''],
    ['heap per live name (interpreter and kernel)', `${perName.toFixed(0)} B`, 'goal 600 B'],
    ['evaluate and deliver all of them, CPU', `${median(times).toFixed(0)} ms`, 'goal 400 ms'],
    ['longest turn meanwhile, CPU', `${Math.max(...turns).toFixed(1)} ms`, 'limit 50 ms'],
  ]
}

async function editRows(): Promise<string[][]> {
  const entries = 50_000
  const { kernel, store, interpreter } = createWorld()
  const text = (edited: string): string => chainText(entries).replace('/host/web-777-v2', edited)
  await put(store, text('/host/web-777-v2'))
  const first = Promise.withResolvers<void>()
  const unwatchRoot = interpreter.namespace('default').watch(state => {
    if (state.kind === 'ok') first.resolve()
  })
  await first.promise
  const unwatches = Array.from({ length: editedNames }, (_, n) =>
    interpreter.bind({ namespace: 'default', path: ['svc', `web-${n}`] }).watch(() => {}),
  )
  const cpu: number[] = []
  let evaluated = 0
  for (let round = 0; round <= rounds; round++) {
    const edited = text(`/host/edited-${round}`)
    const { evaluations } = kernel.counts()
    const start = process.threadCpuUsage()
    await put(store, edited)
    await drain(kernel, 2) // the namespace and the one name
    const used = cpuMs(start)
    evaluated = kernel.counts().evaluations - evaluations
    if (round > 0) cpu.push(used)
  }
  for (const unwatch of [...unwatches, unwatchRoot]) unwatch()
  return [
    [
      `edit 1 of ${whole(entries)} entries, ${whole(editedNames)} live names: CPU`,
      `${median(cpu).toFixed(0)} ms`,
      'goal 50 ms',
    ],
    ['evaluations that it caused', String(evaluated), '1 name'],
  ]
}

function whole(value: number): string {
  return Math.round(value).toLocaleString('en-US')
}

/** Prints the table. */
export async function run(): Promise<void> {
  printTable([['what', 'ours', 'peer or goal'], ...sizes.map(bindRow), ...(await liveRows()), ...(await editRows())])
}
