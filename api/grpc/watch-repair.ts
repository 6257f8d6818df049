// Finds what the client of one Watch stream lacks and has it sent again: asks what it holds, and compares. Knows no transport.
import { noUpdate, resourceMark, updateMark } from '../../proto/content-digest.ts'
import type { RequestPart, WireResource } from '../../proto/watch-requests.ts'
import type { SentMessages } from './sent-messages.ts'
import { NameEntry, ReplicaEntry, type WatchEntry } from './watch-entries.ts'
import type { WatchSubscriptions } from './watch-subscriptions.ts'

type Held = Extract<RequestPart, { kind: 'held' }>

/** Who has been asked is asked again when for so long no word of the answer has come. */
const answerMs = 5_000
/** The least time between an answer and the next question; it doubles with each that brings no agreement. */
const pauseMs = 1_000
/** Questions that may bring no agreement. */
const maxQuestions = 5

export interface WatchRepairOptions {
  readonly sent: SentMessages
  readonly subscriptions: WatchSubscriptions
  /** One resource of which the client had something else than it was sent. */
  readonly onDrift: () => void
}

/** A question and what has come of its answer. */
interface Question {
  /** On the monotonic clock: what went out later may not be in the answer. */
  readonly askedAt: number
  heardAt: number
  /** A request is missing since: what follows is no whole answer. */
  isBroken: boolean
  /** What the server knew when the answer began and the client has not listed so far. */
  unlisted: Set<WatchEntry> | undefined
}

export class WatchRepair {
  /** What the client holds and the server does not know; to be told with the next message. */
  readonly unknown: WireResource[] = []
  readonly #options: WatchRepairOptions
  #isWanted = false
  #question: Question | undefined
  /** Questions since the client last confirmed what it was sent. */
  #asked = 0
  #notBefore = 0

  constructor(options: WatchRepairOptions) {
    this.#options = options
  }

  /** There is reason to doubt that the client has what it was sent. */
  want(): void {
    this.#isWanted = true
  }

  /** A request of the client is missing: what it said may not be known. */
  missedRequest(): void {
    if (this.#question !== undefined) this.#question.isBroken = true
    this.#isWanted = true
  }

  /** The client has confirmed what it was sent. */
  agreed(): void {
    this.#asked = 0
  }

  /** Whether the next message is to ask. */
  isDue(now: number): boolean {
    return this.#asked < maxQuestions && this.#isTime(now)
  }

  /** Whether it is time to ask once more, and all questions were of no use: only a new stream helps. */
  isHopeless(now: number): boolean {
    return this.#asked >= maxQuestions && this.#isTime(now)
  }

  /** The message in the making asks. */
  asked(now: number): void {
    this.#asked++
    this.#isWanted = false
    this.#question = { askedAt: now, heardAt: now, isBroken: false, unlisted: undefined }
  }

  /** One thing that the client holds. */
  held({ resource, hash, isStale }: Held, now: number): void {
    const question = this.#answered(now)
    if (question === undefined) return
    const entry = this.#options.subscriptions.at(resource)
    if (entry === undefined) {
      this.unknown.push(resource)
      this.#options.onDrift()
      return
    }
    question.unlisted.delete(entry)
    const mark = updateMark(hash, isStale)
    if (mark === entry.mark || !this.#isComparable(entry, question)) return
    this.#options.sent.changed(resourceMark(resource), entry.mark, mark)
    entry.mark = mark
    this.#sendAgain(entry, hash)
  }

  /** The client has listed all that it holds. */
  heldIsWhole(now: number): void {
    if (this.#question === undefined) return
    const question = this.#answered(now)
    if (question !== undefined) for (const entry of question.unlisted) this.#missing(entry, question)
    this.#question = undefined
    this.#notBefore = now + pauseMs * 2 ** (this.#asked - 1)
  }

  #isTime(now: number): boolean {
    if (this.#question === undefined) return this.#isWanted && now >= this.#notBefore
    return now - this.#question.heardAt >= answerMs
  }

  /** The question that this part of an answer is of; undefined when it tells nothing. */
  #answered(now: number): (Question & { readonly unlisted: Set<WatchEntry> }) | undefined {
    const question = this.#question
    if (question === undefined) return undefined
    question.heardAt = now
    if (question.isBroken) return undefined
    const { names, replicas } = this.#options.subscriptions
    const unlisted = question.unlisted ?? new Set<WatchEntry>([...names.values(), ...replicas.values()])
    return Object.assign(question, { unlisted })
  }

  /** A subscription that the client does not have is given up; a leaf that it lacks is sent again. */
  #missing(entry: WatchEntry, question: Question): void {
    const { subscriptions, sent, onDrift } = this.#options
    if (!this.#isComparable(entry, question)) return
    if (entry instanceof NameEntry) {
      if (!subscriptions.holds(entry)) return
      onDrift()
      subscriptions.unsubscribe(entry.key)
    } else if (entry instanceof ReplicaEntry) {
      if (entry.leaves === 0) {
        if (entry.subscription === 'none') return
        onDrift()
        subscriptions.endSubscription(entry)
        return
      }
      sent.changed(resourceMark(entry.id), entry.mark, noUpdate)
      entry.mark = noUpdate
      this.#sendAgain(entry, '')
    }
  }

  /** What was never sent the client cannot have, and what went out with the question or later it may not have seen. */
  #isComparable(entry: WatchEntry, { askedAt }: Question): boolean {
    return entry.mark !== noUpdate && entry.sent !== undefined && entry.sentAt < Math.trunc(askedAt)
  }

  #sendAgain(entry: WatchEntry, hash: string): void {
    this.#options.onDrift()
    this.#options.sent.forgetDigests()
    entry.restart(hash)
  }
}
