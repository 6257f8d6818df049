// C7: The agent takes only so many connections from one address; above it it closes them.
import { describe, expect, it } from 'vitest'
import type { ConsulQuery } from '../../clients/consul/agent.ts'
import { type ConsulTrial, Ear, followAsSource, startConsulTrial, web } from '../clients/consul/consul.fixture.ts'
import { shown } from '../interpreters/consul/consul.fixture.ts'
import { createHttpFixture } from '../interpreters/consul/http.fixture.ts'

const query = (name: string): ConsulQuery => ({ path: `/catalog/service/${name}`, parameters: {} })

/** Follows so many names, each there with one instance. */
function followMany({ consul, agent }: ConsulTrial, count: number): readonly TimedEar[] {
  return Array.from({ length: count }, (_, i) => {
    consul.register({ service: `s${i}`, port: i })
    const ear = new TimedEar()
    ear.stop = agent.follow(query(`s${i}`), ear)
    return ear
  })
}

class TimedEar extends Ear {
  stop: () => void = () => {}

  get heard(): number {
    return this.log.length
  }
}

/** The longest time, in steps of 100 ms, in which one of them heard nothing. */
async function longestSilenceMs(trial: ConsulTrial, ears: readonly TimedEar[], ms: number): Promise<number> {
  const last = ears.map(ear => ({ heard: ear.heard, at: trial.clock.now() }))
  let longest = 0
  const end = trial.clock.now() + ms
  await trial.advanceUntil(() => {
    const now = trial.clock.now()
    for (const [i, ear] of ears.entries()) {
      const before = last[i]
      if (before === undefined) continue
      longest = Math.max(longest, now - before.at)
      if (ear.heard > before.heard) last[i] = { heard: ear.heard, at: now }
    }
    return now >= end
  }, 100)
  return longest
}

