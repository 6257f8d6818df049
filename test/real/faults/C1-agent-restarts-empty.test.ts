// C1: a Consul that restarts counts its index from the start again. What it holds then is seen at once, fifty times over.
import { describe, expect, it } from 'vitest'
import type { ReplicaSet } from '../../../naming/replica-set.ts'
import type { State } from '../../../watch/state.ts'
import { endpointsOf, isNeg, WatchedServer } from '../../e2e/watched-server.fixture.ts'
import { eventually } from '../backend-process.fixture.ts'
import { RealConsul } from '../consul.fixture.ts'

const restarts = 50
const services = ['a', 'b', 'c', 'd', 'e']
const portIn = (round: number, service: string): number => 1000 + 10 * round + services.indexOf(service)

/** In an order of its own each time, and with a port of its own. */
async function registerAll(consul: RealConsul, round: number): Promise<void> {
  const first = round % services.length
  const rotated = [...services.slice(first), ...services.slice(0, first)]
  for (const name of round % 2 === 0 ? rotated : rotated.reverse())
    await consul.api.register({ name, port: portIn(round, name) })
}

describe('C1: an agent that is killed and restarts empty', () => {
  it(`is followed through ${restarts} restarts, with services registered in other orders`, async () => {
    await using consul = await RealConsul.start()
    await registerAll(consul, 0)
    await using server = await WatchedServer.start(consul.namer({ emptyHoldDownMs: 10_000 }))
    const watched = services.map(name => ({ name, replicas: server.replicas(`/#/io.l5d.consul/dc1/${name}`) }))
    const losses: string[] = []
    const showsRound = async (round: number): Promise<void> => {
      await Promise.all(watched.map(({ name, replicas }) => replicas.until(hasPort(portIn(round, name)))))
    }
    await showsRound(0)
    for (const { name, replicas } of watched) replicas.onDelivery(state => void (isNeg(state) && losses.push(name)))
    for (let round = 1; round <= restarts; round++) {
      await consul.kill()
      await eventually('a gauge that tells it', async () => (await server.metric('source_degraded')) === 1)
      expect(watched.filter(({ replicas }) => endpointsOf(replicas.state)?.length !== 1)).toEqual([])
      await consul.start()
      await registerAll(consul, round)
      await showsRound(round)
    }
    expect(losses).toEqual([])
    await eventually('a gauge that is well', async () => (await server.metric('source_degraded')) === 0)
  })
})

const hasPort =
  (port: number) =>
  (state: State<ReplicaSet>): boolean => {
    const endpoints = endpointsOf(state)
    return endpoints?.length === 1 && endpoints[0]?.port === port
  }
