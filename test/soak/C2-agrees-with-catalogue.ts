// C2 in its real length: random changes of 200 Consul services, and what two namers on the agent show of them, compared
// with what was registered after each burst.
import { setTimeout as delay } from 'node:timers/promises'
import type { ReplicaSet } from '../../naming/replica-set.ts'
import { endpointsOf, type Watched, WatchedServer } from '../e2e/watched-server.fixture.ts'
import { RealConsul } from '../real/consul.fixture.ts'
import type { ConsulApi } from '../real/consul-api.fixture.ts'

const services = 200
const instancesEach = 4
const rounds = 30
const changesEach = 150
/** After a burst every name must be right within this time. */
const settleMs = 5_000
/** Together below the agent's own limit of 200 connections from one address, and far below the number of names. */
const maxConnections = 90
const prefixes = { all: '/all', healthy: '/healthy' }

/** What was registered last: by service, the instances and whether they pass. */
type Truth = Map<string, Map<string, { readonly port: number; readonly isPassing: boolean }>>

/** Rejects when a name is still wrong after the settling time. */
export async function soakC2(report: (line: string) => void): Promise<void> {
  await using consul = await RealConsul.start()
  const rule = { emptyHoldDownMs: 0, massEmpty: false, maxConnections }
  await using server = await WatchedServer.start(
    consul.namer({ ...rule, prefix: prefixes.all, consistencyMode: 'stale' }),
    consul.namer({ ...rule, prefix: prefixes.healthy, useHealthCheck: true }),
  )
  const truth: Truth = new Map(Array.from({ length: services }, (_, n) => [`web-${n}`, new Map()]))
  const watched = [...truth.keys()].map(name => ({
    name,
    all: server.replicas(`/#${prefixes.all}/dc1/${name}`),
    healthy: server.replicas(`/#${prefixes.healthy}/dc1/${name}`),
  }))
  let slowestMs = 0
  for (let round = 1; round <= rounds; round++) {
    for (let n = 0; n < changesEach; n++) await changeOne(consul.api, truth)
    const changedAt = performance.now()
    for (const { name, all, healthy } of watched) {
      const instances = [...(truth.get(name)?.values() ?? [])]
      await agrees(
        all,
        instances.map(({ port }) => port),
        changedAt,
      )
      await agrees(
        healthy,
        instances.filter(({ isPassing }) => isPassing).map(({ port }) => port),
        changedAt,
      )
    }
    slowestMs = Math.max(slowestMs, performance.now() - changedAt)
    if (round % 10 === 0)
      report(`${round * changesEach} changes; the slowest round was right after ${Math.round(slowestMs)} ms`)
    await delay(Math.random() * 1_000)
  }
}

async function changeOne(api: ConsulApi, truth: Truth): Promise<void> {
  const name = `web-${Math.floor(Math.random() * services)}`
  const number = Math.floor(Math.random() * instancesEach)
  const id = `${name}-${number}`
  const port = 8000 + number
  const instances = truth.get(name)
  const isThere = instances?.has(id) === true
  const dice = Math.random()
  if (!isThere) {
    await api.register({ name, id, port, health: 'passing' })
    instances?.set(id, { port, isPassing: true })
  } else if (dice < 0.5) {
    await api.deregister(id)
    instances?.delete(id)
  } else {
    const isPassing = dice < 0.75
    await api.setHealth(id, isPassing ? 'passing' : 'critical')
    instances?.set(id, { port, isPassing })
  }
}

/** Resolves once the set has these ports and no others; rejects when that is too late. */
async function agrees(replicas: Watched<ReplicaSet>, ports: readonly number[], changedAt: number): Promise<void> {
  const wanted = [...ports].sort().join()
  const leftMs = Math.max(1, changedAt + settleMs - performance.now())
  await replicas.until(state => {
    const shown = endpointsOf(state)?.map(({ port }) => port) ?? []
    return state.kind === 'ok' && shown.sort().join() === wanted
  }, leftMs)
}
