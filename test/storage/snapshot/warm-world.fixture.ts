// A shared store that can be silent or failing, a namer that may not have answered, and our server's parts around a snapshot:
// everything on one clock in the test's hand, and started again as often as it likes.
import { createHook } from 'node:async_hooks'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { createInterpreter } from '../../../interpreters/create-interpreter.ts'
import type { Namer } from '../../../interpreters/namer.ts'
import { type BoundTree, formatBoundTree } from '../../../naming/bound-tree.ts'
import { NamingError } from '../../../naming/errors.ts'
import { parsePath } from '../../../naming/parse.ts'
import type { Path } from '../../../naming/path.ts'
import { orThrow } from '../../../naming/result.ts'
import type { Env } from '../../../runtime/env.ts'
import type { Metrics } from '../../../runtime/metrics.ts'
import { createReadiness, type Readiness } from '../../../server/readiness.ts'
import { createMemoryStore } from '../../../storage/memory/memory-store.ts'
import { withSnapshot } from '../../../storage/snapshot/index.ts'
import { type Store, storageGroup } from '../../../storage/store.ts'
import type { Cell, Kernel, Sink } from '../../../watch/cell.ts'
import type { Clock } from '../../../watch/clock.ts'
import { ok, pending, type State } from '../../../watch/state.ts'
import { request } from '../../contract/store.contract.ts'
import { FakeClock } from '../../fakes/clock.fake.ts'
import { type LogLine, recordingLog } from '../../fakes/log.fake.ts'
import { realTurn, tempDirectory, testEnv, turnUntil } from '../store.fixture.ts'

/** failing: every read fails at once. silent: nothing ever answers. */
export type BackendMode = 'up' | 'failing' | 'silent'

/** Of the real clock: disks are slow on busy machines. */
const patienceMs = 60_000
const prefix: Path = orThrow(parsePath('/#/fake'))
export const away = new NamingError('store-unavailable', 'connection refused')

/** What our server shares with others: it outlives each start of ours. */
class SharedBackend {
  memory: Store
  readonly #clock: Clock
  readonly #kernel: Kernel
  readonly #relays = new Set<() => void>()
  #mode: BackendMode = 'up'
  /** Heads that were asked for one by one. */
  reads = 0
  /** An answer to that, before it arrives. */
  underWay: Promise<unknown> = Promise.resolve()

