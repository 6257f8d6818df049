// One line of a watch, decoded: the change of one object, a bookmark, or the server's word that the watch is over.
import { isRecord } from './answer.ts'

/** Name and version of an object, and the object as it came. */
export interface RawObject {
  /** `namespace/name`; only the name where there are no namespaces. */
  readonly key: string
  readonly version: string
  readonly object: unknown
}

export type WatchEvent =
  | { readonly kind: 'put'; readonly raw: RawObject }
  | { readonly kind: 'removed'; readonly raw: RawObject }
  | { readonly kind: 'bookmark'; readonly version: string }

/** What came is not what the protocol has, or it is the server's ERROR: what is held must be listed anew. */
export class WatchBrokenError extends Error {
  override readonly name = 'WatchBrokenError'
}

/** Throws WatchBrokenError for all but the four events that change something. */
export function decodeWatchEvent(line: Buffer): WatchEvent {
  const event = parseJson(line)
  if (!isRecord(event)) throw new WatchBrokenError('a line of a watch is not an object')
  const { type, object } = event
  switch (type) {
    case 'ADDED':
    case 'MODIFIED':
      return { kind: 'put', raw: decodeRawObject(object) }
    case 'DELETED':
      return { kind: 'removed', raw: decodeRawObject(object) }
    case 'BOOKMARK':
      return { kind: 'bookmark', version: decodeVersion(object) }
    case 'ERROR':
      throw new WatchBrokenError(`the server ended the watch: ${showStatus(object)}`)
    default:
      throw new WatchBrokenError(`a watch event of unknown type ${JSON.stringify(type)}`)
  }
}

/** Throws WatchBrokenError when it has no name or version. */
export function decodeRawObject(object: unknown): RawObject {
  const { name, namespace, resourceVersion } = metadataOf(object)
  if (typeof name !== 'string' || typeof resourceVersion !== 'string') {
    throw new WatchBrokenError('an object without name or resourceVersion')
  }
  return { key: typeof namespace === 'string' ? `${namespace}/${name}` : name, version: resourceVersion, object }
}

/** The resourceVersion of a list or bookmark. */
export function decodeVersion(object: unknown): string {
  const { resourceVersion } = metadataOf(object)
  if (typeof resourceVersion !== 'string') throw new WatchBrokenError('an answer without resourceVersion')
  return resourceVersion
}

/** Throws WatchBrokenError for what is not JSON. */
export function parseJson(bytes: Buffer): unknown {
  try {
    return JSON.parse(bytes.toString('utf8'))
  } catch (cause) {
    throw new WatchBrokenError('what came is not JSON, or only half of it', { cause })
  }
}

export function metadataOf(object: unknown): Record<string, unknown> {
  const metadata = isRecord(object) ? object.metadata : undefined
  if (!isRecord(metadata)) throw new WatchBrokenError('an object without metadata')
  return metadata
}

function showStatus(object: unknown): string {
  if (!isRecord(object)) return 'no reason given'
  return [object.code, object.reason, object.message].filter(part => part !== undefined).join(' ')
}
