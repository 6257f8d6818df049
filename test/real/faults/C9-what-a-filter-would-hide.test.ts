// C9: Consul's filtered blocking queries do not always wake for a change. Ours are never filtered: each kind of change alone
// wakes the watch of the name that it concerns.
import { describe, expect, it } from 'vitest'
import { endpointsOf, sizeOf, WatchedServer } from '../../e2e/watched-server.fixture.ts'
import { RealConsul } from '../consul.fixture.ts'

const limitMs = 5_000

describe('C9: a change that a filter would hide', () => {
  it('of tags alone wakes the names of both tags', async () => {
    await using consul = await RealConsul.start()
    const web = { name: 'web', address: '10.0.0.1', port: 80 }
    await consul.api.register({ ...web, tags: ['blue'] })
    await using server = await WatchedServer.start({ ...consul.namer(), includeTag: true, useHealthCheck: true })
    const blue = server.replicas('/#/io.l5d.consul/dc1/blue/web')
    const green = server.replicas('/#/io.l5d.consul/dc1/green/web')
    const isBlue = (is: boolean) =>
      Promise.all([
        blue.until(state => (sizeOf(state) === 1) === is, limitMs),
        green.until(state => (sizeOf(state) === 1) !== is, limitMs),
      ])
    await isBlue(true)
    for (let round = 0; round < 20; round++) {
      const toGreen = round % 2 === 0
      await consul.api.register({ ...web, tags: [toGreen ? 'green' : 'blue'] })
      await isBlue(!toGreen)
    }
    expect(await server.metric('consul_watches_followed')).toBe(1)
  })

  it('of health, maintenance or metadata alone wakes the name', async () => {
    await using consul = await RealConsul.start()
    const web = { name: 'web', address: '10.0.0.1', port: 80, health: 'passing', meta: { version: '1' } } as const
    await consul.api.register(web)
    await using server = await WatchedServer.start({
      ...consul.namer(),
      useHealthCheck: true,
      transferMetadata: true,
      emptyHoldDownMs: 0,
    })
    const replicas = server.replicas('/#/io.l5d.consul/dc1/web')
    await replicas.until(state => sizeOf(state) === 1, limitMs)
    for (const health of ['warning', 'passing', 'critical', 'passing'] as const) {
      await consul.api.setHealth('web', health)
      await replicas.until(state => (sizeOf(state) === 1) === (health === 'passing'), limitMs)
    }
    for (const isOn of [true, false]) {
      await consul.api.setMaintenance('web', isOn)
      await replicas.until(state => (sizeOf(state) === 1) === !isOn, limitMs)
    }
    await consul.api.register({ ...web, meta: { version: '2' } })
    const isSecond = (state: typeof replicas.state): boolean =>
      endpointsOf(state)?.length === 1 &&
      state.kind === 'ok' &&
      state.value.kind === 'bound' &&
      state.value.metadata?.version === '2'
    await replicas.until(isSecond, limitMs)
  })
})
