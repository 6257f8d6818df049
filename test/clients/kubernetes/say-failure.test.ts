import { describe, expect, it } from 'vitest'
import { KubernetesStatusError } from '../../../clients/kubernetes/cluster.ts'
import { cureOf, sayFailure } from '../../../clients/kubernetes/say-failure.ts'

const thrown = (facts: object, message = 'as Node has it'): Error => Object.assign(new Error(message), facts)

describe('a request that failed', () => {
  it.each<[string, Error, RegExp]>([
    [
      'nobody listens',
      thrown({ code: 'ECONNREFUSED', address: '127.0.0.1', port: 8001 }),
      /at 127\.0\.0\.1:8001 .*kubectl proxy/,
    ],
    ['a name is unknown', thrown({ code: 'EAI_AGAIN', hostname: 'api.test' }), /host api\.test is not found .*DNS/],
    [
      'a plugin is missing',
      thrown({ code: 'ENOENT', syscall: 'spawn aws', path: 'aws' }),
      /plugin aws .*not installed/,
    ],
    ['the port has no TLS', thrown({ code: 'EPROTO' }, 'SSL routines:x:wrong version number:y'), /does not speak TLS/],
    ['the authority is another', thrown({ code: 'UNABLE_TO_VERIFY_LEAF_SIGNATURE' }), /correct certificate-authority/],
    ['the certificate is another', thrown({ code: 'ERR_TLS_CERT_ALTNAME_INVALID' }), /another host: as Node has it/],
    ['the certificate is old', thrown({ code: 'CERT_HAS_EXPIRED' }), /has expired/],
  ])('says what to do when %s', (_what, error, said) => {
    expect(sayFailure(error).message).toMatch(said)
    expect(sayFailure(error).cause).toBe(error)
  })

  it('on all addresses of a host is told of by the first', () => {
    const both = new AggregateError([thrown({ code: 'ECONNREFUSED', address: '::1', port: 1 })], '')
    expect(sayFailure(both).message).toContain('no API server listens at ::1:1')
  })

  it('stays as it is when nothing better is known, or when it has a status', () => {
    const status = new KubernetesStatusError('403', 403)
    expect(sayFailure(status)).toBe(status)
    const other = thrown({ code: 'ECONNRESET' })
    expect(sayFailure(other)).toBe(other)
  })

  it.each([
    [400, 'Client sent an HTTP request to an HTTPS server.', /speaks TLS/],
    [401, '', /expired/],
    [403, '', /grant get, list and watch/],
    [500, '', /^$/],
  ])('with status %i has the cure for it', (status, text, cure) => {
    expect(cureOf(status, text)).toMatch(cure)
  })
})
