// More names than the agent allows connections: how long until all are known, and how long one waits while all change at once.
import { setTimeout as delay } from 'node:timers/promises'
import { sizeOf, WatchedServer } from '../../test/e2e/watched-server.fixture.ts'
import { RealConsul } from '../../test/real/consul.fixture.ts'
import { printTable } from '../measure.ts'
import { head, type Row, seconds, spread } from './spread.ts'

const names = 500
/** Consul's own default. */
const connections = 200

export async function measureManyConsulNames(): Promise<readonly Row[]> {
  await using consul = await RealConsul.start()
  const services = Array.from({ length: names }, (_, n) => `web-${n}`)
  await Promise.all(services.map(name => consul.api.register({ name, port: 8000 })))
  await using server = await WatchedServer.start(consul.namer())
  const startedAt = performance.now()
  const watched = services.map(name => ({ name, replicas: server.replicas(`/#/io.l5d.consul/dc1/${name}`) }))
  const known = await Promise.all(watched.map(({ replicas }) => replicas.until(state => sizeOf(state) === 1)))
  await delay(2_000)
  await using gauge = new HighWaterMark(() => server.metric('consul_watches_waiting'))
  const waited = await Promise.all(
    watched.map(async ({ name, replicas }) => {
      const arrived = replicas.until(state => sizeOf(state) === 2)
      await consul.api.register({ name, id: `${name}-second`, port: 8001 })
      const registeredAt = performance.now()
      return (await arrived) - registeredAt
    }),
  )
  const asked = `${names} names on ${connections} connections`
  return [
    [`${asked}: all known after`, seconds(Math.max(...known) - startedAt), 'all', '-'],
    ['each changed once, all at once: registered to client, p50 / p99 / max', spread(waited), '< 5,000 ms', '-'],
    ['requests that waited for a connection, at most', String(gauge.highest), '> 0', '-'],
  ]
}

/** The highest value seen of a gauge that is asked for again and again until disposed. */
class HighWaterMark implements AsyncDisposable {
  highest = 0
  #isDone = false
  readonly #asking: Promise<void>

  constructor(ask: () => Promise<number>) {
    this.#asking = this.#askOn(ask)
  }

  async #askOn(ask: () => Promise<number>): Promise<void> {
    while (!this.#isDone) {
      this.highest = Math.max(this.highest, await ask())
      await delay(50)
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#isDone = true
    await this.#asking
  }
}

if (import.meta.main) printTable([head, ...(await measureManyConsulNames())])
