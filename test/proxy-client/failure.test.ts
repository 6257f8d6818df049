import { describe, expect, it } from 'vitest'
import { answerOf, badRequest, badUpstream, noUpstream, tooLate } from '../../proxy-client/failure.ts'

function headerOf(headers: readonly string[], name: string): string | undefined {
  const at = headers.indexOf(name)
  return at < 0 ? undefined : headers[at + 1]
}

describe('an answer of the proxy itself', () => {
  it('names stage, service, namespace and dtab in its body', () => {
    const { status, body } = answerOf(noUpstream('bind', 'nothing there'), {
      service: '/svc/web',
      namespace: 'default',
      dtab: '/a=>/b',
    })
    expect(status).toBe(502)
    expect(body).toBe(
      'nothing there\nstage: bind\nservice: /svc/web\nnamespace: default\ndtab of this request: /a=>/b\n',
    )
  })

  it('says in l5d-err, URL-encoded, what is wrong', () => {
    const { headers } = answerOf(badRequest('dtab', 'bad: é\r\n'))
    expect(decodeURIComponent(headerOf(headers, 'l5d-err') ?? '')).toBe('dtab: bad: é\r\n')
  })

  it('bears broken text and cuts long text', () => {
    const { headers } = answerOf(badRequest('dtab', `\ud800${'x'.repeat(100_000)}`))
    expect(headerOf(headers, 'l5d-err')?.length).toBeLessThan(1100)
  })

  it('is marked as retryable only when nothing was sent and the request itself was good', () => {
    expect(headerOf(answerOf(noUpstream('connect', '')).headers, 'l5d-retryable')).toBe('true')
    expect(headerOf(answerOf(tooLate('bind', '')).headers, 'l5d-retryable')).toBe('true')
    expect(headerOf(answerOf(badUpstream('response', '')).headers, 'l5d-retryable')).toBeUndefined()
    expect(headerOf(answerOf(badRequest('dtab', '')).headers, 'l5d-retryable')).toBeUndefined()
  })
})
