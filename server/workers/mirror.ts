// The thread's end of a mirror: an interpreter whose cells show what the main thread's show. It evaluates nothing; each name is
// asked for once, however many streams want it, and given up when the last of them leaves.
import type { BindRequest, DelegateRequest, DelegateTree, NamespaceSnapshot } from '../../interpreters/interpreter.ts'
import type { BoundTree } from '../../naming/bound-tree.ts'
import type { Path } from '../../naming/path.ts'
import type { ReplicaSet } from '../../naming/replica-set.ts'
import type { Cell, Kernel, Mirror, MirrorFeed, Pool } from '../../watch/cell.ts'
import type { Clock } from '../../watch/clock.ts'
import { failed, ok, pending, type Stale } from '../../watch/state.ts'
import { bindText, delegateText, type MirroredInterpreter } from './mirrored-requests.ts'
import {
  type Asked,
  errorFromSent,
  parseMessage,
  type SentStale,
  type SentState,
  type TextPort,
  type ToMirror,
  type ToOrigin,
} from './port-messages.ts'
import { ToldMirror } from './told-mirror.ts'

export interface ThreadMirrorOptions {
  readonly port: TextPort
  readonly kernel: Kernel
  readonly clock: Clock
}

export class ThreadMirror {
  readonly told = new ToldMirror()
  readonly interpreter: MirroredInterpreter
  /** The version of a namespace that names are evaluated by, told after the states that it led to. */
  readonly version: (namespace: string) => Cell<{ readonly version: number }>
  /** The kernel, whose changes began in the main thread. */
  readonly kernel: Kernel
  readonly #options: ThreadMirrorOptions
  readonly #open = new Map<number, Mirror<object>>()
  #watch: (readonly [id: number, asked: Asked, request: string])[] = []
  #leave: number[] = []
  #lastId = 0
  /** When the first of the changes that are being delivered was made, on the monotonic clock of this thread. */
  #changedAt: number | undefined
  #isPosting = false

  constructor(options: ThreadMirrorOptions) {
    this.#options = options
    const { kernel } = options
    const textOf = (key: Path | string): string => JSON.stringify(key)
    const trees = this.#pool<BindRequest, BoundTree>('bind', bindText)
    const replicas = this.#pool<Path, ReplicaSet>('replicas', textOf)
    const namespaces = this.#pool<string, NamespaceSnapshot>('namespace', textOf)
    const explanations = this.#pool<DelegateRequest, DelegateTree>('delegate', delegateText)
    const versions = this.#pool<string, { readonly version: number }>('version', textOf)
    this.interpreter = {
      bind: request => trees.at(request),
      replicas: id => replicas.at(id),
      namespace: namespace => namespaces.at(namespace),
      delegate: request => explanations.at(request),
    }
    this.version = namespace => versions.at(namespace)
    this.kernel = {
      ...kernel,
      changedAt: () => Math.min(kernel.changedAt(), this.#changedAt ?? Number.POSITIVE_INFINITY),
    }
    options.port.onText(text => this.#receive(parseMessage(text) as ToMirror)) // the other end is this program
  }

  /** Cells that are followed. */
  get size(): number {
    return this.#open.size
  }

  #pool<K, T extends object>(asked: Asked, keyText: (key: K) => string): Pool<K, T> {
    return this.#options.kernel.pool<K, T>(
      // What is shown in the cell is what the main thread's cell of the same request has.
      (_, text) => this.#options.kernel.mirror(text, new MirroredCell(asked, this.#requests) as MirrorFeed<T>),
      keyText,
    )
  }

  readonly #requests: Requests = {
    watch: (mirror, asked) => {
      const id = ++this.#lastId
      this.#open.set(id, mirror)
      this.#watch.push([id, asked, mirror.name])
      this.#postSoon()
      return id
    },
    leave: id => {
      this.#open.delete(id)
      this.#leave.push(id)
      this.#postSoon()
    },
  }

  /** What is asked for in one turn is one text. */
  #postSoon(): void {
    if (this.#isPosting) return
    this.#isPosting = true
    this.#options.clock.defer(() => this.#post(0))
  }

  #post(taken: number): void {
    this.#isPosting = false
    if (this.#watch.length + this.#leave.length + taken === 0) return
    const request: ToOrigin = { watch: this.#watch, leave: this.#leave, taken }
    this.#watch = []
    this.#leave = []
    this.#options.port.post(JSON.stringify(request))
  }

  #receive({ changedAt, states, told }: ToMirror): void {
    this.#post(1)
    for (const [id, state] of states) {
      const mirror = this.#open.get(id)
      if (mirror !== undefined) show(mirror, state)
    }
    if (told !== undefined) this.told.take(told)
    this.#noteChange(changedAt)
  }

  #noteChange(at: number): void {
    const { clock, kernel } = this.#options
    const changedAt = clock.monotonic() - Math.max(0, clock.now() - at)
    if (this.#changedAt === undefined)
      kernel.afterDelivery(() => {
        this.#changedAt = undefined
      })
    this.#changedAt = Math.min(this.#changedAt ?? changedAt, changedAt)
  }
}

function show(mirror: Mirror<object>, sent: SentState): void {
  if (sent.kind === 'failed') mirror.show(failed(errorFromSent(sent.error)))
  else if (sent.kind === 'ok') mirror.show(ok(sent.value, staleFromSent(sent.stale)))
  else if (sent.kind === 'pending') mirror.show(sent.waitingFor === undefined ? pending : sent)
  else {
    const state = mirror.peek()
    if (state.kind === 'ok') mirror.show(ok(state.value, staleFromSent(sent.stale)))
  }
}

function staleFromSent(sent: SentStale | undefined): Stale | undefined {
  return sent && { since: sent.since, reason: errorFromSent(sent.reason) }
}

interface Requests {
  /** Gives the number under which the cell is told. */
  watch(mirror: Mirror<object>, asked: Asked): number
  leave(id: number): void
}

/** One mirrored cell. There are very many of these. */
class MirroredCell implements MirrorFeed<object> {
  private readonly asked: Asked
  private readonly requests: Requests
  private id = 0

  constructor(asked: Asked, requests: Requests) {
    this.asked = asked
    this.requests = requests
  }

  opened(mirror: Mirror<object>): void {
    this.id = this.requests.watch(mirror, this.asked)
  }

  closed(): void {
    this.requests.leave(this.id)
  }
}
