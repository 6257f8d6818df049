// The main thread's end of a mirror: follows what a thread asks for, once for each name, and tells it the newest states. A
// thread that is busy gets no queue: what it has not read stands in an outbox, each cell once.
import type { Task, WorkQueue } from '../../api/push/work-queue.ts'
import type { DtabVersion, ToldVersions } from '../../api/servers.ts'
import type { Kernel, Observation, Observer, Unwatch } from '../../watch/cell.ts'
import type { Clock } from '../../watch/clock.ts'
import { pending, type State } from '../../watch/state.ts'
import { cellOf, type MirroredInterpreter } from './mirrored-requests.ts'
import { Outbox } from './outbox.ts'
import type { Asked, TextPort, ToOrigin } from './port-messages.ts'
import type { StateTexts } from './state-texts.ts'

const defaultBatchSize = 512
/** Texts on their way: while the thread reads one, the next is written. */
const mostOnTheWay = 2
/** A text that is so long takes no further state: to write it takes about a millisecond, and to read it too. */
const longText = 256 * 1024
/** Requests in one piece of work; each may be an evaluation. */
const requestsPerPiece = 32

export interface MirrorOriginOptions {
  readonly port: TextPort
  readonly kernel: Kernel
  readonly clock: Clock
  readonly interpreter: MirroredInterpreter
  readonly told: ToldVersions
  /** Where the work is done, and the texts are made; shared by all threads. */
  readonly queue: WorkQueue
  readonly texts: StateTexts
  /** States in one text. */
  readonly batchSize?: number
}

/** A version to be told, of a cell or of a namespace; or, with neither, that all namespaces are known. */
type VersionNews =
  | { readonly cell: FollowedCell; readonly state: State<object> }
  | DtabVersion
  | { readonly isWhole: true }

export class MirrorOrigin implements Task {
  readonly #options: MirrorOriginOptions
  readonly #outbox = new Outbox<FollowedCell, VersionNews>()
  readonly #followed = new Map<number, FollowedCell>()
  readonly #unwatchTold: Unwatch
  #requests: ToOrigin[] = []
  /** How far the first of them is done. */
  #done = 0
  #onTheWay = 0
  /** When the first change in the outbox was made, in ms since 1970. */
  #changedAt: number | undefined
  #isWholeTold = false
  #isClosed = false

  /** Follows nothing before the thread asks. */
  constructor(options: MirrorOriginOptions) {
    this.#options = options
    options.port.onText(text => this.#receive(JSON.parse(text) as ToOrigin)) // requests are parsed one by one
    const { told } = options
    this.#putVersions(this.#versionsOf(told.namespaces()))
    this.#unwatchTold = told.watch(namespaces => {
      const changed = this.#versionsOf(namespaces)
      // What these versions lead to is on its way to our cells.
      options.kernel.afterDelivery(() => this.#putVersions(changed))
    })
  }

  /** Cells that are followed for the thread. */
  get size(): number {
    return this.#followed.size
  }

  work(): boolean {
    if (this.#isClosed) return false
    this.#handleRequests()
    if (this.#mayTell) this.#tell()
    return this.#requests.length > 0 || this.#mayTell
  }

  /** Follows nothing any more. */
  close(): void {
    this.#isClosed = true
    this.#requests = []
    this.#unwatchTold()
    for (const cell of this.#followed.values()) cell.end()
    this.#followed.clear()
  }

  /** For its cells. */
  readonly post: Post = {
    news: cell => {
      this.#noteChange()
      this.#outbox.put(cell)
    },
    version: (cell, state) => {
      // The states of the version are delivered in the same flush.
      this.#options.kernel.afterDelivery(() => {
        if (!cell.isOver) this.#putVersion(cell, { cell, state })
      })
    },
    over: cell => {
      this.#outbox.delete(cell)
      this.#outbox.deleteVersion(cell)
    },
  }

  get #mayTell(): boolean {
    return !this.#outbox.isEmpty && this.#onTheWay < mostOnTheWay
  }

