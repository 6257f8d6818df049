// Another server of the store, followed for as long as it is present: what it goes by, and whether it replies. Knows no
// transport.
import type { DialPeer, PeerMessage, ServerState } from '../../api/servers.ts'
import type { Log } from '../../runtime/log.ts'
import type { Cancel, Clock, Random } from '../../watch/clock.ts'
import type { ServerRecord } from './server-record.ts'

export interface PeerOptions {
  readonly dial: DialPeer
  readonly clock: Clock
  readonly random: Random
  readonly log: Log
  /** When a server that is present started, in ms since 1970. */
  readonly startedAt: (id: string) => number | undefined
  /** It goes by other versions of these now. */
  readonly onVersions: (namespaces: Iterable<string>) => void
  /** It has begun or ceased to reply. */
  readonly onReplies: () => void
  /** It does not reply for another reason. */
  readonly onError: () => void
}

/** A second without a word is normal; three are not. */
const silenceMs = 3_000
const firstBackoffMs = 200
const maxBackoffMs = 5_000
/** Whoever stops properly fails once, and is gone before it is dialled again. */
const failuresToSay = 2
/** A timer that ran so late says that this process stood still, not the peer. */
const lateMs = 500

export class Peer {
  readonly #options: PeerOptions
  readonly #record: ServerRecord
  #versions = new Map<string, number>()
  /** Streams that proxies have open there, as it said last. */
  #streams: number | undefined
  /** What it says until it has said everything; absent then. */
  #incoming: Map<string, number> | undefined
  #error: string | undefined = 'it has not been asked yet'
  #since: number
  #heardAt = 0
  #hasGreeted = false
  #isClosed = false
  /** In a row. */
  #failures = 0
  /** Whether the log has it that it replies, or that it does not. */
  #logged: 'replies' | 'silent' | undefined
  #close: (() => void) | undefined
  #timer: Cancel | undefined

  /** Follows it at once. Without `address` there is nobody to ask, and `whyNot` says why. */
  constructor(record: ServerRecord, options: PeerOptions, whyNot?: string) {
    this.#record = record
    this.#options = options
    this.#since = options.clock.now()
    if (record.address === undefined || whyNot !== undefined)
      this.#error = whyNot ?? 'it has no gRPC interface that could be asked'
    else this.#dial(record.address)
  }

  get record(): ServerRecord {
    return this.#record
  }

  get replies(): boolean {
    return this.#error === undefined
  }

  /** 0 where it knows of none. */
  of(namespace: string): number {
    return this.#versions.get(namespace) ?? 0
  }

  namespaces(): Iterable<string> {
    return this.#versions.keys()
  }

  state(): ServerState {
    const { id, address, version, startedAt } = this.#record
    return {
      id,
      isSelf: false,
      ...(address !== undefined && { address }),
      version,
      startedAt,
      replies: this.replies,
      ...(this.#error !== undefined && { error: this.#error }),
      since: this.#since,
      dtabs: this.#versions,
      ...(this.replies && this.#streams !== undefined && { streams: this.#streams }),
    }
  }

  /** Ends the stream, for good; harmless when called twice. */
  close(): void {
    this.#isClosed = true
    this.#hangUp()
  }

  #hangUp(): void {
    this.#timer?.()
    this.#timer = undefined
    this.#close?.()
    this.#close = undefined
  }

  #dial(address: string): void {
    const { dial, clock } = this.#options
    this.#incoming = new Map()
    this.#hasGreeted = false
    this.#heardAt = clock.monotonic()
    this.#close = dial(address, {
      heard: message => this.#hear(message),
      lost: reason => this.#lose(reason),
    })
    this.#watchSilence(silenceMs)
  }

  #watchSilence(waitMs: number): void {
    const { clock } = this.#options
    const dueAt = clock.monotonic() + waitMs
    this.#timer = clock.after(waitMs, () => {
      const now = clock.monotonic()
      const restMs = this.#heardAt + silenceMs - now
      if (restMs > 0) this.#watchSilence(restMs)
      else if (now - dueAt > lateMs) this.#watchSilence(lateMs)
      else this.#lose(this.#hasGreeted ? `nothing was heard for ${silenceMs} ms` : `no answer within ${silenceMs} ms`)
    })
  }

  #hear({ id, isWhole, dtabs, streams }: PeerMessage): void {
    this.#heardAt = this.#options.clock.monotonic()
    this.#streams = streams
    if (!this.#hasGreeted && id !== this.#record.id) {
      this.#lose(this.#whyAnother(id))
      return
    }
    this.#hasGreeted = true
    const incoming = this.#incoming
    for (const { namespace, version } of dtabs) setVersion(incoming ?? this.#versions, namespace, version)
    if (incoming === undefined) {
      if (dtabs.length > 0) this.#options.onVersions(dtabs.map(({ namespace }) => namespace))
    } else if (isWhole) this.#adopt(incoming)
    else this.#setError('it does not know yet what its store holds')
  }

  /** Who starts at an address takes the place of whoever had it; whoever was there before was named by mistake. */
  #whyAnother(id: string | undefined): string {
    const startedAt = id === undefined ? undefined : this.#options.startedAt(id)
    if (startedAt !== undefined && startedAt > this.#record.startedAt)
      return `it is gone: the server ${id} has its address now`
    return `the server ${id ?? 'without a name'} answers at its address: it is gone, or server.advertise is wrong there`
  }

  #adopt(versions: Map<string, number>): void {
    this.#versions = versions
    this.#incoming = undefined
    this.#failures = 0
    this.#setError(undefined)
    this.#say('replies')
  }

  #lose(reason: string): void {
    const { address } = this.#record
    const { clock, random } = this.#options
    this.#hangUp()
    this.#setError(reason)
    if (this.#isClosed) return // whoever was told so has no more use for it
    this.#failures++
    if (this.#failures >= failuresToSay) this.#say('silent')
    const ceilingMs = Math.min(maxBackoffMs, firstBackoffMs * 2 ** Math.min(this.#failures, 10))
    const waitMs = firstBackoffMs + random() * (ceilingMs - firstBackoffMs)
    this.#timer = clock.after(waitMs, () => address !== undefined && this.#dial(address))
  }

  #setError(error: string | undefined): void {
    if (error === this.#error) return
    const { clock, onReplies, onError } = this.#options
    const hadReplied = this.replies
    this.#error = error
    if (this.replies === hadReplied) onError()
    else {
      this.#since = clock.now()
      onReplies()
    }
  }

  #say(what: 'replies' | 'silent'): void {
    const { log } = this.#options
    const facts = { server: this.#record.id, address: this.#record.address, reason: this.#error }
    if (what === this.#logged) log.debug(facts, `a server of this store: still ${what}`)
    else if (what === 'replies') log.info(facts, 'a server of this store replies')
    else log.warn(facts, 'a server of this store does not reply')
    this.#logged = what
  }
}

function setVersion(versions: Map<string, number>, namespace: string, version: number): void {
  if (version === 0) versions.delete(namespace)
  else versions.set(namespace, version)
}
