import { describe, expect, it } from 'vitest'
import { classifierConfig } from '../../../proxy-client/classifier/classifier-config.ts'
import { classifierFor } from '../../../proxy-client/classifier/http-classifiers.ts'

const methods = ['GET', 'HEAD', 'OPTIONS', 'TRACE', 'PUT', 'DELETE', 'POST', 'PATCH', 'get']

/** Which of the methods a classifier would try again after a 503. */
function retried(kind: string, isRetryableUpstream = false): readonly string[] {
  const classify = classifierFor(classifierConfig.parse({ kind: `io.l5d.http.${kind}` }))
  return methods.filter(method => classify(method, 503, isRetryableUpstream) === 'retryableFailure')
}

describe('a response classifier', () => {
  it.each([
    ['nonRetryable5XX', []],
    ['retryableRead5XX', ['GET', 'HEAD', 'OPTIONS', 'TRACE']],
    ['retryableIdempotent5XX', ['GET', 'HEAD', 'OPTIONS', 'TRACE', 'PUT', 'DELETE']],
    ['retryableAll5XX', methods],
    ['allSuccessful', []],
  ])('%s tries these again: %j', (kind, expected) => {
    expect(retried(kind)).toEqual(expected)
  })

  it.each(['nonRetryable5XX', 'retryableRead5XX', 'retryableIdempotent5XX', 'retryableAll5XX'])(
    '%s takes every 5xx and nothing else for a failure, and the word of the upstream that it may be tried again',
    kind => {
      const classify = classifierFor(classifierConfig.parse({ kind: `io.l5d.http.${kind}` }))
      expect([200, 302, 404, 429, 499].map(status => classify('GET', status, true))).toEqual(
        Array.from({ length: 5 }, () => 'success'),
      )
      for (const status of [500, 503, 599]) expect(classify('POST', status, false)).toMatch(/[fF]ailure$/)
      expect(retried(kind, true)).toEqual(methods)
    },
  )

  it('takes everything for a success when told so, whatever the upstream says', () => {
    const classify = classifierFor({ kind: 'io.l5d.http.allSuccessful' })
    expect(classify('GET', 500, true)).toBe('success')
  })
})
