import { describe, expect, it } from 'vitest'
import { createRouterWorld } from './router-world.fixture.ts'

const nanos = (ms: number): string => `${ms}000000`

describe('totalTimeoutMs', () => {
  it.each([undefined, 504] as const)('bounds all attempts together: %s', timeoutStatus => {
    const { serve, request, upstreams, clock, router, telemetry } = createRouterWorld({
      service: { totalTimeoutMs: 300 },
      ...(timeoutStatus !== undefined && { timeoutStatus }),
    })
    serve(1)
    const inbound = request()
    clock.advance(299)
    expect(inbound.status).toBe(0)
    clock.advance(1)
    expect(inbound.status).toBe(timeoutStatus ?? 503)
    expect(inbound.error).toBe('timeout: the request had no answer within 300 ms (totalTimeoutMs); 1 attempt was made')
    expect(inbound.text).toContain('endpoints tried: 127.0.0.1:1 (no answer in time)\n')
    expect(inbound.header('l5d-retryable')).toBeUndefined()
    expect(upstreams.last.isAborted).toBe(true)
    expect(router.active).toBe(0)
    expect(telemetry.count('failed timeout')).toBe(1)
  })

  it('does not cut a response that has begun', () => {
    const { serve, request, upstreams, clock } = createRouterWorld({ service: { totalTimeoutMs: 300 } })
    serve(1)
    const inbound = request()
    upstreams.last.begin(200)
    clock.advance(10_000)
    upstreams.last.handler.onEnd(undefined)
    expect(inbound).toMatchObject({ status: 200, state: 'ended' })
  })

  it('counts the wait for a name too', () => {
    const { request, clock } = createRouterWorld({ service: { totalTimeoutMs: 300 } })
    const inbound = request()
    clock.advance(300)
    expect(inbound.status).toBe(503)
    expect(inbound.header('l5d-retryable')).toBe('true')
    expect(inbound.error).toContain('nothing was sent')
  })

  it('tells the next hop until when there is time', () => {
    const { serve, request, upstreams, clock } = createRouterWorld({ service: { totalTimeoutMs: 300 } })
    serve(1)
    request()
    expect(upstreams.last.header('l5d-ctx-deadline')).toBe(`${nanos(clock.now())} ${nanos(clock.now() + 300)}`)
  })

  it('leaves no timer behind', () => {
    const { serve, request, upstreams, clock, router } = createRouterWorld({ service: { totalTimeoutMs: 300 } })
    serve(1)
    upstreams.otherwise = exchange => exchange.answer()
    for (let i = 0; i < 100; i++) request({ fields: [['l5d-ctx-deadline', `0 ${nanos(clock.now() + 100)}`]] })
    router.close()
    clock.advance(1000)
    expect(clock.waiting).toBe(0)
  })
})

describe('requestAttemptTimeoutMs', () => {
  it('ends one attempt, which is a failure of the endpoint', () => {
    const { serve, request, upstreams, clock, telemetry } = createRouterWorld({
      client: { requestAttemptTimeoutMs: 50 },
    })
    serve(1)
    for (let i = 0; i < 5; i++) {
      const inbound = request()
      clock.advance(50)
      expect(inbound.status).toBe(503)
      expect(inbound.error).toBe(
        'timeout: 127.0.0.1:1 gave no answer within the 50 ms of an attempt (requestAttemptTimeoutMs)',
      )
      expect(upstreams.last.isAborted).toBe(true)
    }
    expect(telemetry.count('client /#/web ended 503 failure')).toBe(5)
    expect(telemetry.count('client /#/web removed')).toBe(1)
  })

  it('is followed by another attempt where a 503 would be', () => {
    const { serve, request, upstreams, clock } = createRouterWorld({
      client: { requestAttemptTimeoutMs: 50 },
      service: { responseClassifier: { kind: 'io.l5d.http.retryableRead5XX' } },
    })
    serve(1)
    const inbound = request()
    clock.advance(50)
    expect(upstreams.exchanges).toHaveLength(2)
    upstreams.last.answer(200, 'late')
    expect(inbound).toMatchObject({ status: 200, text: 'late' })
  })

  it('ends with the head of the response', () => {
    const { serve, request, upstreams, clock } = createRouterWorld({ client: { requestAttemptTimeoutMs: 50 } })
    serve(1)
    const inbound = request()
    upstreams.last.begin(200)
    clock.advance(1000)
    expect(inbound.state).toBe('open')
  })
})

