import { describe, expect, it } from 'vitest'
import { union } from '../../../naming/name-tree.ts'
import { endpointAt, leafOf } from '../naming.fake.ts'
import type { InboundSketch } from './fake-inbound.fixture.ts'
import type { FakeExchange } from './fake-upstreams.fixture.ts'
import { createRouterWorld, type RouterSketch } from './router-world.fixture.ts'

const noBudget = { ttlSecs: 10, minRetriesPerSec: 0, percentCanRetry: 0 }

function retrying(
  kind: 'nonRetryable5XX' | 'retryableRead5XX' | 'retryableIdempotent5XX' | 'retryableAll5XX' | 'allSuccessful',
  service: object = {},
): RouterSketch {
  return { service: { responseClassifier: { kind: `io.l5d.http.${kind}` }, ...service } }
}

/** A world in which the first `failures` exchanges are answered 500, the others 200. */
function failing(failures: number, sketch: RouterSketch) {
  const world = createRouterWorld(sketch)
  world.serve(1)
  let left = failures
  world.upstreams.otherwise = exchange => exchange.answer(left-- > 0 ? 500 : 200, 'body')
  return world
}

describe('a retry', () => {
  it.each([
    ['nonRetryable5XX', { method: 'GET' }, 1],
    ['retryableRead5XX', { method: 'GET' }, 2],
    ['retryableRead5XX', { method: 'PUT' }, 1],
    ['retryableIdempotent5XX', { method: 'PUT', body: 'x' }, 2],
    ['retryableIdempotent5XX', { method: 'POST', body: 'x' }, 1],
    ['retryableAll5XX', { method: 'POST', body: 'x'.repeat(5 * 1024) }, 2],
    ['retryableAll5XX', { method: 'POST', body: 'x'.repeat(5 * 1024 + 1) }, 1],
    ['retryableAll5XX', { method: 'POST', body: 'x', isChunked: true }, 1],
    ['allSuccessful', { method: 'GET' }, 1],
  ] as const)('by %s of %o: sent %i times', (kind, sketch: InboundSketch, times) => {
    const { request, upstreams } = failing(1, retrying(kind))
    const inbound = request(sketch)
    expect(upstreams.exchanges.map(({ body }) => body)).toEqual(Array(times).fill(sketch.body ?? ''))
    expect(inbound).toMatchObject({ status: times > 1 ? 200 : 500, text: 'body', state: 'ended' })
  })

  it('follows where the upstream says that it may, whatever the method', () => {
    const { serve, request, upstreams } = createRouterWorld()
    serve(1)
    let left = 1
    upstreams.otherwise = exchange => {
      if (left-- > 0) exchange.answer(503, '', [['l5d-retryable', 'true']])
      else exchange.answer()
    }
    expect(request({ method: 'POST', body: 'x' }).status).toBe(200)
    expect(upstreams.exchanges).toHaveLength(2)
  })

  it('is counted for its service, and every attempt for its client', () => {
    const { request, telemetry } = failing(2, retrying('retryableRead5XX'))
    request()
    expect(telemetry.count('service /svc/web retried')).toBe(2)
    expect(telemetry.count('client /#/web ended 500 failure')).toBe(2)
    expect(telemetry.told.slice(-2)).toEqual(['service /svc/web ended 200 success', 'server here ended 200 success'])
    expect(telemetry.records).toMatchObject([{ attempts: 3, status: 200 }])
  })

  it('goes through the binding again and may draw another leaf', () => {
    const { naming, request, upstreams, clock } = createRouterWorld(retrying('retryableRead5XX'))
    for (const port of [1, 2]) naming.replicaSet(`/#/${port}`).set({ kind: 'bound', endpoints: [endpointAt(port)] })
    naming.tree('/svc/web').set(
      union([
        { weight: 1, tree: leafOf('/#/1') },
        { weight: 1, tree: leafOf('/#/2') },
      ]),
    )
    clock.settle()
    upstreams.rules.set(1, exchange => exchange.answer(500))
    upstreams.rules.set(2, exchange => exchange.answer(200))
    for (let i = 0; i < 20; i++) expect(request().status).toBe(200)
    expect(upstreams.counts[1]).toBeGreaterThan(3)
  })

  it('waits for its back-off, and ends with its client', () => {
    const service = { retries: { backoff: { kind: 'constant', ms: 100 } } } as const
    const { request, upstreams, clock } = failing(10, retrying('retryableRead5XX', service))
    const inbound = request()
    clock.advance(99)
    expect(upstreams.exchanges).toHaveLength(1)
    clock.advance(1)
    expect(upstreams.exchanges).toHaveLength(2)
    inbound.leave()
    clock.advance(1000)
    expect(upstreams.exchanges).toHaveLength(2)
  })

  it('is not begun when it could not begin before the time is over', () => {
    const service = { totalTimeoutMs: 150, retries: { backoff: { kind: 'constant', ms: 100 } } } as const
    const { request, upstreams, clock } = failing(10, retrying('retryableRead5XX', service))
    const inbound = request()
    clock.advance(100)
    expect(upstreams.exchanges).toHaveLength(2)
    expect(inbound.status).toBe(500)
  })

  it('needs budget; without it the failure is passed on', () => {
    const { request, upstreams, telemetry } = failing(
      10,
      retrying('retryableRead5XX', { retries: { budget: noBudget } }),
    )
    expect(request()).toMatchObject({ status: 500, text: 'body' })
    expect(upstreams.exchanges).toHaveLength(1)
    expect(telemetry.count('service /svc/web budgetExhausted')).toBe(1)
  })

  it.each([
    ['answers 500', (exchange: FakeExchange): void => exchange.answer(500)],
    ['closes every connection', (exchange: FakeExchange): void => exchange.fail('unanswered')],
  ])('never makes more of the load of a backend that %s than a fifth and ten a second', (_what, rule) => {
    const { serve, request, upstreams, clock } = createRouterWorld({
      ...retrying('retryableAll5XX'),
      client: { failureAccrual: { kind: 'none' } },
    })
    serve(1)
    upstreams.otherwise = rule
    const seconds = 60
    const perSecond = 100
    for (let i = 0; i < seconds * perSecond; i++) {
      clock.advance(1000 / perSecond)
      request()
    }
    // The reserve of ten seconds is there at the start.
    expect(upstreams.exchanges.length).toBeLessThanOrEqual(seconds * (perSecond * 1.2 + 10) + 100)
    expect(upstreams.exchanges.length).toBeGreaterThan(seconds * perSecond * 1.15)
  })

  it('stops at 25 for one request', () => {
    const { request, upstreams } = failing(Number.POSITIVE_INFINITY, retrying('retryableAll5XX'))
    expect(request().status).toBe(500)
    expect(upstreams.exchanges).toHaveLength(26)
  })

  it('lets the rest of the dropped response be read, so that its connection is kept', () => {
    const { serve, request, upstreams } = createRouterWorld(retrying('retryableRead5XX'))
    serve(1)
    const inbound = request()
    const [first] = upstreams.exchanges
    first?.begin(500)
    expect(upstreams.exchanges).toHaveLength(2)
    upstreams.last.answer(200, 'good')
    first?.handler.onData(Buffer.from('dropped'))
    first?.handler.onEnd(undefined)
    expect(inbound).toMatchObject({ status: 200, text: 'good', state: 'ended' })
    expect(first?.isAborted).toBe(false)
  })

  it.each([
    ['is long', (): void => {}, 64 * 1024 + 1],
    ['does not end', (advance: () => void) => advance(), 1],
  ])('cuts a dropped response that %s', (_what, wait, bytes) => {
    const { serve, request, upstreams, clock } = createRouterWorld(retrying('retryableRead5XX'))
    serve(1)
    request()
    const [first] = upstreams.exchanges
    first?.begin(500)
    first?.handler.onData(Buffer.alloc(bytes))
    wait(() => clock.advance(1000))
    expect(first?.isAborted).toBe(true)
  })

  it('follows an endpoint that gave no answer, where a 502 would be retried', () => {
    const { serve, request, upstreams } = createRouterWorld(retrying('retryableAll5XX'))
    serve(1)
    let left = 1
    upstreams.otherwise = exchange => {
      if (left-- > 0) exchange.fail('unanswered')
      else exchange.answer()
    }
    expect(request({ method: 'POST', body: 'x' }).status).toBe(200)
  })

  it('that comes to nothing is not called safe to repeat, for the first attempt had been sent', () => {
    const { serve, request, upstreams } = createRouterWorld(retrying('retryableAll5XX'))
    serve(1)
    upstreams.otherwise = exchange => {
      if (upstreams.exchanges.length === 1) exchange.answer(500)
      else exchange.fail('refused')
    }
    const inbound = request({ method: 'POST', body: 'x' })
    expect([inbound.status, inbound.error.split(':')[0]]).toEqual([502, 'connect'])
    expect(inbound.header('l5d-retryable')).toBeUndefined()
  })

  it('of what no endpoint took is still safe to repeat, and says once what came of it', () => {
    const { serve, request, upstreams } = createRouterWorld(retrying('retryableAll5XX'))
    serve(1)
    upstreams.otherwise = exchange => exchange.fail('refused', 'ECONNREFUSED')
    const inbound = request({ method: 'POST', body: 'x' })
    expect(upstreams.exchanges).toHaveLength(26)
    expect(inbound.header('l5d-retryable')).toBe('true')
    expect(inbound.error).toBe(
      'connect: of 1 endpoint of /#/web none could be reached; tried 127.0.0.1:1 (ECONNREFUSED) 26 times',
    )
  })
})
