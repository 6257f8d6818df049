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
/** Of what is not known here so much is told at a time: the rest is found with the next question. */
const maxUnknown = 16_384

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
  /** What a whole answer did not list, as far as it has not been looked at. */
  #unlisted: Iterator<WatchEntry> | undefined

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
    const open = this.#question
    // What is left of an answer that has begun may still come.
    if (open?.unlisted !== undefined && !open.isBroken) open.heardAt = now
    else this.#question = { askedAt: now, heardAt: now, isBroken: false, unlisted: undefined }
  }

  /** One thing that the client holds. */
  held({ resource, hash, isStale }: Held, now: number): void {
    const question = this.#answered(now)
    if (question === undefined) return
    const entry = this.#options.subscriptions.at(resource)
    if (entry === undefined) {
      this.#noteUnknown(resource)
      return
    }
    question.unlisted.delete(entry)
    const mark = updateMark(hash, isStale)
    if (mark === entry.mark || !this.#isComparable(entry, question)) return
    this.#options.sent.changed(resourceMark(resource), entry.mark, mark)
    entry.mark = mark
    this.#sendAgain(entry, hash)
  }

  /** The client has listed all that it holds. While `isLooking` then, no further part may be taken. */
  heldIsWhole(now: number): void {
    if (this.#question === undefined) return
    this.#notBefore = now + pauseMs * 2 ** (this.#asked - 1)
    const question = this.#answered(now)
    if (question === undefined) this.#question = undefined
    else this.#unlisted = question.unlisted.values()
  }

  /** Whether there is more for `look`. */
  get isLooking(): boolean {
    return this.#unlisted !== undefined
  }

  /** Takes up so many of the things that a whole answer did not list. */
  look(count: number): void {
    for (let left = count; left > 0; left--) {
      const entry = this.#unlisted?.next()
      if (this.#question === undefined || entry?.done !== false) {
        this.#unlisted = undefined
        this.#question = undefined
        return
      }
      this.#missing(entry.value, this.#question)
    }
  }

  #isTime(now: number): boolean {
    if (this.#question === undefined) return this.#isWanted && now >= this.#notBefore
    return now - this.#question.heardAt >= answerMs
  }

  #noteUnknown(resource: WireResource): void {
    if (this.unknown.length >= maxUnknown) {
      this.#isWanted = true
      return
    }
    this.unknown.push(resource)
    this.#options.onDrift()
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
    if (entry instanceof NameEntry) {
      // Whatever was sent of it meanwhile: had the client subscribed to it, it would have listed it.
      if (!subscriptions.holds(entry)) return
      onDrift()
      subscriptions.unsubscribe(entry.key)
    } else if (!this.#isComparable(entry, question)) return
    else if (entry instanceof ReplicaEntry) {
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
