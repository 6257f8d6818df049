// What is said on a watch's stream, both ways. Knows no connection.
import type { EtcdEvent, EtcdMoment, FollowedRange } from './cluster.ts'
import {
  bytesFromKey,
  entryFromKeyValue,
  type HeaderMessage,
  type KeyValueMessage,
  momentFromHeader,
} from './kv-messages.ts'
import { decoder, encoder } from './wire.ts'

export type WatchRequest =
  | { readonly kind: 'create'; readonly range: FollowedRange; readonly startRevision: number }
  | { readonly kind: 'ask-progress' }

/**
 * progress: all events up to the moment's revision were sent. events: `isPart` when the rest of the same revisions comes
 * in the next answer. cancelled: there will be no more; `isCompacted` when events in between are lost.
 */
export type WatchAnswer =
  | { readonly kind: 'created' }
  | { readonly kind: 'progress'; readonly at: EtcdMoment }
  | { readonly kind: 'events'; readonly events: readonly EtcdEvent[]; readonly isPart: boolean }
  | { readonly kind: 'cancelled'; readonly isCompacted: boolean; readonly reason: string }

interface WatchMessage {
  readonly header: HeaderMessage | null
  readonly created: boolean
  readonly canceled: boolean
  readonly compactRevision: string
  readonly cancelReason: string
  readonly fragment: boolean
  readonly events: readonly EventMessage[]
}

interface EventMessage {
  readonly type: number
  readonly kv: KeyValueMessage | null
}

const deletion = 1

const encode = encoder('WatchRequest')
const decode = decoder<WatchMessage>('WatchResponse')

export function encodeWatchRequest(request: WatchRequest): Buffer {
  if (request.kind === 'ask-progress') return encode({ progressRequest: {} })
  const { range, startRevision } = request
  const [key, rangeEnd] = [bytesFromKey(range.key), bytesFromKey(range.end)]
  return encode({ createRequest: { key, rangeEnd, startRevision, fragment: true } })
}

/** Throws when the bytes are no answer. */
export function decodeWatchAnswer(bytes: Buffer): WatchAnswer {
  const message = decode(bytes)
  if (message.canceled)
    return { kind: 'cancelled', isCompacted: message.compactRevision !== '0', reason: message.cancelReason }
  if (message.created) return { kind: 'created' }
  if (message.events.length > 0 || message.fragment)
    return { kind: 'events', events: message.events.map(eventFromMessage), isPart: message.fragment }
  return { kind: 'progress', at: momentFromHeader(message.header) }
}

function eventFromMessage({ type, kv }: EventMessage): EtcdEvent {
  if (kv === null) throw new Error('an event of etcd has no key')
  return { kind: type === deletion ? 'delete' : 'put', entry: entryFromKeyValue(kv) }
}
