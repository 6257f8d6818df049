import { describe, expect, it } from 'vitest'
import { answerOf, badRequest, badUpstream, noRoom, noUpstream, outOfTime } from '../../proxy-client/failure.ts'

function headerOf(lines: string, name: string): string | undefined {
  return new RegExp(`^${name}: (.*)\r$`, 'm').exec(lines)?.[1]
}

describe('an answer of the proxy itself', () => {
  it('names stage, service, namespace, dtab, client and endpoints in its body', () => {
    const { status, reason, body } = answerOf(noUpstream('bind', 'nothing there'), 0, {
      service: '/svc/web',
      namespace: 'default',
      dtab: '/a=>/b',
      client: '/#/web',
      tried: ['10.0.0.1:80 (refused)', '10.0.0.2:80 (refused)'],
      notes: ['the binding: not confirmed for 5 s'],
    })
    expect([status, reason]).toEqual([502, 'Bad Gateway'])
    expect(String(body).split('\n')).toEqual([
      'nothing there',
      'stage: bind',
      'service: /svc/web',
      'namespace: default',
      'dtab of this request: /a=>/b',
      'client: /#/web',
      'endpoints tried: 10.0.0.1:80 (refused), 10.0.0.2:80 (refused)',
      'the binding: not confirmed for 5 s',
      '',
    ])
  })

  it('says in l5d-err, URL-encoded, what is wrong', () => {
    const { lines } = answerOf(badRequest('dtab', 'bad: é\r\n'), 0)
    expect(decodeURIComponent(headerOf(lines, 'l5d-err') ?? '')).toBe('dtab: bad: é\r\n')
  })

  it('says when it was given, to the second', () => {
    const dateAt = (now: number) => headerOf(answerOf(badRequest('dtab', ''), now).lines, 'Date')
    expect(dateAt(Date.UTC(1994, 10, 6, 8, 49, 37, 999))).toBe('Sun, 06 Nov 1994 08:49:37 GMT')
    expect(dateAt(Date.UTC(1994, 10, 6, 8, 49, 38))).toBe('Sun, 06 Nov 1994 08:49:38 GMT')
  })

  it.each(['é', '€', '\u{1f600}', '%'])(
    'keeps l5d-err short, whatever it consists of, and cuts no character: %s',
    text => {
      for (const first of ['', 'x', 'xy', 'xyz']) {
        const { lines } = answerOf(badRequest('dtab', first + text.repeat(10_000)), 0)
        const error = headerOf(lines, 'l5d-err') ?? ''
        expect(error.length).toBeLessThan(3_010)
        expect(decodeURIComponent(error)).toMatch(new RegExp(`^dtab: ${first}(?:${text})+\ufffd?\\.\\.\\.$`, 'u'))
      }
    },
  )

  it('bears broken text and cuts long text', () => {
    const { lines } = answerOf(badRequest('dtab', `\ud800${'x'.repeat(100_000)}`), 0)
    expect(headerOf(lines, 'l5d-err')?.length).toBeLessThan(1100)
  })

  it('is marked as retryable only when nothing was sent and the request itself was good', () => {
    expect(headerOf(answerOf(noUpstream('connect', ''), 0).lines, 'l5d-retryable')).toBe('true')
    expect(headerOf(answerOf(noRoom('overload', ''), 0).lines, 'l5d-retryable')).toBe('true')
    expect(headerOf(answerOf(outOfTime(504, 'timeout', '', false), 0).lines, 'l5d-retryable')).toBeUndefined()
    expect(headerOf(answerOf(badUpstream('response', ''), 0).lines, 'l5d-retryable')).toBeUndefined()
    expect(headerOf(answerOf(badRequest('dtab', ''), 0).lines, 'l5d-retryable')).toBeUndefined()
  })
})
