// Ranges, transactions and their answers, from the contract's words to etcd's messages and back. Knows no connection.
import type {
  Comparison,
  EtcdEntry,
  EtcdMoment,
  Operation,
  OperationResult,
  RangeAnswer,
  RangeQuery,
  Timed,
  Transaction,
  TransactionAnswer,
} from './cluster.ts'

export interface HeaderMessage {
  readonly clusterId: string
  readonly revision: string
  readonly raftTerm: string
}

export interface KeyValueMessage {
  readonly key: Buffer
  readonly value: Buffer
  readonly modRevision: string
}

export interface RangeMessage {
  readonly header: HeaderMessage | null
  readonly kvs: readonly KeyValueMessage[]
  readonly more: boolean
}

interface ResultMessage {
  readonly responseRange?: RangeMessage
  readonly responsePut?: object
  readonly responseDeleteRange?: object
  readonly responseTxn?: TxnMessage
}

export interface TxnMessage {
  readonly header: HeaderMessage | null
  readonly succeeded: boolean
  readonly responses: readonly ResultMessage[]
}

/** Enum values of RangeRequest and Compare. */
const sortDescending = 2
const sortByKey = 0
const compareModRevision = 2
const compareLease = 4

/** The bytes of a key. */
export function bytesFromKey(key: string): Buffer {
  return Buffer.from(key, 'latin1')
}

export function momentFromHeader(header: HeaderMessage | null): EtcdMoment {
  if (header === null) throw new Error('an answer of etcd has no header')
  return { clusterId: header.clusterId, revision: Number(header.revision), term: Number(header.raftTerm) }
}

export function entryFromKeyValue({ key, value, modRevision }: KeyValueMessage): EtcdEntry {
  return { key: key.toString('latin1'), value, modRevision: Number(modRevision) }
}

export function rangeRequest({ key, end, limit, revision, keysOnly, order }: RangeQuery): object {
  return {
    key: bytesFromKey(key),
    ...(end !== undefined && { rangeEnd: bytesFromKey(end) }),
    ...(limit !== undefined && { limit }),
    ...(revision !== undefined && { revision }),
    ...(keysOnly === true && { keysOnly }),
    ...(order !== undefined && { sortOrder: sortDescending, sortTarget: sortByKey }),
  }
}

export function rangeAnswer(message: RangeMessage): Timed<RangeAnswer> {
  return { ...rangeFromMessage(message), at: momentFromHeader(message.header) }
}

function rangeFromMessage({ kvs, more }: RangeMessage): RangeAnswer {
  return { entries: kvs.map(entryFromKeyValue), more }
}

export function txnRequest({ compare, success, failure = [] }: Transaction): object {
  return {
    compare: compare.map(comparison),
    success: success.map(operation),
    failure: failure.map(operation),
  }
}

function comparison(wanted: Comparison): object {
  const key = bytesFromKey(wanted.key)
  if (wanted.kind === 'leased-to') return { target: compareLease, key, lease: wanted.lease }
  return { target: compareModRevision, key, modRevision: wanted.revision }
}

function operation(wanted: Operation): object {
  if (wanted.kind === 'range') return { requestRange: rangeRequest(wanted) }
  if (wanted.kind === 'txn') return { requestTxn: txnRequest(wanted.txn) }
  const key = bytesFromKey(wanted.key)
  if (wanted.kind === 'delete')
    return { requestDeleteRange: { key, ...(wanted.end !== undefined && { rangeEnd: bytesFromKey(wanted.end) }) } }
  return { requestPut: { key, value: wanted.value, ...(wanted.lease !== undefined && { lease: wanted.lease }) } }
}

export function txnAnswer(message: TxnMessage): Timed<TransactionAnswer> {
  return { ...txnFromMessage(message), at: momentFromHeader(message.header) }
}

function txnFromMessage({ succeeded, responses }: TxnMessage): TransactionAnswer {
  return { succeeded, results: responses.map(resultFromMessage) }
}

function resultFromMessage(message: ResultMessage): OperationResult {
  if (message.responseRange !== undefined) return { kind: 'range', ...rangeFromMessage(message.responseRange) }
  if (message.responseTxn !== undefined) return { kind: 'txn', ...txnFromMessage(message.responseTxn) }
  return { kind: message.responsePut === undefined ? 'delete' : 'put' }
}
