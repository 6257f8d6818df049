// The rules every store applies to a write before it makes a version, so that all stores refuse the same things alike.
// Pure: knows no backend, no clock.
import { NamingError } from '../naming/errors.ts'
import type { Idempotency, Version, WriteRequest } from './store.ts'

/** How long an idempotency key answers with the version that it made, in milliseconds. */
export const idempotencyKeptMs = 24 * 60 * 60 * 1000

/** What an idempotency key stands for in a store. `time` is when it was first used, in ms since 1970. */
export interface KeyRecord {
  readonly fingerprint: string
  readonly version: number
  readonly time: number
}

/** Bytes of the text in UTF-8, which is what limits count; 0 for a tombstone. */
export function dtabBytes(text: string | undefined): number {
  return text === undefined ? 0 : Buffer.byteLength(text)
}

/** Why the request can never be stored here (size, characters); undefined when it can. Needs no head. */
export function refuseText(
  request: Pick<WriteRequest, 'namespace' | 'text'>,
  maxDtabBytes: number,
): NamingError | undefined {
  const { text, namespace } = request
  if (text === undefined) return undefined
  const used = dtabBytes(text)
  if (used > maxDtabBytes)
    return new NamingError(
      'dtab-too-large',
      `The dtab of '${namespace}' has ${used} bytes; this store holds at most ${maxDtabBytes}.`,
      { detail: { namespace, used, limit: maxDtabBytes } },
    )
  if (!text.isWellFormed())
    return new NamingError(
      'bad-dtab',
      `The dtab of '${namespace}' holds half a surrogate pair, which UTF-8 cannot say.`,
    )
  return undefined
}

/** Whether a namespace with this head exists: a tombstone does not. */
export function headExists(head: Version | undefined): boolean {
  return head?.text !== undefined
}

/** Why the head forbids the write; undefined when it may go on. Never having been counts as version 0. */
export function refuseHead(request: WriteRequest, head: Version | undefined): NamingError | undefined {
  const { namespace, expect, text } = request
  const exists = headExists(head)
  if (expect.kind === 'version' && !expect.versions.includes(head?.version ?? 0)) return mismatch(request, head)
  if (expect.kind === 'absent' && exists)
    return new NamingError('dtab-exists', `The namespace '${namespace}' exists already, at version ${head?.version}.`, {
      detail: { namespace, presentVersion: head?.version },
    })
  if (!exists && (expect.kind === 'present' || text === undefined))
    return new NamingError('dtab-not-found', `The namespace '${namespace}' does not exist.`, { detail: { namespace } })
  return undefined
}

function mismatch(request: WriteRequest, head: Version | undefined): NamingError {
  const { namespace } = request
  const presentVersion = head?.version ?? 0
  const what = head === undefined ? 'has no version' : `is at version ${presentVersion}, by ${head.meta.author}`
  return new NamingError('dtab-version-mismatch', `The dtab of '${namespace}' ${what}: not the one expected.`, {
    detail: {
      namespace,
      presentVersion,
      deleted: !headExists(head),
      ...(head && { author: head.meta.author, time: head.meta.time }),
    },
  })
}

/** What a known key means now: the version to answer with, an error, or undefined when the key is new or has run out. */
export function recallKey(
  namespace: string,
  { key, fingerprint }: Idempotency,
  known: KeyRecord | undefined,
  now: number,
): number | NamingError | undefined {
  if (known === undefined || now - known.time >= idempotencyKeptMs) return undefined
  if (known.fingerprint === fingerprint) return known.version
  return new NamingError(
    'idempotency-key-reused',
    `The Idempotency-Key '${key}' made version ${known.version} of '${namespace}' for another request.`,
    { detail: { namespace, version: known.version } },
  )
}

/** A key whose version was forgotten since: nothing can be answered with, and writing again might undo what came after. */
export function keyOutlivedVersion(namespace: string, { key }: Idempotency, version: number): NamingError {
  return new NamingError(
    'version-not-found',
    `The Idempotency-Key '${key}' made version ${version} of '${namespace}', which is kept no longer.`,
    { detail: { namespace, version } },
  )
}

/** The version that the request makes on top of this head at `time`, ms since 1970. */
export function nextVersion(request: WriteRequest, head: Version | undefined, time: number): Version {
  const { namespace, text, author, verified, message, idempotency, address } = request
  const parent = head?.version ?? 0
  const key = idempotency === undefined ? {} : { idempotencyKey: idempotency.key }
  return {
    namespace,
    version: parent + 1,
    ...(text !== undefined && { text }),
    meta: { author, verified, message, time, parent, ...key, ...(address !== undefined && { address }) },
  }
}