  constructor(clock: Clock) {
    this.#clock = clock
    this.#kernel = testEnv(clock).kernel
    this.memory = createMemoryStore({ kernel: this.#kernel, clock })
  }

  set mode(mode: BackendMode) {
    this.#mode = mode
    for (const relay of this.#relays) relay()
  }

  /** From now on, to servers that start, the store is another one, in which nothing was written yet. */
  beginAnew(): void {
    this.memory = createMemoryStore({ kernel: this.#kernel, clock: this.#clock })
  }

  async put(namespace: string, text: string | undefined): Promise<number> {
    return (await this.memory.write(request(namespace, text))).written.version
  }

  /** The store as one server sees it. */
  seenFrom(kernel: Kernel): Store {
    const { memory } = this
    const overridden: Partial<Store> = {
      kind: 'shared',
      observe: namespace => heads.at(namespace),
      list: () => list,
      head: async namespace => {
        this.reads++
        if (this.#mode !== 'up') throw away
        const head = await memory.head(namespace)
        await this.underWay
        return head
      },
      close: async () => {},
    }
    const heads = kernel.pool(
      (namespace: string) => this.#relayed(kernel, `shared dtab ${namespace}`, memory.observe(namespace)),
      namespace => namespace,
    )
    const list = this.#relayed(kernel, 'shared namespaces', memory.list())
    const of = (key: string | symbol): unknown => {
      const member: unknown = Reflect.get(memory, key, memory)
      return typeof member === 'function' ? member.bind(memory) : member
    }
    return new Proxy(memory, { get: (_, key) => Reflect.get(overridden, key) ?? of(key) })
  }

  #relayed<T>(kernel: Kernel, name: string, cell: Cell<T>): Cell<T> {
    const open = (sink: Sink<T>): (() => void) => {
      const tell = (state: State<T>): void => {
        if (this.#mode === 'failing') sink.fail(away)
        else if (this.#mode === 'up' && state.kind === 'ok') sink.set(state.value)
      }
      const unwatch = cell.watch(tell)
      const relay = (): void => tell(cell.peek())
      this.#relays.add(relay)
      return () => {
        this.#relays.delete(relay)
        unwatch()
      }
    }
    return kernel.source(name, open, { group: storageGroup })
  }
}

/** Knows every name once it answers. */
class FakeNamer implements Namer {
  readonly prefix = prefix
  readonly #answers: Cell<boolean>
  #hasAnswered: boolean
  #sink: Sink<boolean> | undefined

  constructor(kernel: Kernel, answers: boolean) {
    this.#hasAnswered = answers
    this.#answers = kernel.source('fake names', (sink: Sink<boolean>) => {
      this.#sink = sink
      if (this.#hasAnswered) sink.set(true)
      return () => {}
    })
  }

  answer(): void {
    this.#hasAnswered = true
    this.#sink?.set(true)
  }

  lookup: Namer['lookup'] = (rest, read) =>
    read(this.#answers).kind !== 'ok'
      ? pending
      : ok({ kind: 'leaf', value: { kind: 'bound', id: [...prefix, ...rest], residual: [] } })

  replicas: Namer['replicas'] = () => {
    throw new Error('nobody asks for endpoints here')
  }

  close(): void {}
}

/** One start of our server, until it is stopped or crashes. */
export interface Started {
  readonly store: Store
  readonly kernel: Kernel
  readonly readiness: Readiness
  readonly metrics: Metrics
  /** From now on. */
  namerAnswers(): void
  /** Every state of the binding of /svc/web in the namespace, as text, from now on. */
  bindings(namespace?: string): string[]
  /** Gracefully. */
  stop(): Promise<void>
  /** Its timers never run again, and nothing is flushed. */
  crash(): void
}

export class WarmWorld {
  readonly clock = new FakeClock()
  readonly backend: SharedBackend = new SharedBackend(this.clock)
  readonly lines: LogLine[] = []
  readonly #directory = tempDirectory()
  readonly #requests = new DiskRequests()
  readonly path: string = `${this.#directory.path}/snapshot`

  /** Texts of the log at this level. */
  said(level: LogLine['level']): readonly string[] {
    return this.lines.filter(line => line.level === level).map(({ message }) => message)
  }

  async start(
    options: { readonly snapshot?: boolean; readonly namerAnswers?: boolean; readonly origin?: string } = {},
  ): Promise<Started> {
    const { snapshot = true, namerAnswers = true, origin = 'this store' } = options
    const clock = new MortalClock(this.clock)
    const env: Env = { ...testEnv(clock), log: recordingLog(this.lines) }
    const { kernel } = env
    const bare = this.backend.seenFrom(kernel)
    const warm = snapshot ? await withSnapshot(bare, { env, path: this.path, origin }) : undefined
    const store = warm ?? bare
    const namer = new FakeNamer(kernel, namerAnswers)
    const interpreter = createInterpreter({ store, kernel, clock, namers: [namer] })
    const stopping = new AbortController()
    const readiness = createReadiness({
      kernel,
      store,
      clock,
      boundMs: 10_000,
      shutdown: stopping.signal,
      servedSnapshot: () => warm?.served,
    })
    const end = (): void => {
      readiness.close()
      interpreter.close()
      kernel.close()
    }
    return {
      store,
      kernel,
      readiness,
      metrics: env.metrics,
      namerAnswers: () => namer.answer(),
      bindings: (namespace = 'default') => {
        const seen: string[] = []
        interpreter
          .bind({ namespace, path: orThrow(parsePath('/svc/web')) })
          .watch(state => void seen.push(bindingText(state)))
        return seen
      },
      stop: async () => {
        await store.close()
        end()
      },
      crash: () => {
        clock.die()
        end()
      },
    }
  }

  /** Lets files and deliveries come until it holds. */
  until(what: string, holds: () => boolean): Promise<void> {
    return turnUntil(this.clock, what, holds)
  }

  /** Time goes by, and stands still while the disk works: a second here is no time at all, and what owns a directory would lose it. */
  async pass(ms: number, stepMs = 1_000): Promise<void> {
    for (let passed = 0; passed < ms; passed += stepMs) {
      this.clock.advance(Math.min(stepMs, ms - passed))
      await this.idle()
    }
  }

  /** Until the disk has done what it was asked for, and all that this led to. */
  async idle(): Promise<void> {
    for (let quietTurns = 0; quietTurns < 10; quietTurns++) {
      await realTurn()
      this.clock.settle()
      if (this.#requests.isBusy) quietTurns = 0
    }
  }

  /** A server that has known these rules, and is gone. */
  async learn(rules: Readonly<Record<string, string>> = { default: '/svc => /#/fake/v1' }): Promise<void> {
    for (const [namespace, text] of Object.entries(rules)) await this.backend.put(namespace, text)
    const started = await this.start()
    for (const namespace of Object.keys(rules)) {
      const seen = started.bindings(namespace)
      await this.until('a binding', () => seen.at(-1) === '/#/fake/v1/web')
    }
    await started.stop()
  }

  /** Lets time go by, and the disk and deliveries with it, until it holds. */
  async eventually(what: string, holds: () => boolean): Promise<void> {
    for (const deadline = Date.now() + patienceMs; !holds(); await this.pass(1_000))
      if (Date.now() > deadline) throw new Error(`never happened: ${what}`)
  }

  /** The text of every whole file of the snapshot. */
  onDisk(): string {
    return readdirSync(this.path)
      .filter(file => file.endsWith('.json'))
      .map(file => textOf(join(this.path, file)))
      .join('')
  }

  close(): void {
    this.#requests.close()
    this.#directory.remove()
  }
}

/** What this thread asks of files. Whole files are read and written out of sight of `getActiveResourcesInfo`. */
class DiskRequests {
  readonly #open = new Set<number>()
  readonly #hook = createHook({
    init: (id, type) => {
      if (type === 'FSREQCALLBACK') this.#open.add(id)
    },
    after: id => void this.#open.delete(id),
  }).enable()

  get isBusy(): boolean {
    return this.#open.size > 0 || process.getActiveResourcesInfo().some(resource => /^(FSReq|CloseReq)/.test(resource))
  }

  close(): void {
    this.#hook.disable()
  }
}

/** Empty when it has gone meanwhile. */
function textOf(file: string): string {
  return existsSync(file) ? readFileSync(file, 'utf8') : ''
}

/** Another server's time: it ends when that is killed. */
class MortalClock implements Clock {
  readonly #clock: Clock
  #isDead = false

  constructor(clock: Clock) {
    this.#clock = clock
  }

  die(): void {
    this.#isDead = true
  }

  now = (): number => this.#clock.now()
  monotonic = (): number => this.#clock.monotonic()
  after: Clock['after'] = (ms, run) => this.#clock.after(ms, () => this.#isDead || run())
  defer: Clock['defer'] = run => this.#clock.defer(() => this.#isDead || run())
}

function bindingText(state: State<BoundTree>): string {
  if (state.kind !== 'ok') return state.kind
  const shown = formatBoundTree(state.value)
  return state.stale === undefined ? shown : `${shown} (stale)`
}
