// How Consul writes keys and transactions as JSON. Values are base64 there, so that any bytes pass.
import { ConsulError } from './consul-error.ts'
import type { KvEntry, KvOperation } from './kv.ts'

type Fields = Readonly<Record<string, unknown>>

export function encodeOperation(operation: KvOperation): Fields {
  const { kind, key } = operation
  switch (kind) {
    case 'set':
      return step(kind, key, { Value: base64(operation.value), Flags: operation.flags ?? 0 })
    case 'cas':
      return step(kind, key, {
        Value: base64(operation.value),
        Index: operation.index,
        Flags: operation.flags ?? 0,
      })
    case 'delete-cas':
      return step(kind, key, { Index: operation.index })
    case 'lock':
      return step(kind, key, { Value: base64(operation.value), Session: operation.session })
    case 'check-absent':
      return step('check-not-exists', key, {})
    default:
      return step(kind, key, {})
  }
}

/** A read that is no failure when the key is not there. */
export function encodeRead(key: string): Fields {
  return step('get-or-empty', key, {})
}

export function encodeCheck(key: string, index: number): Fields {
  return step('check-index', key, { Index: index })
}

function step(verb: string, key: string, more: Fields): Fields {
  return { KV: { Verb: verb, Key: key, ...more } }
}

function base64(value: Uint8Array): string {
  return Buffer.from(value.buffer, value.byteOffset, value.byteLength).toString('base64')
}

/** What a transaction answers: its entries, or where and why it was refused. */
export interface TransactionAnswer {
  readonly entries: readonly KvEntry[]
  readonly errors: readonly { readonly place: number; readonly reason: string }[]
}

export function decodeTransaction(body: unknown): TransactionAnswer {
  const answer = fieldsOf(body)
  return {
    entries: listOf(answer.Results).map(result => decodeEntry(fieldsOf(result).KV)),
    errors: listOf(answer.Errors).map(error => {
      const { OpIndex: place, What: reason } = fieldsOf(error)
      if (typeof place === 'number' && typeof reason === 'string') return { place, reason }
      throw malformed('an error of a transaction')
    }),
  }
}

/** The entries of a list of keys with their values, one by one, so that a long list can be decoded over several turns. */
export function* decodeEntries(body: unknown): Generator<KvEntry, void> {
  for (const entry of listOf(body)) yield decodeEntry(entry)
}

/** A list of names of keys. */
export function decodeKeys(body: unknown): readonly string[] {
  return listOf(body).map(key => {
    if (typeof key === 'string') return key
    throw malformed('a list of keys')
  })
}

function decodeEntry(body: unknown): KvEntry {
  const { Key: key, Value: value, Flags: flags, ModifyIndex: modifyIndex, Session: session } = fieldsOf(body)
  if (typeof key !== 'string' || typeof flags !== 'number' || typeof modifyIndex !== 'number') throw malformed('a key')
  if (value !== null && typeof value !== 'string') throw malformed('the value of a key')
  return {
    key,
    // Decoded when it is looked at: of ten thousand entries mostly one has changed.
    get value() {
      return value === null ? new Uint8Array() : Buffer.from(value, 'base64')
    },
    flags,
    modifyIndex,
    ...(typeof session === 'string' && session !== '' && { session }),
  }
}

/** The id in the answer to a session's creation. */
export function decodeSessionId(body: unknown): string {
  const { ID: id } = fieldsOf(body)
  if (typeof id === 'string' && id !== '') return id
  throw malformed('the id of a session')
}

function fieldsOf(value: unknown): Fields {
  if (isFields(value)) return value
  throw malformed('an object')
}

function isFields(value: unknown): value is Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/** Go writes an empty list as null. */
function listOf(value: unknown): readonly unknown[] {
  if (value === null || value === undefined) return []
  if (Array.isArray(value)) return value
  throw malformed('a list')
}

function malformed(what: string): ConsulError {
  return new ConsulError('malformed', `Consul's answer is malformed: ${what} was expected`)
}
