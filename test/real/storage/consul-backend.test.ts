// The backend alone: on one real Consul, and on three servers where each of two answers for itself, without asking the leader.
import { afterAll, beforeAll } from 'vitest'
import { sharedBackendContract } from '../../contract/shared-backend.contract.ts'
import { RealConsul } from '../consul.fixture.ts'
import type { ConsulApi } from '../consul-api.fixture.ts'
import { RealConsulCluster } from '../consul-cluster.fixture.ts'
import { freshPrefix, openBackend } from './consul-store.fixture.ts'
import { realContract, realEnv, untilTrue } from './store.fixture.ts'

interface Agent {
  readonly port: number
  readonly api: ConsulApi
}

let consul: RealConsul
let cluster: RealConsulCluster

beforeAll(async () => {
  const [one, three] = await Promise.all([RealConsul.start(), RealConsulCluster.start()])
  consul = one
  cluster = three
}, 60_000)

afterAll(async () => {
  await consul[Symbol.asyncDispose]()
  await cluster[Symbol.asyncDispose]()
})

const openOn = (agentsOf: () => readonly [Agent, Agent], readConsistencyMode: string) => async () => {
  const agents = agentsOf()
  const pathPrefix = freshPrefix()
  const env = realEnv()
  const [backend, other] = agents.map(({ port }) => openBackend({ port, pathPrefix, readConsistencyMode }, env))
  if (backend === undefined || other === undefined) throw new Error('two agents have two backends')
  const { api } = agents[1]
  return {
    backend,
    other,
    outside: {
      put: (namespace: string, content: Uint8Array) => api.putKey(`${pathPrefix}/${namespace}`, content),
      remove: (namespace: string) => api.deleteKey(`${pathPrefix}/${namespace}`),
    },
    until: untilTrue,
    close: async () => {
      await Promise.all([backend.close(), other.close()])
      env.kernel.close()
      env.check()
    },
  }
}

sharedBackendContract(
  'consul',
  openOn(() => [consul, consul], 'default'),
  realContract,
)

sharedBackendContract(
  'consul, through two servers that answer for themselves,',
  openOn(() => {
    const [one, two] = cluster.servers
    if (one === undefined || two === undefined) throw new Error('a cluster has three servers')
    return [one, two]
  }, 'stale'),
  realContract,
)
