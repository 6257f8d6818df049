// From a registration in Consul to a watching client, beside what a bare blocking query of the same service takes to wake.
import { setTimeout as delay } from 'node:timers/promises'
import { sizeOf, WatchedServer } from '../../test/e2e/watched-server.fixture.ts'
import { RealConsul } from '../../test/real/consul.fixture.ts'
import { percentile, printTable } from '../measure.ts'
import { coreWaitMs } from './core-wait.ts'
import { head, type Row, spread } from './spread.ts'

const samples = 300
/** In turn, so that each is left alone for half a second and no pace of asking shows in the figures. */
const services = 20
const pauseMs = 25

export async function measureConsulLatency(): Promise<readonly Row[]> {
  await using consul = await RealConsul.start()
  const names = Array.from({ length: services }, (_, n) => `web-${n}`)
  for (const name of names) await consul.api.register({ name, port: 8000 })
  await using server = await WatchedServer.start(consul.namer())
  const watched = names.map(name => ({ name, replicas: server.replicas(`/#/io.l5d.consul/dc1/${name}`) }))
  const ours: number[] = []
  const waits: number[] = []
  const bare: number[] = []
  for (let turn = 0; ours.length < samples; turn++) {
    for (const { name, replicas } of watched) {
      await replicas.until(state => sizeOf(state) === 1)
      const { index } = await consul.api.health(name)
      const woken = consul.api.health(name, index).then(() => performance.now())
      await delay(pauseMs)
      const arrived = replicas.until(state => sizeOf(state) === 2)
      const waitedBefore = coreWaitMs(server.pid)
      const startedAt = performance.now()
      await consul.api.register({ name, id: `${name}-second`, port: 8001 })
      if (turn > 0) {
        ours.push((await arrived) - startedAt)
        waits.push(coreWaitMs(server.pid) - waitedBefore)
        bare.push((await woken) - startedAt)
      }
      await Promise.all([arrived, woken])
      await consul.api.deregister(`${name}-second`)
    }
  }
  const lagMs =
    (1000 * (await server.metric('watch_lag_seconds_sum'))) / (await server.metric('watch_lag_seconds_count'))
  const beyond = ours.map((ms, n) => ms - (bare[n] ?? Number.NaN))
  const wanted = (percentile(bare, 0.99) + 3).toFixed(1)
  return [
    [
      `Consul registration to client, p50 / p99 / max of ${samples}`,
      spread(ours),
      `p99 <= ${wanted} ms`,
      'namerd 5.7-6.9 / 9-11 ms',
    ],
    ['a bare blocking query, woken by the same registration', spread(bare), '-', '-'],
    ['what we add to it, change by change', spread(beyond), 'p99 <= 3 ms', '-'],
    [
      'the same, less the time in which the server got no core',
      spread(beyond.map((ms, n) => ms - (waits[n] ?? 0))),
      'p99 <= 3 ms',
      '-',
    ],
    ["in the server, from the first byte of Consul's answer to published, mean", `${lagMs.toFixed(2)} ms`, '-', '-'],
  ]
}

if (import.meta.main) printTable([head, ...(await measureConsulLatency())])
