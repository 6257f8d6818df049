// A bare Watch stream that numbers its messages, confirms what comes and says what it holds when asked; a test decides which
// messages of either direction are lost.
import { Client, type ClientDuplexStream, credentials, Metadata, type StatusObject } from '@grpc/grpc-js'
import type { BoundTree } from '../../../naming/bound-tree.ts'
import { showPath } from '../../../naming/path.ts'
import { eachLeaf } from '../../../naming/tree-leaves.ts'
import { ContentDigest, noUpdate, resourceMark, updateMark } from '../../../proto/content-digest.ts'
import { namingService } from '../../../proto/naming-service.ts'
import { decodeUpdate, type ReceivedUpdate, type WireHash } from '../../../proto/updates.ts'
import { type RequestPart, WatchRequestWriter, type WireResource } from '../../../proto/watch-requests.ts'
import { decodeWatchResponse, PieceCollector, type ReceivedResponse } from '../../../proto/watch-responses.ts'
import { path } from '../../fakes/interpreter.fake.ts'

interface Told {
  readonly resource: WireResource
  readonly hash: WireHash
  readonly isStale: boolean
  readonly state: ReceivedUpdate['state']
  /** The last tree of a name. */
  readonly tree: BoundTree | undefined
}

export class CountingStream {
  readonly messages: (ReceivedResponse & { readonly bytes: number })[] = []
  /** The last update of each resource, by its text. */
  readonly told = new Map<string, Told>()
  readonly keys = new Map<number, string>()
  /** Whether each message is confirmed at once, and questions are answered. */
  confirms = true
  /** What is lost on the way here, and on the way there. */
  losesMessage: (message: ReceivedResponse) => boolean = () => false
  losesRequest: (sequence: number) => boolean = () => false
  /** How the stream has ended. */
  ended: StatusObject | undefined
  readonly #client: Client
  readonly #stream: ClientDuplexStream<Uint8Array, Buffer>
  readonly #pieces = new PieceCollector()
  #sequence = 0
  #received = 0
  #nextKey = 1

  constructor(address: string) {
    const { path: method, requestSerialize, responseDeserialize } = namingService.Watch
    this.#client = new Client(address, credentials.createInsecure())
    this.#stream = this.#client.makeBidiStreamRequest<Uint8Array, Buffer>(
      method,
      requestSerialize,
      responseDeserialize,
      new Metadata(),
    )
    this.#stream.on('data', (bytes: Buffer) => this.#receive(bytes))
    this.#stream.on('error', () => {})
    this.#stream.on('status', status => {
      this.ended = status
    })
  }

  /** Subscribes to names of `default`; gives the keys. */
  subscribe(...names: readonly string[]): readonly number[] {
    const keys = names.map(name => {
      this.keys.set(this.#nextKey, name)
      return this.#nextKey++
    })
    this.send(...keys.map(key => this.#subscription(key)))
    return keys
  }

  unsubscribe(key: number): void {
    this.keys.delete(key)
    this.told.delete(textOf(key))
    this.send({ kind: 'unsubscribe', keys: [key] })
  }

  send(...parts: readonly RequestPart[]): void {
    const writer = new WatchRequestWriter()
    for (const part of parts) writer.add(part)
    const bytes = writer.finish(++this.#sequence)
    if (!this.losesRequest(this.#sequence)) this.#stream.write(bytes)
  }

  /** Says that all has come and is in use, with this digest. */
  confirm(digest = this.digest, received = this.#received): void {
    this.send({ kind: 'ack', received, applied: received, digest })
  }

  get digest(): number {
    const digest = new ContentDigest()
    for (const { resource, hash, isStale } of this.#held())
      digest.change(resourceMark(resource), noUpdate, updateMark(hash, isStale))
    return digest.value
  }

  /** The state last told of a name by its key, or of an id by its text. */
  state(resource: number | string): ReceivedUpdate['state'] | undefined {
    return this.told.get(`${resource}`)?.state
  }

  close(): void {
    this.#stream.cancel()
    this.#client.close()
  }

  #subscription(key: number): RequestPart {
    const name = { namespace: 'default', path: path(this.keys.get(key) ?? ''), dtab: '' }
    return { kind: 'subscribe', key, name, hash: '' }
  }

  #receive(bytes: Buffer): void {
    const message = decodeWatchResponse(bytes)
    if (this.losesMessage(message) || message.sequence <= this.#received) return
    this.messages.push({ ...message, bytes: bytes.length })
    this.#received = message.sequence
    const whole = message.piece && this.#pieces.add(message.piece, message.sequence)
    for (const update of [...(whole === undefined ? [] : [decodeUpdate(whole)]), ...message.updates]) this.#take(update)
    for (const key of message.unknownKeys) this.told.delete(textOf(key))
    if (message.unknownKeys.length > 0) this.send(...message.unknownKeys.map(key => this.#subscription(key)))
    for (const id of message.unknownIds) this.told.delete(textOf(id))
    if (!this.confirms) return
    this.confirm()
    if (message.wantsHeld) this.tellHeld()
  }

  tellHeld(): void {
    const untold = [...this.keys.keys()].filter(key => !this.told.has(textOf(key)))
    this.send(
      ...[...this.#held()].map(
        ({ resource, hash, isStale }): RequestPart => ({ kind: 'held', resource, hash, isStale }),
      ),
      ...untold.map((resource): RequestPart => ({ kind: 'held', resource, hash: '', isStale: false })),
      { kind: 'held-is-whole' },
    )
  }

  #take(update: ReceivedUpdate): void {
    const resource = update.kind === 'tree' ? update.key : update.id
    const { hash, state } = update
    const isStale = 'stale' in state && state.stale !== undefined
    const before = this.told.get(textOf(resource))
    if (state.kind === 'same' && before?.hash !== hash) return
    const tree = state.kind === 'ok' && update.kind === 'tree' ? update.state : undefined
    this.told.set(textOf(resource), {
      resource,
      hash,
      isStale,
      state,
      tree: tree?.kind === 'ok' ? tree.value : before?.tree,
    })
  }

  /** What counts: the names, and the leaves of their trees. */
  *#held(): Iterable<Told> {
    const leaves = new Set<string>()
    for (const key of this.keys.keys()) {
      const told = this.told.get(textOf(key))
      if (told === undefined) continue
      yield told
      if (told.tree !== undefined) eachLeaf(told.tree, ({ id }) => leaves.add(showPath(id)))
    }
    for (const leaf of leaves) {
      const told = this.told.get(leaf)
      if (told !== undefined) yield told
    }
  }
}

function textOf(resource: WireResource): string {
  return typeof resource === 'number' ? `${resource}` : showPath(resource)
}
