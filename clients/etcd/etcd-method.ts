// The calls of etcd's API that are made here: path, request and answer. Knows no connection.
import type { RangeAnswer, RangeQuery, Timed, Transaction, TransactionAnswer } from './cluster.ts'
import { type RangeMessage, rangeAnswer, rangeRequest, type TxnMessage, txnAnswer, txnRequest } from './kv-messages.ts'
import { decoder, encoder } from './wire.ts'

/** One call with one request and one answer. */
export interface EtcdMethod<Q, A> {
  readonly path: string
  encode(request: Q): Buffer
  /** Throws when the bytes are no answer. */
  decode(bytes: Buffer): A
}

function method<Q, A, M extends object>(
  path: string,
  request: { readonly message: string; readonly from: (query: Q) => object },
  answer: { readonly message: string; readonly from: (message: M) => A },
): EtcdMethod<Q, A> {
  const encode = encoder(request.message)
  const decode = decoder<M>(answer.message)
  return {
    path: `/etcdserverpb.${path}`,
    encode: query => encode(request.from(query)),
    decode: bytes => answer.from(decode(bytes)),
  }
}

export const rangeMethod: EtcdMethod<RangeQuery, Timed<RangeAnswer>> = method(
  'KV/Range',
  { message: 'RangeRequest', from: rangeRequest },
  { message: 'RangeResponse', from: (message: RangeMessage) => rangeAnswer(message) },
)

export const txnMethod: EtcdMethod<Transaction, Timed<TransactionAnswer>> = method(
  'KV/Txn',
  { message: 'TxnRequest', from: txnRequest },
  { message: 'TxnResponse', from: (message: TxnMessage) => txnAnswer(message) },
)

/** From seconds to the lease's id. */
export const leaseGrantMethod: EtcdMethod<number, string> = method(
  'Lease/LeaseGrant',
  { message: 'LeaseGrantRequest', from: (seconds: number) => ({ TTL: seconds }) },
  {
    message: 'LeaseGrantResponse',
    from: ({ ID, error }: { readonly ID: string; readonly error: string }) => {
      if (error !== '') throw new Error(`etcd grants no lease: ${error}`)
      return ID
    },
  },
)

export const leaseRevokeMethod: EtcdMethod<string, true> = method(
  'Lease/LeaseRevoke',
  { message: 'LeaseRevokeRequest', from: (ID: string) => ({ ID }) },
  { message: 'LeaseRevokeResponse', from: () => true },
)

/** A stream by its name; with one request it is a call like the others. Gives the seconds that are left, 0 when it has run out. */
export const leaseKeepAliveMethod: EtcdMethod<string, number> = method(
  'Lease/LeaseKeepAlive',
  { message: 'LeaseKeepAliveRequest', from: (ID: string) => ({ ID }) },
  { message: 'LeaseKeepAliveResponse', from: ({ TTL }: { readonly TTL: string }) => Number(TTL) },
)

/** From name and password to a token. */
export const authenticateMethod: EtcdMethod<{ readonly name: string; readonly password: string }, string> = method(
  'Auth/Authenticate',
  { message: 'AuthenticateRequest', from: (login: { readonly name: string; readonly password: string }) => login },
  { message: 'AuthenticateResponse', from: ({ token }: { readonly token: string }) => token },
)
