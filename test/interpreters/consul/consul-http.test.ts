// The Consul namer over HTTP: what an agent is asked, and an agent that is not there.
import { describe, expect, it } from 'vitest'
import { consul } from '../../../interpreters/consul/index.ts'
import { silentLog } from '../../../runtime/log.ts'
import { instance, shown, shownTree } from './consul.fixture.ts'
import { createHttpFixture } from './http.fixture.ts'

describe('the Consul namer over HTTP', () => {
  it('asks for one service of one datacenter, and never lets Consul filter', async () => {
    const { agent, replicas, until } = await createHttpFixture(
      { useHealthCheck: true, includeTag: true },
      { token: 'secret', consistencyMode: 'stale' },
    )
    agent.register(instance('a/b', 1, { tags: ['gold'] }))
    const [gold, upper] = [replicas('/.local/gold/a\\x2fb'), replicas('/dc1/GOLD/A\\x2fB')]
    await until(() => shown(gold) === '10.0.0.1:80' && shown(upper) === '10.0.0.1:80')
    agent.register(instance('a/b', 1, { tags: ['silver'] }))
    await until(() => shown(gold) === 'neg' && shown(upper) === 'neg')
    const asked = agent.requestsFor('/health/service/a/b')
    expect(asked.length).toBeGreaterThan(1)
    expect(new Set(asked.flatMap(({ parameters }) => [...parameters.keys()]))).toEqual(
      new Set(['dc', 'stale', 'index', 'wait']),
    )
    expect(new Set(agent.requests.map(({ token }) => token))).toEqual(new Set(['secret']))
  })

  it('starts before its agent, says why names have no answer, and finds them once it is there', async () => {
    const { agent, replicas, tree, until } = await createHttpFixture()
    await agent.stop()
    const seen = ['/dc1/web', '/.local/web'].map(replicas)
    const bound = tree('/.local/web')
    await until(() => seen.every(each => shown(each) === 'failed') && shownTree(bound) === 'failed')
    expect(seen[0]?.last).toMatchObject({ error: { message: expect.stringMatching(/ECONNREFUSED|refused/) } })
    agent.catalog.register(instance('web'))
    await agent.listen()
    await until(() => seen.every(each => shown(each) === '10.0.0.1:80') && shownTree(bound) === 'leaf')
    const negs = seen.flatMap(({ states }) => states.filter(state => state.kind === 'ok' && state.value.kind === 'neg'))
    expect(negs).toEqual([])
  })

  it('is opened from its configuration without an agent', async () => {
    const { kernel, clock, metrics } = await createHttpFixture()
    const config = consul.config.parse({ host: '127.0.0.1', port: 1, prefix: '/other' })
    const namer = await consul.open(config, { kernel, clock, random: () => 0.5, log: silentLog, metrics })
    expect(namer.prefix).toEqual(['#', 'other'])
    namer.close()
  })
})
