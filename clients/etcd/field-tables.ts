// The messages of etcd's v3 API that are used here: names, types and numbers of their fields, as data. What is left out of a
// message is skipped when it comes. (https://etcd.io/docs/v3.6/dev-guide/api_reference_v3/)
import type { INamespace, IType } from 'protobufjs'

/** `field: 'type number'`, or `'repeated type number'`. */
function message(fields: Readonly<Record<string, string>>): IType {
  const table: IType['fields'] = {}
  for (const [name, text] of Object.entries(fields)) {
    const words = text.split(' ')
    const [id, type = ''] = [Number(words.at(-1)), words.at(-2)]
    table[name] = words.length === 3 ? { rule: 'repeated', type, id } : { type, id }
  }
  return { fields: table }
}

/** A message of which one field at most is set. */
function union(
  name: string,
  fields: Readonly<Record<string, string>>,
  others: Readonly<Record<string, string>> = {},
): IType {
  return { ...message({ ...others, ...fields }), oneofs: { [name]: { oneof: Object.keys(fields) } } }
}

/** For protobufjs' Root.fromJSON. Enums stand as the numbers that they are on the wire. */
export const etcdFieldTables: INamespace = {
  nested: {
    ResponseHeader: message({ clusterId: 'uint64 1', revision: 'int64 3', raftTerm: 'uint64 4' }),
    KeyValue: message({ key: 'bytes 1', modRevision: 'int64 3', value: 'bytes 5' }),
    RangeRequest: message({
      key: 'bytes 1',
      rangeEnd: 'bytes 2',
      limit: 'int64 3',
      revision: 'int64 4',
      sortOrder: 'int32 5',
      sortTarget: 'int32 6',
      keysOnly: 'bool 8',
    }),
    RangeResponse: message({ header: 'ResponseHeader 1', kvs: 'repeated KeyValue 2', more: 'bool 3' }),
    PutRequest: message({ key: 'bytes 1', value: 'bytes 2', lease: 'int64 3' }),
    PutResponse: message({ header: 'ResponseHeader 1' }),
    DeleteRangeRequest: message({ key: 'bytes 1', rangeEnd: 'bytes 2' }),
    DeleteRangeResponse: message({ header: 'ResponseHeader 1' }),
    Compare: union(
      'targetUnion',
      { modRevision: 'int64 6', lease: 'int64 8' },
      { result: 'int32 1', target: 'int32 2', key: 'bytes 3' },
    ),
    RequestOp: union('request', {
      requestRange: 'RangeRequest 1',
      requestPut: 'PutRequest 2',
      requestDeleteRange: 'DeleteRangeRequest 3',
      requestTxn: 'TxnRequest 4',
    }),
    ResponseOp: union('response', {
      responseRange: 'RangeResponse 1',
      responsePut: 'PutResponse 2',
      responseDeleteRange: 'DeleteRangeResponse 3',
      responseTxn: 'TxnResponse 4',
    }),
    TxnRequest: message({
      compare: 'repeated Compare 1',
      success: 'repeated RequestOp 2',
      failure: 'repeated RequestOp 3',
    }),
    TxnResponse: message({ header: 'ResponseHeader 1', succeeded: 'bool 2', responses: 'repeated ResponseOp 3' }),
    WatchCreateRequest: message({
      key: 'bytes 1',
      rangeEnd: 'bytes 2',
      startRevision: 'int64 3',
      fragment: 'bool 8',
    }),
    WatchProgressRequest: message({}),
    WatchRequest: union('requestUnion', {
      createRequest: 'WatchCreateRequest 1',
      progressRequest: 'WatchProgressRequest 3',
    }),
    Event: message({ type: 'int32 1', kv: 'KeyValue 2' }),
    WatchResponse: message({
      header: 'ResponseHeader 1',
      created: 'bool 3',
      canceled: 'bool 4',
      compactRevision: 'int64 5',
      cancelReason: 'string 6',
      fragment: 'bool 7',
      events: 'repeated Event 11',
    }),
    LeaseGrantRequest: message({ TTL: 'int64 1' }),
    LeaseGrantResponse: message({ ID: 'int64 2', error: 'string 4' }),
    LeaseRevokeRequest: message({ ID: 'int64 1' }),
    LeaseRevokeResponse: message({ header: 'ResponseHeader 1' }),
    LeaseKeepAliveRequest: message({ ID: 'int64 1' }),
    LeaseKeepAliveResponse: message({ ID: 'int64 2', TTL: 'int64 3' }),
    AuthenticateRequest: message({ name: 'string 1', password: 'string 2' }),
    AuthenticateResponse: message({ token: 'string 2' }),
  },
}