describe('C7: more names than connections', () => {
  it('gives each name its turn within 4 s, over no more connections than allowed, and says how many wait', async () => {
    const trial = await startConsulTrial({ maxConnections: 4 })
    const { consul, agent, counts, advanceUntil } = trial
    consul.connectionLimit = 6
    const ears = followMany(trial, 12)
    await advanceUntil(() => ears.every(ear => ear.answers.length === 1))
    await advanceUntil(() => consul.held === 4 && agent.load().waiting === 8)
    expect(agent.load()).toMatchObject({ followed: 12, inUse: 4, waiting: 8, limit: 4 })
    expect(await longestSilenceMs(trial, ears, 6_000)).toBeLessThanOrEqual(4000)
    for (const [i] of ears.entries()) consul.register({ service: `s${i}`, port: 1000 + i })
    const tookMs = await advanceUntil(() => ears.every((ear, i) => ear.shown === String(1000 + i)))
    expect(tookMs).toBeLessThanOrEqual(4000)
    expect([consul.refused, counts.failures, agent.load().inUse]).toEqual([0, [], 4])
  })

  it('shows in the gauges of the namer how many wait', async () => {
    const { agent, metrics, replicas, until } = await createHttpFixture({}, { maxConnections: 2 })
    const names = Array.from({ length: 6 }, (_, i) => `s${i}`)
    agent.register(...names.map(service => ({ service, port: 1 })))
    const seen = names.map(name => replicas(`/dc1/${name}`))
    await until(() => seen.every(each => shown(each) === '127.0.0.1:1') && agent.held === 2)
    const { body } = await metrics.expose()
    const gauge = (name: string): number =>
      Number(new RegExp(`^${name}\\{source="io.l5d.consul"\\} (\\S+)$`, 'm').exec(body)?.[1])
    expect(gauge('consul_watches_waiting')).toBeGreaterThan(0)
    expect(gauge('consul_watches_followed')).toBe(6)
    expect(['in_use', 'limit'].map(what => gauge(`consul_connections_${what}`))).toEqual([2, 2])
    expect(gauge('consul_agent_reachable')).toBe(1)
    await agent.stop()
    await until(() => seen.every(each => shown(each) === '127.0.0.1:1 (stale)'))
    expect((await metrics.expose()).body).toContain('consul_agent_reachable{source="io.l5d.consul"} 0')
  })

  it('confirms what a server without the lead told in the same turn', async () => {
    const trial = await startConsulTrial({ maxConnections: 2, consistencyMode: 'stale' })
    const { consul, agent, advanceUntil } = trial
    const ears = followMany(trial, 12)
    await advanceUntil(() => ears.every(ear => ear.answers.length === 1) && agent.load().waiting === 10)
    consul.register({ service: 's1', port: 1001 })
    await advanceUntil(() => ears[1]?.shown === '1001')
    const asked = consul.requests.map(({ path }) => path)
    // A turn of the others would be ten requests and more.
    const confirmed = asked.lastIndexOf('/catalog/service/s1')
    expect(confirmed - asked.lastIndexOf('/catalog/service/s1', confirmed - 1)).toBeLessThan(10)
  })

  it('reads a new name at once, though every connection is held, and takes a held one for it only then', async () => {
    const trial = await startConsulTrial({ maxConnections: 8 })
    const { consul, agent, until, advanceUntil } = trial
    followMany(trial, 8)
    await advanceUntil(() => consul.held === 8)
    consul.register({ service: 'web', port: 1 })
    const source = followAsSource(trial, web)
    await until(() => source.report?.state === 'ok')
    expect(agent.load()).toMatchObject({ followed: 9, limit: 8 })
  })

  it('gives back the long turns when there are connections for all again', async () => {
    const trial = await startConsulTrial({ maxConnections: 8 })
    const { consul, agent, counts, advance, advanceUntil } = trial
    const stops = Array.from({ length: 20 }, (_, i) => agent.follow(query(`s${i}`), new Ear()))
    await advance(4_000)
    for (const stop of stops.slice(8)) stop()
    await advanceUntil(() => consul.held === 8 && agent.load().followed === 8)
    await advance(5000, 250)
    const before = counts.requests
    await advance(20_000, 1000)
    expect(counts.requests).toBe(before)
    expect(agent.load()).toMatchObject({ inUse: 8, waiting: 0 })
  })

  it('learns a lower limit from refusals, and tries for more after a while', async () => {
    const trial = await startConsulTrial({ maxConnections: 32 })
    const { consul, agent, counts, advance, advanceUntil } = trial
    consul.connectionLimit = 16
    const ears = followMany(trial, 40)
    await advanceUntil(() => ears.every(ear => ear.answers.length > 0))
    await advance(5000)
    const { limit } = agent.load()
    expect([limit <= 16, limit >= 14, counts.limits.at(-1)]).toEqual([true, true, limit])
    const known = counts.failures.length
    expect(await longestSilenceMs(trial, ears, 6_000)).toBeLessThanOrEqual(4000)
    expect(counts.failures.length).toBe(known)
    for (const ear of ears.slice(2)) ear.stop()
    consul.connectionLimit = 100
    await advanceUntil(() => agent.load().limit === 32, 5000)
    expect(counts.failures.length).toBe(known)
  })

  it('backs off from 429 as from any failure: the content stays, the message names the setting', async () => {
    const trial = await startConsulTrial()
    const { consul, advanceUntil } = trial
    consul.register({ service: 'web', port: 1 })
    const source = followAsSource(trial, web)
    await advanceUntil(() => consul.held === 1)
    consul.fault = () => ({ kind: 'status', status: 429, text: 'too many' })
    consul.churn('web')
    await advanceUntil(() => source.report?.state === 'stale')
    expect(source.report?.lastError).toContain('429 "too many"')
    expect(source.report?.lastError).toContain('limits.http_max_conns_per_client')
    consul.fault = () => undefined
    await advanceUntil(() => source.report?.state === 'ok')
    expect(source.values).toEqual(['1'])
  })
})
