// A discovery over a scripted backend and a fake clock: a test plays the backend's loop by name.
import { onTestFinished } from 'vitest'
import {
  createDiscovery,
  type Discovery,
  type DiscoveryOptions,
  type DiscoveryRule,
  type FoundFacts,
  type FoundSink,
  readExistence,
} from '../../interpreters/discovery.ts'
import type { ReplicaSet } from '../../naming/replica-set.ts'
import { createMetrics, type Metrics } from '../../runtime/metrics.ts'
import type { Cell, Kernel, SourceEvent } from '../../watch/cell.ts'
import { createKernel } from '../../watch/kernel.ts'
import type { State } from '../../watch/state.ts'
import { FakeClock } from '../fakes/clock.fake.ts'
import { type LogLine, recordingLog } from '../fakes/log.fake.ts'

export const rule: DiscoveryRule = { emptyIsNeg: true, emptyHoldDownMs: 1000, massEmpty: false }
export const guarded: DiscoveryRule = { ...rule, massEmpty: { maxShare: 0.5, windowMs: 30_000, minNames: 4 } }

/** What a cell shows, in short: `10.0.0.1:80`, `none` when bound to nothing, `neg`, `pending`, `failed`; ` stale` after it. */
export function shown(state: State<ReplicaSet>): string {
  if (state.kind !== 'ok') return state.kind
  return `${shownSet(state.value)}${state.stale === undefined ? '' : ' stale'}`
}

function shownSet(set: ReplicaSet): string {
  if (set.kind === 'neg') return 'neg'
  return set.endpoints.map(({ address, port }) => `${address}:${port}`).join(' ') || 'none'
}

/** One followed name: its backend's side and what its watchers saw. */
export class ScriptedName {
  readonly seen: string[] = []
  readonly trees: string[] = []
  /** Of each neg that was seen. */
  readonly whys: (string | undefined)[] = []
  reason: string | undefined
  stop = (): void => {}
  readonly #sink: () => FoundSink

  constructor(sink: () => FoundSink) {
    this.#sink = sink
  }

  get last(): string | undefined {
    return this.seen.at(-1)
  }

  get sink(): FoundSink {
    return this.#sink()
  }

  /** Endpoints by address; none means that the name exists with nothing. */
  has(...addresses: string[]): void {
    this.answer(addresses)
  }

  answer(addresses: readonly string[], facts?: FoundFacts): void {
    const endpoints = addresses.map(address => ({ address, port: 80, weight: 1 }))
    this.sink.set({ exists: true, endpoints }, facts)
  }

  isGone(): void {
    this.sink.set({ exists: false, endpoints: [] })
  }

  watch(cell: Cell<ReplicaSet>, kernel: Kernel): void {
    const tree = kernel.derive<string>('tree', read => {
      const state = readExistence(cell, read)
      return state.kind === 'ok' ? { kind: 'ok', value: state.value.kind } : state
    })
    const ends = [
      cell.watch(state => {
        this.seen.push(shown(state))
        if (state.kind === 'ok' && state.value.kind === 'neg') this.whys.push(state.value.why)
        this.reason = state.kind === 'ok' ? state.stale?.reason.message : undefined
      }),
      tree.watch(state => this.trees.push(state.kind === 'ok' ? state.value : state.kind)),
    ]
    this.stop = () => ends.forEach(end => void end())
  }
}

export interface Scripted {
  readonly discovery: Discovery
  readonly kernel: Kernel
  readonly clock: FakeClock
  readonly metrics: Metrics
  readonly log: LogLine[]
  readonly events: SourceEvent[]
  /** Watches a name: it is followed, unless it still is. */
  name(name: string): ScriptedName
  /** So many names `n0`, `n1` ..., each with one endpoint. */
  names(count: number): ScriptedName[]
  /** The value of a series, by its name and labels as they are exposed. */
  series(line: string): Promise<number | undefined>
  /** Follows that were begun and not ended. */
  readonly open: () => number
}

/** Disposed at the end of the test. */
export function createScripted(options: Partial<DiscoveryOptions> = {}): Scripted {
  const clock = new FakeClock()
  const metrics = createMetrics()
  const log: LogLine[] = []
  const events: SourceEvent[] = []
  const kernel = createKernel({ clock, onError: rethrow, onSource: event => events.push(event) })
  const env = { kernel, clock, random: () => 0, log: recordingLog(log), metrics }
  const discovery = createDiscovery({ kind: 'test', prefix: ['#', 'test'], rule, lingerMs: 0, ...options }, env)
  onTestFinished(() => {
    discovery.close()
    kernel.close()
  })
  const sinks = new Map<string, FoundSink>()
  let open = 0
  const begin = (text: string, sink: FoundSink): (() => void) => {
    sinks.set(text, sink)
    open++
    return () => {
      open--
    }
  }
  const cells = kernel.pool(
    (text: string) => discovery.follow(text, sink => begin(text, sink)),
    text => text,
  )
  const name = (text: string): ScriptedName => {
    const scripted = new ScriptedName(() => sinks.get(text) ?? rethrow(new Error(`${text} was never opened`)))
    scripted.watch(cells.at(text), kernel)
    return scripted
  }
  const names = (count: number): ScriptedName[] => {
    const all = Array.from({ length: count }, (_, i) => name(`n${i}`))
    for (const each of all) each.has('10.0.0.1')
    clock.settle()
    return all
  }
  const series = async (line: string): Promise<number | undefined> => {
    const { body } = await metrics.expose()
    const found = body.split('\n').find(text => text.startsWith(`${line} `))
    return found === undefined ? undefined : Number(found.slice(line.length))
  }
  return { discovery, kernel, clock, metrics, log, events, name, names, series, open: () => open }
}

function rethrow(error: unknown): never {
  throw error
}
