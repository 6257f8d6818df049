import { describe, expect, it } from 'vitest'
import { createRouterWorld } from './router-world.fixture.ts'

const ports = (count: number): readonly number[] => Array.from({ length: count }, (_, i) => i + 1)

describe('a request that an endpoint does not take', () => {
  it.each(['refused', 'crowded'] as const)('is sent to another at once, whatever its method: %s', kind => {
    const { serve, request, upstreams, telemetry } = createRouterWorld()
    serve(1, 2)
    upstreams.rules.set(1, exchange => exchange.fail(kind))
    upstreams.rules.set(2, exchange => exchange.answer())
    for (let i = 0; i < 20; i++) expect(request({ method: 'POST', body: 'x', isChunked: true }).status).toBe(200)
    expect(telemetry.count('client /#/web requeued')).toBe(upstreams.counts[1])
  })

  it('fails when all refuse, naming each, and may be sent again by its client', () => {
    const { serve, request, upstreams } = createRouterWorld()
    serve(1, 2, 3)
    upstreams.otherwise = exchange => exchange.fail('refused', 'ECONNREFUSED')
    const inbound = request()
    expect(upstreams.exchanges).toHaveLength(3)
    expect(inbound.status).toBe(502)
    expect(inbound.header('l5d-retryable')).toBe('true')
    expect(inbound.error).toMatch(/^connect: of 3 endpoints of \/#\/web none could be reached; tried 127\.0\.0\.1:\d/)
    for (const port of [1, 2, 3]) expect(inbound.text).toContain(`127.0.0.1:${port} (ECONNREFUSED)`)
  })

  it('is 503 when all are crowded, which harms none of them', () => {
    const { serve, request, upstreams, telemetry } = createRouterWorld()
    serve(1, 2)
    upstreams.otherwise = exchange => exchange.fail('crowded', 'too many wait')
    for (let i = 0; i < 20; i++) expect(request().status).toBe(503)
    expect(request().error).toMatch(/^overload: of 2 endpoints of \/#\/web none has a connection free/)
    expect(telemetry.count('client /#/web removed')).toBe(0)
  })

  it('tries no more than eleven endpoints', () => {
    const { serve, request, upstreams } = createRouterWorld()
    serve(...ports(50))
    upstreams.otherwise = exchange => exchange.fail('refused')
    request()
    expect(upstreams.exchanges).toHaveLength(11)
  })

  it('needs budget to be sent on', () => {
    const budget = { ttlSecs: 10, minRetriesPerSec: 0, percentCanRetry: 0 }
    const { serve, request, upstreams, telemetry } = createRouterWorld({ client: { requeueBudget: budget } })
    serve(1, 2)
    upstreams.otherwise = exchange => exchange.fail('refused', 'ECONNREFUSED')
    const inbound = request()
    expect(upstreams.exchanges).toHaveLength(1)
    expect([inbound.status, inbound.header('l5d-retryable')]).toEqual([502, 'true'])
    expect(inbound.error).toMatch(/^budget: the budget for requeues to \/#\/web is spent/)
    expect(telemetry.count('client /#/web requeueBudgetExhausted')).toBe(1)
  })
})

describe('a request that was sent and not answered', () => {
  it('is sent once more over a fresh connection when that harms nobody', () => {
    const { serve, request, upstreams } = createRouterWorld()
    serve(1)
    upstreams.otherwise = exchange => exchange.fail('unanswered')
    expect(request().status).toBe(502)
    expect(upstreams.exchanges).toHaveLength(2)
  })

  it('is sent again for each kept connection that had been closed', () => {
    const { serve, request, upstreams } = createRouterWorld()
    serve(1)
    let kept = 5
    upstreams.otherwise = exchange => {
      if (kept-- > 0) exchange.fail('unanswered', 'closed', false)
      else exchange.answer()
    }
    expect(request().status).toBe(200)
    expect(upstreams.exchanges).toHaveLength(6)
  })

  it.each([{ method: 'POST' }, { method: 'PATCH' }, { method: 'GET', body: 'x' }])(
    'is not sent again when that might do harm: %o',
    sketch => {
      const { serve, request, upstreams } = createRouterWorld()
      serve(1)
      upstreams.otherwise = exchange => exchange.fail('unanswered', 'closed', false)
      const inbound = request(sketch)
      expect(upstreams.exchanges).toHaveLength(1)
      expect([inbound.status, inbound.header('l5d-retryable')]).toEqual([502, undefined])
      expect(inbound.error).toBe('response: 127.0.0.1:1 gave no answer: closed')
    },
  )
})

describe('a request that one endpoint had and the others refused', () => {
  it('is not called safe to repeat', () => {
    const { serve, request, upstreams } = createRouterWorld()
    serve(1, 2)
    upstreams.otherwise = exchange => exchange.fail(upstreams.exchanges.length === 1 ? 'unanswered' : 'refused')
    const inbound = request()
    expect([inbound.status, inbound.error.split(':')[0]]).toEqual([502, 'connect'])
    expect(inbound.header('l5d-retryable')).toBeUndefined()
  })
})

describe('a replica that is dead', () => {
  it.each(['refused', 'unanswered'] as const)('has five requests, then probes only: %s', kind => {
    const { serve, request, upstreams, clock, telemetry } = createRouterWorld()
    serve(1, 2, 3)
    upstreams.rules.set(1, exchange => exchange.fail(kind))
    upstreams.otherwise = exchange => exchange.answer()
    for (let i = 0; i < 1000; i++) expect(request().status).toBe(200)
    expect(upstreams.counts[1]).toBe(5)
    expect(telemetry.count('client /#/web removed')).toBe(1)
    for (let i = 0; i < 600; i++) {
      clock.advance(100)
      expect(request().status).toBe(200)
    }
    // A minute of back-off from 5 s on.
    const probes = telemetry.count('client /#/web probed')
    expect(probes).toBeGreaterThan(1)
    expect(probes).toBeLessThan(12)
    expect(upstreams.counts[1]).toBeLessThanOrEqual(5 + probes)
  })

  it('is used again when a probe succeeds', () => {
    const { serve, request, upstreams, clock, telemetry } = createRouterWorld()
    serve(1, 2)
    upstreams.rules.set(1, exchange => exchange.answer(500))
    upstreams.otherwise = exchange => exchange.answer()
    for (let i = 0; i < 100; i++) request()
    upstreams.rules.delete(1)
    clock.advance(10_000)
    request()
    expect(telemetry.count('client /#/web revived')).toBe(1)
    for (let i = 0; i < 100; i++) request()
    expect(upstreams.counts[1]).toBeGreaterThan(30)
  })

  it('is used all the same while all others are dead too', () => {
    const { serve, request, upstreams } = createRouterWorld()
    serve(1, 2)
    upstreams.otherwise = exchange => exchange.answer(500)
    for (let i = 0; i < 100; i++) expect(request().status).toBe(500)
    expect(upstreams.exchanges).toHaveLength(100)
  })
})