  #wake(): void {
    this.#options.queue.add(this)
  }

  #receive(request: ToOrigin): void {
    this.#onTheWay -= request.taken
    if (request.watch.length + request.leave.length > 0) this.#requests.push(request)
    this.#wake()
  }

  #handleRequests(): void {
    for (let left = requestsPerPiece; left > 0; left--) {
      const [request] = this.#requests
      if (request === undefined) return
      const { watch, leave } = request
      const asked = watch[this.#done]
      const gone = leave[this.#done - watch.length]
      this.#done++
      if (asked !== undefined) this.#follow(...asked)
      else if (gone !== undefined) this.#leave(gone)
      else {
        this.#requests.shift()
        this.#done = 0
      }
    }
  }

  #follow(id: number, asked: Asked, text: string): void {
    const cell = new FollowedCell(id, asked, this.post)
    this.#followed.set(id, cell)
    cell.begin(this.#options.interpreter, text)
  }

  #leave(id: number): void {
    this.#followed.get(id)?.end()
    this.#followed.delete(id)
  }

  #noteChange(): void {
    const { clock, kernel } = this.#options
    this.#changedAt ??= clock.now() - (clock.monotonic() - kernel.changedAt())
    this.#wake()
  }

  #putVersion(key: unknown, news: VersionNews): void {
    this.#noteChange()
    this.#outbox.putVersion(key, news)
  }

  #versionsOf(namespaces: Iterable<string>): readonly DtabVersion[] {
    const { told } = this.#options
    return [...namespaces].map(namespace => ({ namespace, version: told.of(namespace) }))
  }

  #putVersions(versions: readonly DtabVersion[]): void {
    if (this.#isClosed) return
    for (const version of versions) this.#putVersion(version.namespace, version)
    if (this.#options.told.isWhole() && !this.#isWholeTold) {
      this.#isWholeTold = true
      this.#putVersion(whole, { isWhole: true })
    }
  }

  #tell(): void {
    const states: string[] = []
    const dtabs: string[] = []
    let isWhole = false
    let length = 0
    for (const letter of this.#outbox.take(this.#options.batchSize ?? defaultBatchSize)) {
      if ('cell' in letter) length += this.#add(states, letter.cell, letter.cell.state)
      else if ('cell' in letter.version) length += this.#add(states, letter.version.cell, letter.version.state)
      else if ('isWhole' in letter.version) isWhole = true
      else dtabs.push(JSON.stringify([letter.version.namespace, letter.version.version]))
      if (length >= longText) break
    }
    const told = dtabs.length > 0 || isWhole ? `,"told":{"isWhole":${isWhole},"dtabs":[${dtabs.join()}]}` : ''
    const changedAt = this.#takeChangedAt()
    if (states.length === 0 && told === '') return
    this.#options.port.post(`{"changedAt":${changedAt},"states":[${states.join()}]${told}}`)
    this.#onTheWay++
  }

  /** When the first of what is told now was changed; what stays in the outbox keeps that. */
  #takeChangedAt(): number {
    const changedAt = this.#changedAt ?? this.#options.clock.now()
    if (this.#outbox.isEmpty) this.#changedAt = undefined
    return changedAt
  }

  /** How long its text is. */
  #add(states: string[], cell: FollowedCell, state: State<object>): number {
    const text = this.#options.texts.of(cell.asked, state, cell.told)
    states.push(`[${cell.id},${text}]`)
    cell.told = state
    return text.length
  }
}

/** The key of the news that all namespaces are known; no namespace is called so. */
const whole = Symbol('whole')

interface Post {
  news(cell: FollowedCell): void
  version(cell: FollowedCell, state: State<object>): void
  over(cell: FollowedCell): void
}

/** One cell as the thread follows it. There are very many of these. */
class FollowedCell implements Observer<object> {
  readonly id: number
  readonly asked: Asked
  /** The newest. */
  state: State<object> = pending
  /** The one that the thread was told last. */
  told: State<object> | undefined
  isOver = false
  readonly #post: Post
  #observation: Observation | undefined

  constructor(id: number, asked: Asked, post: Post) {
    this.id = id
    this.asked = asked
    this.#post = post
  }

  begin(interpreter: MirroredInterpreter, text: string): void {
    this.#observation = cellOf(interpreter, this.asked, text).observe(this)
  }

  deliver(state: State<object>): void {
    this.state = state
    if (this.asked === 'version') this.#post.version(this, state)
    else this.#post.news(this)
  }

  end(): void {
    this.isOver = true
    this.#observation?.end()
    this.#post.over(this)
  }
}
