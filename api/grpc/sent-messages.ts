// The messages of one Watch stream that its client has not confirmed, and the digest of all that has been said on it. Knows
// nothing of what the messages hold but how much of each namespace.
import { ContentDigest, noUpdate, type ResourceMark, type UpdateMark } from '../../proto/content-digest.ts'
import type { RequestPart } from '../../proto/watch-requests.ts'
import type { NamespaceUse } from './namespace-uses.ts'

type Ack = Extract<RequestPart, { kind: 'ack' }>

/** Messages that the client may not have said it received: who says nothing gets no more. */
const maxUnreceived = 1024
/** Received messages that may wait, each by itself, to be in use: so many more are one. */
const maxUnapplied = 1024

/** Names of a namespace in a message. */
interface NameCount {
  readonly use: NamespaceUse
  readonly names: number
}

interface SentMessage {
  readonly sequence: number
  /** On the monotonic clock, whole. */
  readonly sentAt: number
  /** When the oldest change in it was made; absent when it holds none. */
  readonly changedAt: number | undefined
  /** Whether nothing was left to be sent after it. */
  readonly hadAll: boolean
  /** As of this message, less what the client has given up since; absent where that cannot be told. */
  digest: ContentDigest | undefined
  readonly names: readonly NameCount[]
}

export interface SentMessagesOptions {
  /** A message with changes is in use, so many ms after the oldest of them was made. */
  readonly onLag: (ms: number) => void
  /** Everything there was at this moment is in use. */
  readonly onHadAll: (moment: number) => void
}

const noNames: readonly NameCount[] = []

export class SentMessages {
  /** Whether the client numbers its messages: otherwise it confirms nothing, and what is sent counts as taken. */
  isCounted = false
  readonly #options: SentMessagesOptions
  readonly #digest = new ContentDigest()
  /** Numbered without a gap; the oldest first. */
  #unconfirmed: SentMessage[] = []
  readonly #written: NamespaceUse[] = []
  #sequence = 0
  #received = 0
  #lastSentAt = 0

  constructor(options: SentMessagesOptions) {
    this.#options = options
  }

  /** The number of the last message. */
  get sequence(): number {
    return this.#sequence
  }

  /** When the last message was made, on the monotonic clock. */
  get lastSentAt(): number {
    return this.#lastSentAt
  }

  /** When the first message was made that the client has not said it received; undefined when there is none. */
  get unreceivedSince(): number | undefined {
    return this.#received === this.#sequence ? undefined : this.#at(this.#received + 1)?.sentAt
  }

  /** Whether the client has to receive something before it gets more. */
  get isFull(): boolean {
    return this.#sequence - this.#received >= maxUnreceived
  }

  /** An update of the resource stands in the message in the making. */
  changed(resource: ResourceMark, before: UpdateMark, after: UpdateMark): void {
    if (this.isCounted) this.#digest.change(resource, before, after)
  }

  /** With the message in the making the resource is given up. */
  dropped(resource: ResourceMark, last: UpdateMark): void {
    if (last !== noUpdate) this.changed(resource, last, noUpdate)
  }

  /** The client has given up a resource of which the last update went out at `sentAt`: it is in no later confirmation. */
  givenUp(resource: ResourceMark, last: UpdateMark, sentAt: number): void {
    this.dropped(resource, last)
    for (const message of this.#unconfirmed) {
      if (message.sentAt > sentAt) message.digest?.change(resource, last, noUpdate)
      else message.digest = undefined
    }
  }

  /** What was sent is not what the client has: what is confirmed by earlier messages tells nothing. */
  forgetDigests(): void {
    for (const message of this.#unconfirmed) message.digest = undefined
  }

  /** A name of the namespace stands in the message in the making. */
  nameWritten(use: NamespaceUse): void {
    if (use.written++ === 0) this.#written.push(use)
  }

  /** The message is made: gives its number, 0 in a stream that does not count. */
  close(now: number, changedAt: number | undefined, hadAll: boolean): number {
    this.#lastSentAt = now
    const names = this.#takeWritten()
    if (!this.isCounted) {
      settle(names)
      return 0
    }
    const sequence = ++this.#sequence
    const digest = new ContentDigest(this.#digest)
    this.#unconfirmed.push({ sequence, sentAt: Math.trunc(now), changedAt, hadAll, digest, names })
    return sequence
  }

  /** What a confirmation says: whether the client has what was sent, where that can be told. */
  confirm({ received, applied, digest, delayMs = 0 }: Ack, now: number): 'agrees' | 'differs' | 'unclear' {
    if (received > this.#sequence) return 'unclear'
    this.#received = Math.max(this.#received, received)
    const expected = received === this.#sequence ? this.#digest : this.#at(received)?.digest
    const doesAgree = expected?.value === digest
    if (doesAgree) this.#settleTo(Math.min(applied, received), now - delayMs)
    this.#joinReceived()
    if (doesAgree) return 'agrees'
    return expected === undefined ? 'unclear' : 'differs'
  }

  #at(sequence: number): SentMessage | undefined {
    const first = this.#unconfirmed[0]?.sequence ?? 0
    return this.#unconfirmed[sequence - first]
  }

  /** `at`: when the last of them came. */
  #settleTo(applied: number, at: number): void {
    const { onLag, onHadAll } = this.#options
    let count = 0
    for (const { sequence, changedAt, hadAll, sentAt, names } of this.#unconfirmed) {
      if (sequence > applied) break
      count++
      settle(names)
      if (changedAt !== undefined) onLag(Math.max(0, at - changedAt))
      if (hadAll) onHadAll(sentAt)
    }
    if (count === this.#unconfirmed.length) this.#unconfirmed = []
    else if (count > 0) this.#unconfirmed.splice(0, count)
  }

  /** A client may receive for long what it does not put to use: that is remembered as if it were all of the last message. */
  #joinReceived(): void {
    const messages = this.#unconfirmed
    const count = this.#received + 1 - (messages[0]?.sequence ?? 0)
    const last = messages[count - 1]
    if (count <= maxUnapplied || last === undefined) return
    const joined = messages.splice(0, count)
    const oldest = joined.find(({ changedAt }) => changedAt !== undefined)
    const names = joined.flatMap(message => message.names)
    messages.unshift({ ...last, changedAt: oldest?.changedAt, names: sumOf(names) })
  }

  #takeWritten(): readonly NameCount[] {
    if (this.#written.length === 0) return noNames
    const names = this.#written.map(takeCount)
    this.#written.length = 0
    return names
  }
}

function takeCount(use: NamespaceUse): NameCount {
  const names = use.written
  use.written = 0
  return { use, names }
}

function sumOf(counts: readonly NameCount[]): readonly NameCount[] {
  const sums = new Map<NamespaceUse, number>()
  for (const { use, names } of counts) sums.set(use, (sums.get(use) ?? 0) + names)
  return Array.from(sums, ([use, names]) => ({ use, names }))
}

function settle(counts: readonly NameCount[]): void {
  for (const { use, names } of counts) use.addUnsettled(-names)
}
