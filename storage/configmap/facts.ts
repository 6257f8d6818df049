// What is known of a version beside its text, as labels and annotations of a ConfigMap. Both heads and versions carry it.
import { createHash } from 'node:crypto'
import type { HeadRecord } from '../shared/shared-backend.ts'
import type { Version, VersionMeta } from '../store.ts'
import { dtabBytes } from '../write-rules.ts'
import type { StoredObject } from './stored-object.ts'

const prefix = 'nameplane.io'

export const labels = {
  /**
   * `head`, `version`, `unused` for a version that never became a head, `key` for what stays of a dropped one, or `trace` for
   * what stays of a namespace whatever becomes of its head.
   */
  dtab: `${prefix}/dtab`,
  /** A hash of the namespace. */
  namespace: `${prefix}/namespace`,
  version: `${prefix}/version`,
  /** A hash of the idempotency key that made the version. */
  key: `${prefix}/key`,
  /** On Leases: `lease` or `presence`. */
  claim: `${prefix}/claim`,
} as const

export const annotations = {
  version: `${prefix}/version`,
  author: `${prefix}/author`,
  verified: `${prefix}/verified`,
  message: `${prefix}/message`,
  time: `${prefix}/time`,
  parent: `${prefix}/parent`,
  address: `${prefix}/address`,
  key: `${prefix}/idempotency-key`,
  deleted: `${prefix}/deleted`,
  bytes: `${prefix}/bytes`,
  hash: `${prefix}/sha256`,
  fingerprint: `${prefix}/fingerprint`,
  over: `${prefix}/over`,
  /** Of a version that was changed since: the resourceVersion it was made with. */
  made: `${prefix}/made`,
  /** Of a version: counts as a head that was, for good. */
  confirmed: `${prefix}/confirmed`,
} as const

/** `over` of a version that came in with a history from elsewhere. */
export const importedOver = 'import'

export interface Facts extends HeadRecord {
  /** SHA-256 of the text, in hexadecimal; of no text the empty one. */
  readonly hash: string
  /** Of the request that the idempotency key was used for. */
  readonly fingerprint?: string
  /** Only of a version: the head's resourceVersion when it was made, or `importedOver`. */
  readonly over?: string
}

type Annotations = Readonly<Record<string, string>>

export function textHash(text: string | Uint8Array | undefined): string {
  return text === undefined ? '' : createHash('sha256').update(text).digest('hex')
}

export function factsOf({ version, text, meta }: Version): Facts {
  return { version, meta, deleted: text === undefined, bytes: dtabBytes(text), hash: textHash(text) }
}

export function encodeFacts({ version, meta, deleted, bytes, hash, fingerprint, over }: Facts): Annotations {
  const { author, verified, message, time, parent, idempotencyKey, address } = meta
  return {
    [annotations.version]: String(version),
    [annotations.author]: author,
    [annotations.verified]: String(verified),
    [annotations.message]: message,
    [annotations.time]: String(time),
    [annotations.parent]: String(parent),
    [annotations.deleted]: String(deleted),
    [annotations.bytes]: String(bytes),
    [annotations.hash]: hash,
    ...(address !== undefined && { [annotations.address]: address }),
    ...(idempotencyKey !== undefined && { [annotations.key]: idempotencyKey }),
    ...(fingerprint !== undefined && { [annotations.fingerprint]: fingerprint }),
    ...(over !== undefined && { [annotations.over]: over }),
  }
}

/** As `encodeFacts`, with null for what is to go from an object that has older facts. */
export function replaceFacts(facts: Facts): Readonly<Record<string, string | null>> {
  const none = Object.fromEntries(Object.values(annotations).map(name => [name, null]))
  return { ...none, ...encodeFacts(facts) }
}

/** Undefined when they are not as we write them. */
export function decodeFacts({ annotations: found }: StoredObject): Facts | undefined {
  const version = numberFrom(found[annotations.version])
  const time = numberFrom(found[annotations.time])
  const parent = numberFrom(found[annotations.parent])
  const bytes = numberFrom(found[annotations.bytes])
  const author = found[annotations.author]
  if (version === undefined || time === undefined || parent === undefined || bytes === undefined) return undefined
  if (author === undefined) return undefined
  const idempotencyKey = found[annotations.key]
  const address = found[annotations.address]
  const fingerprint = found[annotations.fingerprint]
  const over = found[annotations.over]
  const meta: VersionMeta = {
    author,
    verified: found[annotations.verified] === 'true',
    message: found[annotations.message] ?? '',
    time,
    parent,
    ...(idempotencyKey !== undefined && { idempotencyKey }),
    ...(address !== undefined && { address }),
  }
  return {
    version,
    meta,
    deleted: found[annotations.deleted] === 'true',
    bytes,
    hash: found[annotations.hash] ?? '',
    ...(fingerprint !== undefined && { fingerprint }),
    ...(over !== undefined && { over }),
  }
}

function numberFrom(text: string | undefined): number | undefined {
  if (text === undefined || !/^[0-9]+(\.[0-9]+)?$/.test(text)) return undefined
  return Number(text)
}
