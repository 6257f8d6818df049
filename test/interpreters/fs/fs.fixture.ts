// A temporary directory, an fs namer over it on the real clock, and observers that wait for deliveries, never for time.
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { onTestFinished } from 'vitest'
import type { Disk } from '../../../interpreters/fs/disk.ts'
import { createFsNamer, type FsNamerOptions } from '../../../interpreters/fs/fs-namer.ts'
import { nodeDisk } from '../../../interpreters/fs/node-disk.ts'
import { settleMs } from '../../../interpreters/fs/publishing-rule.ts'
import type { Namer, NamerLeaf } from '../../../interpreters/namer.ts'
import type { NameTree } from '../../../naming/name-tree.ts'
import { parsePath } from '../../../naming/parse.ts'
import type { ReplicaSet } from '../../../naming/replica-set.ts'
import { orThrow } from '../../../naming/result.ts'
import { type Log, silentLog } from '../../../runtime/log.ts'
import { createMetrics, type Metrics } from '../../../runtime/metrics.ts'
import type { Cell, Kernel } from '../../../watch/cell.ts'
import { type Clock, systemClock, systemRandom } from '../../../watch/clock.ts'
import { createKernel } from '../../../watch/kernel.ts'
import type { State } from '../../../watch/state.ts'

export const prefix = ['#', 'io.l5d.fs']

/** Every state that a cell delivered. */
export class Observed<T> {
  readonly states: State<T>[] = []
  readonly #waiting = new Set<() => void>()
  readonly stop: () => void

  constructor(cell: Cell<T>) {
    this.stop = cell.watch(state => {
      this.states.push(state)
      for (const check of this.#waiting) check()
    })
  }

  get last(): State<T> | undefined {
    return this.states.at(-1)
  }

  /** The newest state as soon as it satisfies the predicate. */
  until(predicate: (state: State<T>) => boolean): Promise<State<T>> {
    return new Promise(resolve => {
      const check = (): void => {
        const { last } = this
        if (last === undefined || !predicate(last)) return
        this.#waiting.delete(check)
        resolve(last)
      }
      this.#waiting.add(check)
      check()
    })
  }
}

export interface FsFixture {
  readonly root: string
  readonly kernel: Kernel
  readonly namer: Namer
  readonly metrics: Metrics
  /** What the namer logged as warnings. */
  readonly warnings: string[]
  at(...names: string[]): string
  replicas(path: string): Observed<ReplicaSet>
  tree(path: string): Observed<NameTree<NamerLeaf>>
}

export type FixtureOptions = Omit<Partial<FsNamerOptions>, 'prefix'> & { readonly clock?: Clock }

/** Disposed at the end of the test. Files stay followed for no time after their last watcher. */
export function createFsFixture(options: FixtureOptions = {}): FsFixture {
  const { clock = systemClock, ...namerOptions } = options
  const root = options.rootDir ?? createTempDir()
  const warnings: string[] = []
  const log: Log = { ...silentLog, warn: (_facts, message) => warnings.push(message) }
  const metrics = createMetrics()
  const kernel = createKernel({
    clock,
    onError: error => {
      throw error
    },
  })
  const namer = createFsNamer(
    { prefix, lingerMs: 0, ...namerOptions, rootDir: root },
    { kernel, clock, random: systemRandom, log, metrics },
  )
  onTestFinished(() => {
    namer.close()
    kernel.close()
  })
  const pathOf = (text: string) => orThrow(parsePath(text))
  return {
    root,
    kernel,
    namer,
    metrics,
    warnings,
    at: (...names) => join(root, ...names),
    replicas: path => new Observed(namer.replicas([...prefix, ...pathOf(path)])),
    tree: path => new Observed(kernel.derive(`tree ${path}`, read => namer.lookup(pathOf(path), read))),
  }
}

export function createTempDir(): string {
  const dir = mkdtempSync(join(tmpdir(), 'fs-namer-'))
  onTestFinished(() => rmSync(dir, { recursive: true, force: true }))
  return dir
}

/** Real time, but a reading on trial stays there until `release`: what is published without it was published at once. */
export function createTrialClock(): Clock & { readonly trials: number; release(): void; nextTrial(): Promise<void> } {
  const held = new Set<() => void>()
  let trials = 0
  let told = Promise.withResolvers<void>()
  return {
    ...systemClock,
    after: (ms, run) => {
      if (ms !== settleMs) return systemClock.after(ms, run)
      trials++
      held.add(run)
      told.resolve()
      told = Promise.withResolvers()
      return () => held.delete(run)
    },
    get trials() {
      return trials
    },
    nextTrial: () => told.promise,
    release: () => {
      for (const run of held) run()
      held.clear()
    },
  }
}

/** Real time, but what is on trial is believed after 1 ms: for tests that make many rounds. */
export const hurriedClock: Clock = {
  ...systemClock,
  after: (ms, run) => systemClock.after(ms === settleMs ? 1 : ms, run),
}

/** The real disk with counted watches; `limit` is how many may be open at once. */
export function createCountedDisk(overrides: Partial<Disk> & { readonly limit?: number } = {}): Disk & {
  readonly counts: { opened: number; open: number; most: number }
  /** Sends an event to every open watch of a directory. */
  send(directory: string, event: 'rename' | 'change', name?: string): void
} {
  const { limit = Number.POSITIVE_INFINITY, ...changes } = overrides
  const counts = { opened: 0, open: 0, most: 0 }
  const listeners = new Set<{ directory: string; onEvent: (event: 'rename' | 'change', name?: string) => void }>()
  return {
    ...nodeDisk,
    ...changes,
    counts,
    watch(directory, onEvent, onError) {
      if (counts.open >= limit) throw Object.assign(new Error('no watch is left'), { code: 'ENOSPC' })
      const close = nodeDisk.watch(directory, onEvent, onError)
      counts.opened++
      counts.open++
      counts.most = Math.max(counts.most, counts.open)
      const listener = { directory, onEvent }
      listeners.add(listener)
      return () => {
        counts.open--
        listeners.delete(listener)
        close()
      }
    },
    send(directory, event, name) {
      for (const listener of listeners) if (listener.directory === directory) listener.onEvent(event, name)
    },
  }
}

/** Endpoints as `address:port`, with ` * weight` when it is not 1; undefined when there is no bound set. */
export function shownEndpoints(state: State<ReplicaSet> | undefined): string | undefined {
  if (state?.kind !== 'ok' || state.value.kind !== 'bound') return undefined
  return state.value.endpoints
    .map(({ address, port, weight }) => `${address}:${port}${weight === 1 ? '' : ` * ${weight}`}`)
    .join(' ')
}

/** For `until`: exactly these endpoints. */
export const shows =
  (endpoints: string) =>
  (state: State<ReplicaSet>): boolean =>
    shownEndpoints(state) === endpoints

export const isNeg = (state: State<{ readonly kind: string }>): boolean =>
  state.kind === 'ok' && state.value.kind === 'neg'
