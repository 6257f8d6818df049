// Puts the newest states of one Watch stream into messages: make before break, large ones in pieces, nothing that the client
// has or has refused. Knows no transport.
import type { BoundTree } from '../../naming/bound-tree.ts'
import { showPath } from '../../naming/path.ts'
import { eachLeaf } from '../../naming/tree-leaves.ts'
import { ByteWriter } from '../../proto/byte-writer.ts'
import { contentMark, noUpdate, resourceMark, type UpdateMark } from '../../proto/content-digest.ts'
import { tagOf } from '../../proto/fields.ts'
import { type Content, encodeIdField, encodeStale, hashOf, isFailure, type WireHash } from '../../proto/updates.ts'
import { awaited, type Stale, type State } from '../../watch/state.ts'
import type { Mailbox } from '../push/mailbox.ts'
import type { SentMessages } from './sent-messages.ts'
import { UpdateInPieces } from './update-in-pieces.ts'
import type { WatchContext } from './watch-context.ts'
import { isFinal, NameEntry, ReplicaEntry } from './watch-entries.ts'
import type { WatchSubscriptions } from './watch-subscriptions.ts'

type AnyEntry = NameEntry | ReplicaEntry

/** A content of more bytes goes out in pieces, one in a message, that leave room for others there. */
const largeBytes = 32_768
const pieceBytes = 16_384

export interface WatchWriterOptions {
  readonly sent: SentMessages
  readonly mailbox: Mailbox
  readonly subscriptions: WatchSubscriptions
}

export class WatchWriter {
  readonly #context: WatchContext
  readonly #sent: SentMessages
  readonly #mailbox: Mailbox
  readonly #subscriptions: WatchSubscriptions
  #pieces: UpdateInPieces | undefined
  /** Contents that the client cannot use. */
  #refusals: WeakMap<object, WireHash> | undefined

  constructor(context: WatchContext, { sent, mailbox, subscriptions }: WatchWriterOptions) {
    this.#context = context
    this.#sent = sent
    this.#mailbox = mailbox
    this.#subscriptions = subscriptions
  }

  /** Whether an Update is on its way in pieces: each message has one until it is over. */
  get hasPieces(): boolean {
    return this.#pieces !== undefined
  }

  /** Appends the newest state of one resource to the shared builder, before it those that it needs; false when there is none. */
  writeNext(): boolean {
    const entry = this.#mailbox.next()
    if (entry instanceof NameEntry) this.#writeName(entry)
    else if (entry instanceof ReplicaEntry) this.#writeReplicas(entry)
    return entry !== undefined
  }

