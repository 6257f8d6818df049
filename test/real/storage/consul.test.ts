// The store on a real Consul: one agent that is server and client at once, and three servers of which one is stopped.
import { afterAll, beforeAll } from 'vitest'
import { storeContract } from '../../contract/store.contract.ts'
import { storeLeftOverContract } from '../../contract/store-left-overs.contract.ts'
import { RealConsul } from '../consul.fixture.ts'
import { RealConsulCluster } from '../consul-cluster.fixture.ts'
import { freshPrefix, openBackend, openStore } from './consul-store.fixture.ts'
import { openLeftOverFixture, openRealFixture, realContract } from './store.fixture.ts'

let agent: RealConsul
let cluster: RealConsulCluster

beforeAll(async () => {
  const [one, three] = await Promise.all([RealConsul.start(), RealConsulCluster.start()])
  agent = one
  cluster = three
  await cluster.killLeader()
  await cluster.leader()
}, 60_000)

afterAll(async () => {
  await agent[Symbol.asyncDispose]()
  await cluster[Symbol.asyncDispose]()
})

const openOn = (portOf: () => number) => () => {
  const place = { port: portOf(), pathPrefix: freshPrefix() }
  return openRealFixture(env => openStore(place, env))
}

storeContract(
  'consul',
  openOn(() => agent.port),
  realContract,
)

storeLeftOverContract(
  'consul',
  () => {
    const place = { port: agent.port, pathPrefix: freshPrefix() }
    return openLeftOverFixture(env => openBackend(place, env))
  },
  realContract,
)

storeContract(
  'consul, with one of three servers stopped,',
  openOn(() => cluster.servers.find(({ isRunning }) => isRunning)?.port ?? 0),
  realContract,
)
