// C2: With stale reads each server has an index of its own and may lag behind; states must not be ordered by it.
import { describe, expect, it } from 'vitest'
import { Ear, followAsSource, startConsulTrial, web } from '../clients/consul/consul.fixture.ts'
import type { FakeReply, FakeRequest } from '../fakes/consul-agent.fake.ts'

/** Three servers that answer in turn what is asked with `stale`: each counts on its own, two lag by a change or two. */
function threeServers(history: readonly unknown[]) {
  const offsets = [0, 100_000, -3]
  let turn = 0
  return (request: FakeRequest, usual: FakeReply): FakeReply => {
    if (!request.parameters.has('stale')) return usual
    const server = turn++ % 3
    const body = history[Math.max(0, history.length - 1 - server)]
    return { ...usual, index: String(Number(usual.index) + (offsets[server] ?? 0)), body }
  }
}

describe('C2: servers with index lines of their own', () => {
  it('publishes each true content once, in order, while three lines and old contents alternate', async () => {
    const trial = await startConsulTrial({ consistencyMode: 'stale' })
    const { consul, counts, advanceUntil, advance } = trial
    for (let i = 0; i < 10; i++) consul.churn()
    const contents = Array.from({ length: 10 }, (_, i) => [{ ServicePort: 1 + (i % 2), ServiceID: `v${i}` }])
    const history: unknown[] = [[{ ServicePort: 1, ServiceID: 'v0' }]]
    consul.register({ service: 'web', port: 1 })
    consul.fault = request => (request.parameters.has('stale') ? { kind: 'early' } : undefined)
    const lines = threeServers(history)
    consul.reply = (request, usual) => lines(request, { ...usual, body: history.at(-1) })
    const source = followAsSource(trial, web)
    await advanceUntil(() => source.report?.state === 'ok')
    for (const content of contents.slice(1)) {
      history.push(content)
      const wanted = String(content[0]?.ServicePort)
      await advanceUntil(() => source.values.at(-1) === wanted)
      await advance(1000, 250)
      expect(source.values.at(-1)).toBe(wanted)
    }
    expect(source.values).toEqual(contents.map(content => String(content[0]?.ServicePort)))
    expect(source.report).toMatchObject({ state: 'ok', name: 'web' })
    expect(counts.failures).toEqual([])
  })

  it('asks the leader before it believes an older index, and asks it only then', async () => {
    const { consul, agent, advanceUntil } = await startConsulTrial({ consistencyMode: 'stale' })
    for (let i = 0; i < 10; i++) consul.churn()
    consul.register({ service: 'web', port: 1 })
    const ear = new Ear()
    agent.follow(web, ear)
    await advanceUntil(() => consul.held === 1)
    expect(consul.requests.every(request => request.parameters.has('stale'))).toBe(true)
    const seen = consul.requests.length
    consul.reply = (request, usual) =>
      request.parameters.has('stale') && request.index !== undefined ? { ...usual, index: '3', body: [] } : usual
    consul.churn('web')
    await advanceUntil(() => ear.log.length === 2)
    const [asked] = consul.requests.slice(seen)
    expect([asked?.parameters.has('stale'), asked?.index]).toEqual([false, undefined])
    expect(ear.log).toEqual(['1', 'same'])
  })

  it.each([
    ['that knows no leader', { 'x-consul-knownleader': 'false' }, 'knows no leader'],
    [
      'that last heard from its leader too long ago',
      { 'x-consul-lastcontact': '20000' },
      'last heard from its leader 20000 ms ago, over 10000 ms',
    ],
  ])(
    'does not believe a server %s: the last content stays, stale, and the leader is asked',
    async (_who, headers, said) => {
      const trial = await startConsulTrial({ consistencyMode: 'stale' })
      const { consul, counts, advanceUntil } = trial
      consul.register({ service: 'web', port: 1 })
      const source = followAsSource(trial, web)
      await advanceUntil(() => consul.held === 1)
      consul.reply = (request, usual) =>
        request.parameters.has('stale') ? { ...usual, headers: { ...usual.headers, ...headers }, body: [] } : usual
      consul.churn('web')
      await advanceUntil(() => counts.failures.length === 1)
      expect(source.report).toMatchObject({
        state: 'stale',
        lastError: `the Consul server that answered ${said}`,
      })
      expect(counts.failures).toEqual(['stale'])
      await advanceUntil(() => source.report?.state === 'ok')
      expect(source.values).toEqual(['1'])
      expect(consul.requests.at(-1)?.parameters.has('stale')).toBe(false)
    },
  )

  it('takes a streamed answer for what it is: it never names a leader', async () => {
    const { consul, agent, counts, advanceUntil } = await startConsulTrial({ consistencyMode: 'stale' })
    const streamed = { 'x-consul-query-backend': 'streaming', 'x-consul-knownleader': 'false' }
    consul.reply = (_, usual) => ({ ...usual, headers: { ...usual.headers, ...streamed } })
    consul.register({ service: 'web', port: 1 })
    const ear = new Ear()
    agent.follow(web, ear)
    await advanceUntil(() => consul.held === 1)
    expect([ear.log, counts.failures]).toEqual([['1'], []])
  })
})
