// The Consul namer over HTTP: what an agent is asked, and an agent that is not there.
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it, onTestFinished } from 'vitest'
import { consul } from '../../../interpreters/consul/index.ts'
import type { ReplicaSet } from '../../../naming/replica-set.ts'
import { silentLog } from '../../../runtime/log.ts'
import { createMetrics } from '../../../runtime/metrics.ts'
import { createKernel } from '../../../watch/kernel.ts'
import type { State } from '../../../watch/state.ts'
import { FakeClock } from '../../fakes/clock.fake.ts'
import { FakeConsulAgent } from '../../fakes/consul-agent.fake.ts'
import { instance, type Seen, shown, shownTree } from './consul.fixture.ts'
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

  it('finds names over TLS by the files of its configuration, showing a certificate, and tells why when it cannot', async () => {
    const file = (name: string): string => join(import.meta.dirname, '../../fakes', `kubernetes-api.${name}.pem`)
    const [cert, key] = [readFileSync(file('cert'), 'utf8'), readFileSync(file('key'), 'utf8')]
    const clock = new FakeClock()
    await using agent = await FakeConsulAgent.start(clock, { cert, key, ca: cert, requestCert: true })
    agent.register(instance('web'))
    const own = { certPath: file('cert'), keyPath: file('key') }
    const shownBy = async (tls: object, until: (text: string) => boolean): Promise<Seen<ReplicaSet>> => {
      const kernel = createKernel({ clock, onError: () => {} })
      const env = { kernel, clock, random: () => 0.5, log: silentLog, metrics: createMetrics() }
      const config = consul.config.parse({
        host: '127.0.0.1',
        port: agent.port,
        tls: { commonName: 'localhost', ...tls },
      })
      const namer = await consul.open(config, env)
      onTestFinished(() => {
        namer.close()
        kernel.close()
      })
      const states: State<ReplicaSet>[] = []
      const stop = namer.replicas([...namer.prefix, '.local', 'web']).watch(state => states.push(state))
      const seen: Seen<ReplicaSet> = {
        states,
        stop,
        get last() {
          return states.at(-1)
        },
      }
      await agent.until(() => until(shown(seen)))
      return seen
    }
    await shownBy({ trustCerts: [file('cert')], clientAuth: own }, text => text === '10.0.0.1:80')
    const stranger = await shownBy({ clientAuth: own }, text => text === 'failed')
    expect(stranger.last).toMatchObject({ error: { message: expect.stringMatching(/certificate/) } })
  })
})