  /** Appends the next piece, and after the last one the trees that waited for it. */
  writePiece(): void {
    const pieces = this.#pieces
    if (pieces === undefined) return
    const { entry } = pieces
    const isWanted = this.#subscriptions.holds(entry)
    if (isWanted && !pieces.write(this.#context.builder, pieceBytes)) return
    this.#pieces = undefined
    if (isWanted) this.#noteWhole(pieces)
    else if (entry instanceof NameEntry) entry.use?.addUnsettled(-1)
    for (const name of [...this.#subscriptions.ahead.keys()]) this.#writeName(name)
    this.#mailbox.freeHeld()
  }

  /** The client keeps what it had instead of the content with this hash, and is not sent it again until there was another. */
  refuse(entry: object, hash: WireHash): void {
    this.#refusals ??= new WeakMap()
    this.#refusals.set(entry, hash)
    if (!(entry instanceof NameEntry)) return
    const { sent, tree } = entry
    if (tree === undefined || sent === undefined || hashOf(this.#context.treeFrames.of(sent)) !== hash) return
    // It follows the leaves of what it kept by itself, and does not know those of what it refused.
    entry.tree = undefined
    entry.isWaiting = false
    this.#subscriptions.releaseLeaves(tree, true)
  }

  /** Make before break: what the new leaves need goes out before the tree, and the old ones are given up after it. */
  #writeName(entry: NameEntry): void {
    this.#mailbox.delete(entry)
    if (!entry.hasNews) {
      entry.use?.addUnsettled(-1)
      this.#areLeavesThere(entry, entry.tree)
      return
    }
    const { state } = entry
    const content = this.#context.treeFrames.of(state)
    if (this.#isRefused(entry, content)) {
      entry.use?.addUnsettled(-1)
      this.#areLeavesThere(entry, undefined)
      this.#followTree(entry, undefined)
      return
    }
    const after = treeToFollow(state, content, entry.tree)
    if (this.#mustWait(entry, content) || !this.#areLeavesThere(entry, after)) {
      this.#mailbox.hold(entry)
      return
    }
    if (this.#write(entry, content)) this.#finishName(entry, after)
    else if (after !== undefined && after !== entry.tree) this.#subscriptions.ahead.set(entry, after)
  }

  /** False while the client has nothing of the set: it is on its way in pieces, waits behind another, or is awaited here. */
  #writeReplicas(entry: ReplicaEntry): boolean {
    if (entry.state === awaited) return false
    const isFirst = entry.sent === undefined
    this.#mailbox.delete(entry)
    if (entry.hasNews) {
      const content = this.#context.replicaFrames.of(entry.state)
      if (this.#mustWait(entry, content)) this.#mailbox.hold(entry)
      else if (!this.#isRefused(entry, content)) this.#write(entry, content)
      // In a thread trees wait for sets that were awaited.
      if (isFirst && this.#pieces === undefined) this.#mailbox.freeHeld()
    }
    return entry.mark !== noUpdate
  }

  /** Whether every leaf that the client needs for the tree stands before it now; what it lacks is on its way. */
  #areLeavesThere(entry: NameEntry, tree: BoundTree | undefined): boolean {
    const { ahead } = this.#subscriptions
    const early = ahead.size === 0 ? undefined : ahead.get(entry)
    const isNew = tree !== undefined && tree !== entry.tree
    if (isNew && tree !== early) this.#subscriptions.acquireLeaves(tree)
    if (early !== undefined && early !== tree) {
      ahead.delete(entry)
      this.#subscriptions.releaseLeaves(early, false)
    }
    if (tree === undefined || !(isNew || entry.sent === undefined)) return true
    const areThere = this.#writeLeaves(tree)
    if (isNew && !areThere) ahead.set(entry, tree)
    return areThere
  }

  #writeLeaves(tree: BoundTree): boolean {
    let areThere = true
    eachLeaf(tree, ({ id }) => {
      const leaf = this.#subscriptions.replicas.get(showPath(id))
      if (leaf !== undefined && !this.#writeReplicas(leaf)) areThere = false
    })
    return areThere
  }

  /** Appends the newest state; false when that begins to go out in pieces instead. */
  #write(entry: AnyEntry, content: Content): boolean {
    const { state } = entry
    const stale = state.kind === 'ok' && !isFailure(content) ? state.stale : undefined
    const mark = contentMark(content, stale !== undefined)
    const fields = entry.fieldsOf(content)
    const isLarge = this.#isLarge(entry, content)
    entry.noteSent(this.#now)
    this.#context.push.counters.updates.inc()
    if (isLarge) {
      this.#pieces = new UpdateInPieces({
        entry,
        mark,
        fields: [encodeResource(entry), fields, encodeStaleField(stale)],
      })
      return false
    }
    const resource = entry instanceof NameEntry ? entry.key : encodeIdField(entry.id)
    this.#context.builder.add(resource, fields, stale && encodeStale(stale))
    this.#note(entry, mark)
    return true
  }

  /** Pieces are those of one Update at a time, and nothing overtakes what is on its way. */
  #mustWait(entry: AnyEntry, content: Content): boolean {
    return this.#pieces !== undefined && (this.#pieces.entry === entry || this.#isLarge(entry, content))
  }

  /** A client that does not count messages does not know pieces. */
  #isLarge(entry: AnyEntry, content: Content): boolean {
    return content.length > largeBytes && this.#sent.isCounted && entry.fieldsOf(content).length > largeBytes
  }

  /** The last piece is in the message in the making. */
  #noteWhole({ entry, mark }: UpdateInPieces): void {
    entry.sentAt = Math.trunc(this.#now)
    this.#note(entry, mark)
    if (entry instanceof NameEntry) this.#finishName(entry, this.#subscriptions.ahead.get(entry) ?? entry.tree)
  }

  #note(entry: AnyEntry, mark: UpdateMark): void {
    this.#sent.changed(resourceMark(entry instanceof NameEntry ? entry.key : entry.id), entry.mark, mark)
    entry.mark = mark
  }

  /** The tree stands in the message in the making. */
  #finishName(entry: NameEntry, tree: BoundTree | undefined): void {
    if (entry.use !== undefined) this.#sent.nameWritten(entry.use)
    this.#followTree(entry, tree)
  }

  #followTree(entry: NameEntry, tree: BoundTree | undefined): void {
    const { ahead } = this.#subscriptions
    const before = entry.tree
    entry.tree = tree
    entry.isWaiting = tree !== undefined && entry.sent?.kind === 'pending'
    if (ahead.size > 0) ahead.delete(entry)
    if (tree !== before && before !== undefined) this.#subscriptions.releaseLeaves(before, false)
  }

  /** Notes a content that the client has refused as sent. */
  #isRefused(entry: AnyEntry, content: Content): boolean {
    const refused = this.#refusals?.get(entry)
    if (refused === undefined) return false
    if (refused === hashOf(content)) {
      entry.noteSent(this.#now)
      return true
    }
    this.#refusals?.delete(entry)
    return false
  }

  get #now(): number {
    return this.#context.push.queue.now
  }
}

/** The tree whose leaves the stream goes on sending: while nothing better is known, the client keeps the old one. */
function treeToFollow(state: State<BoundTree>, content: Content, before: BoundTree | undefined): BoundTree | undefined {
  if (state.kind === 'ok') return isFailure(content) ? undefined : state.value
  return isFinal(state) ? undefined : before
}

function encodeResource(entry: AnyEntry): Uint8Array {
  if (entry instanceof ReplicaEntry) return encodeIdField(entry.id)
  return new ByteWriter().uint32(tagOf(1, 0)).uint32(entry.key).finish()
}

function encodeStaleField(stale: Stale | undefined): Uint8Array {
  return stale === undefined ? new Uint8Array() : encodeStale(stale)
}
