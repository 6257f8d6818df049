import { status } from '@grpc/grpc-js'
import { describe, expect, it } from 'vitest'
import { EtcdError, etcdError } from '../../../clients/etcd/etcd-error.ts'

const said = (code: number, details: string): Error =>
  Object.assign(new Error(`${code}: ${details}`), { code, details })

describe('what etcd says', () => {
  it.each([
    [status.RESOURCE_EXHAUSTED, 'etcdserver: mvcc: database space exceeded', 'full', /alarm disarm/],
    [status.INVALID_ARGUMENT, 'etcdserver: request is too large', 'too-large', /max-request-bytes/],
    [status.RESOURCE_EXHAUSTED, 'grpc: received message larger than max', 'too-large', /max-request-bytes/],
    [status.UNAVAILABLE, 'etcdserver: no leader', 'no-leader', /start its other members/],
    [
      status.UNAVAILABLE,
      'etcdserver: request timed out, possibly due to previous leader failure',
      'no-leader',
      /members/,
    ],
    [status.UNAVAILABLE, 'etcdserver: request timed out', 'timeout', /disk/],
    [
      status.UNAVAILABLE,
      'No connection established. Last error: connect ECONNREFUSED 127.0.0.1:1',
      'unreachable',
      /host and port/,
    ],
    [status.UNAVAILABLE, 'Name resolution failed for target dns:nowhere', 'unreachable', /host is not found/],
    [status.UNAVAILABLE, 'self-signed certificate', 'unreachable', /correct tls/],
    [status.UNAVAILABLE, 'read ECONNRESET', 'unreachable', /speaks TLS/],
    [status.INVALID_ARGUMENT, 'etcdserver: user name is empty', 'denied', /username and password/],
    [
      status.INVALID_ARGUMENT,
      'etcdserver: authentication failed, invalid user ID or password',
      'login',
      /correct username/,
    ],
    [status.FAILED_PRECONDITION, 'etcdserver: authentication is not enabled', 'login', /delete username/],
    [status.PERMISSION_DENIED, 'etcdserver: permission denied', 'denied', /grant-permission/],
    [status.OUT_OF_RANGE, 'etcdserver: mvcc: required revision has been compacted', 'compacted', /anew/],
    [status.UNIMPLEMENTED, 'unknown service etcdserverpb.KV', 'status', /v3 API/],
    [status.INTERNAL, 'Received RST_STREAM with code 2 (Internal server error)', 'unreachable', /look whether it runs/],
    [status.FAILED_PRECONDITION, 'etcdserver: rpc not supported for learner', 'unreachable', /voting member/],
    [status.UNKNOWN, 'something else', 'status', /something else/],
  ])('is told with its cure: %i %s', (code, details, reason, cure) => {
    const error = etcdError(said(code, details), 'etcd-1:2379')
    expect(error.reason).toBe(reason)
    expect(error.message).toMatch(cure)
  })

  it('of a connection is told without the words around it', () => {
    const details = 'No connection established. Last error: Error: connect ECONNREFUSED 127.0.0.1:1. Resolution note: '
    expect(etcdError(said(status.UNAVAILABLE, details), 'etcd-1:2379').message).toBe(
      'etcd at etcd-1:2379 cannot be reached (connect ECONNREFUSED 127.0.0.1:1): start it, or correct host and port',
    )
  })

  it('is left as it is when it was told already', () => {
    const error = new EtcdError('silent', 'nothing moves')
    expect(etcdError(error, 'etcd-1:2379')).toBe(error)
    expect(error.isPassing).toBe(false)
  })
})
