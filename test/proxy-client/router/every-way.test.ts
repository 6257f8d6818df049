// Whatever happens to requests, in whatever order: each ends once, and nothing of it is left.
import { describe, expect, it } from 'vitest'
import { endpointAt, leafOf } from '../naming.fake.ts'
import { seededRandom } from '../seeded-random.fixture.ts'
import type { FakeInbound } from './fake-inbound.fixture.ts'
import type { FakeExchange } from './fake-upstreams.fixture.ts'
import { createRouterWorld, type RouterSketch } from './router-world.fixture.ts'

const names = ['web', 'shop'] as const
const kinds = ['refused', 'crowded', 'unanswered', 'broken', 'malformed', 'bodyCut'] as const
const statuses = [200, 204, 404, 500, 503] as const

/** One run of a seed; gives the world and its requests after the last of them has ended. */
function live(seed: number) {
  const random = seededRandom(seed)
  const below = (limit: number): number => Math.floor(random() * limit)
  const chance = (share: number): boolean => random() < share
  const oneOf = <T>(list: readonly T[]): T => list[below(list.length)] as T // never empty
  const sketch: RouterSketch = {
    bindingTimeoutMs: 200,
    bindingCache: { paths: 1 + below(3), clients: 1 + below(2) },
    service: {
      responseClassifier: { kind: 'io.l5d.http.retryableAll5XX' },
      retries: { backoff: { kind: 'constant', ms: below(2) * 40 } },
      ...(chance(0.5) && { totalTimeoutMs: 150 }),
    },
    client: { ...(chance(0.5) && { requestAttemptTimeoutMs: 60 }) },
  }
  const world = createRouterWorld(sketch, { clearContext: chance(0.3) })
  const { clock, naming, upstreams, telemetry } = world
  const inbounds: FakeInbound[] = []
  const started = new Set<FakeExchange>()
  const done = new Set<FakeExchange>()
  const atWork = (): readonly FakeExchange[] => upstreams.exchanges.filter(e => !e.isAborted && !done.has(e))

  const ask = (): void => {
    const body = chance(0.4) ? { body: 'x'.repeat(1 + below(8_000)), isChunked: chance(0.3) } : {}
    const deadline = ['l5d-ctx-deadline', `0 ${clock.now() + below(200) - 10}000000`] as const
    const fields = chance(0.3) ? [deadline] : []
    inbounds.push(world.request({ method: oneOf(['GET', 'POST']), host: oneOf(names), fields, ...body }))
  }
  const answer = (): void => {
    const exchanges = atWork()
    if (exchanges.length === 0) return
    const exchange = oneOf(exchanges)
    if (chance(0.25)) {
      done.add(exchange)
      if (started.has(exchange)) exchange.fail('broken')
      else exchange.fail(oneOf(kinds), 'so it is', chance(0.5))
    } else if (!started.has(exchange)) {
      started.add(exchange)
      exchange.begin(oneOf(statuses), chance(0.2) ? [['l5d-err', 'no']] : [])
    } else if (chance(0.5)) exchange.handler.onData(Buffer.alloc(1 + below(40_000)))
    else {
      done.add(exchange)
      exchange.handler.onEnd(undefined)
    }
  }
  const rename = (): void => {
    const name = oneOf(names)
    const tree = naming.tree(`/svc/${name}`)
    const dice = random()
    if (dice < 0.1) tree.fail(new Error('no such name'))
    else if (dice < 0.2) tree.set({ kind: 'neg' })
    else tree.set(leafOf(`/#/${oneOf([1, 2, 3])}`))
    if (chance(0.7)) {
      const endpoints = Array.from({ length: below(4) }, (_, i) => endpointAt(i + 1))
      naming.replicaSet(`/#/${oneOf([1, 2, 3])}`).set({ kind: 'bound', endpoints })
    }
    clock.settle()
  }
  const leave = (): void => {
    const open = inbounds.filter(({ state, isAbandoned }) => state === 'open' && !isAbandoned)
    if (open.length > 0) oneOf(open).leave()
  }
  const deeds = [ask, ask, answer, answer, answer, answer, rename, leave, () => clock.advance(below(80))]
  for (let i = 0; i < 120; i++) oneOf(deeds)()
  for (const inbound of inbounds) if (inbound.state === 'open' && !inbound.isAbandoned) inbound.leave()
  clock.advance(1_000)
  return { ...world, telemetry, inbounds }
}

describe('whatever comes in whatever order', () => {
  it.each(Array.from({ length: 30 }, (_, seed) => seed))(
    'ends each request once and keeps nothing of it: seed %i',
    seed => {
      const { router, telemetry, inbounds } = live(seed)
      expect(router.active).toBe(0)
      expect(telemetry.records).toHaveLength(inbounds.length)
      for (const { state, isAbandoned } of inbounds) expect(isAbandoned || state !== 'open').toBe(true)
      expect(telemetry.unfinished()).toEqual([])
      for (const { balancer } of router.clients.values()) for (const { load } of balancer.report()) expect(load).toBe(0)
    },
  )
})