describe('a deadline', () => {
  it('that is over reaches no backend', () => {
    const { serve, request, upstreams, clock } = createRouterWorld({ timeoutStatus: 504 })
    serve(1)
    const inbound = request({ fields: [['l5d-ctx-deadline', `0 ${nanos(clock.now())}`]] })
    expect(upstreams.exchanges).toHaveLength(0)
    expect(inbound.status).toBe(504)
    expect(inbound.error).toBe(
      'deadline: the deadline of the request (l5d-ctx-deadline) was over 0 ms before it came, or a clock is wrong; nothing was sent',
    )
  })

  it('that is over with the wait for a name reaches no backend, though its timer has not run yet', () => {
    const { serve, request, upstreams, clock } = createRouterWorld()
    clock.after(40, () => serve(1))
    const inbound = request({ fields: [['l5d-ctx-deadline', `0 ${nanos(clock.now() + 40)}`]] })
    clock.advance(40)
    expect([inbound.status, upstreams.exchanges.length]).toEqual([503, 0])
    expect(inbound.error).toBe(
      'deadline: the request had no answer before its deadline (l5d-ctx-deadline); nothing was sent',
    )
  })

  it('that is over is told to a pool that has no connection free yet, though its timer has not run', () => {
    const { serve, request, upstreams, clock } = createRouterWorld()
    serve(1)
    const seen: boolean[] = []
    for (const ms of [39, 40]) clock.after(ms, () => seen.push(upstreams.last.isTooLate))
    request({ fields: [['l5d-ctx-deadline', `0 ${nanos(clock.now() + 40)}`]] })
    clock.advance(40)
    expect(seen).toEqual([false, true])
  })

  it('that is over when an endpoint refuses is not tried at another', () => {
    const { serve, request, upstreams, clock } = createRouterWorld()
    serve(1, 2)
    clock.after(40, () => upstreams.last.fail('refused'))
    const inbound = request({ fields: [['l5d-ctx-deadline', `0 ${nanos(clock.now() + 40)}`]] })
    clock.advance(40)
    expect(inbound.error.split(':')[0]).toBe('deadline')
    expect(upstreams.exchanges).toHaveLength(1)
  })

  it('is not moved by a step of the wall clock', () => {
    const { serve, request, upstreams, clock } = createRouterWorld({
      service: {
        responseClassifier: { kind: 'io.l5d.http.retryableRead5XX' },
        retries: { backoff: { kind: 'constant', ms: 100 } },
      },
    })
    serve(1)
    const { now } = clock
    const inbound = request({ fields: [['l5d-ctx-deadline', `0 ${nanos(now() + 1000)}`]] })
    clock.now = () => now() + 3_600_000
    upstreams.last.answer(500)
    clock.advance(100)
    expect(upstreams.exchanges).toHaveLength(2)
    clock.now = () => now() - 3_600_000
    clock.advance(900)
    expect([inbound.status, inbound.error.split(':')[0]]).toEqual([503, 'deadline'])
  })

  it('that runs bounds the request, and says nothing of the endpoint', () => {
    const { serve, request, upstreams, clock, telemetry } = createRouterWorld()
    serve(1)
    for (let i = 0; i < 10; i++) {
      const inbound = request({ fields: [['l5d-ctx-deadline', `0 ${nanos(clock.now() + 40)}`]] })
      clock.advance(39)
      expect(inbound.status).toBe(0)
      clock.advance(1)
      expect([inbound.status, inbound.error.split(':')[0]]).toEqual([503, 'deadline'])
      expect(upstreams.last.isAborted).toBe(true)
    }
    expect(telemetry.count('client /#/web removed')).toBe(0)
  })

  it('goes on to the upstream, the strictest of what came and of our own', () => {
    const { serve, request, upstreams, clock } = createRouterWorld({ service: { totalTimeoutMs: 300 } })
    serve(1)
    const now = clock.now()
    const deadlineOf = (ms: number): string => `${nanos(now - 5)} ${nanos(now + ms)}`
    request({ fields: [['l5d-ctx-deadline', deadlineOf(100)]] })
    expect(upstreams.last.header('l5d-ctx-deadline')).toBe(`${nanos(now)} ${nanos(now + 100)}`)
    request({ fields: [['l5d-ctx-deadline', deadlineOf(1000)]] })
    expect(upstreams.last.header('l5d-ctx-deadline')).toBe(`${nanos(now)} ${nanos(now + 300)}`)
  })
})
