// Streams that come and go: what 200,000 of them leave behind, and what 10,000 cancels in a row do to the others.
import { setTimeout as delay } from 'node:timers/promises'
import { median } from '../measure.ts'
import { memory, put, startServer } from './in-process.ts'
import { LoadPeer } from './peer.ts'

const cycles = 200_000
const atATime = 500
const bystanders = 1_000

/** Prints what it measures. */
export async function openCancel(): Promise<void> {
  const server = await startServer()
  await put(server.store, '/svc => /#/bench/a')
  using peer = new LoadPeer()
  // Code and pools that the first streams make stay: they are no leak.
  await peer.cycle(server.address, cycles / 10, atATime, '/svc/web')
  const base = await settledMemory(server)
  const took = await peer.cycle(server.address, cycles, atATime, '/svc/web')
  const after = await settledMemory(server)
  const { watchers, openSources } = server.kernel.counts()
  console.log(
    `${cycles} streams opened and cancelled in ${(took / 1000).toFixed(0)} s: heap ${mb(base.heap)} before, ${mb(after.heap)} after ` +
      `(${(((after.heap - base.heap) / base.heap) * 100).toFixed(1)} %), RSS ${mb(base.rss)} and ${mb(after.rss)}; ` +
      `${watchers} watchers, ${openSources} sources, ${server.api.counts().subscriptions} subscriptions left`,
  )
  const { reached } = await peer.expect(bystanders)
  const [connections, streams] = [10, bystanders / 10]
  peer.open({ protocol: 'mesh-tree', addresses: [server.address], connections, streams, path: '/svc/by' })
  await reached
  const burstMs = await peer.cycle(server.address, 10_000, 500, '/svc/web')
  const times: number[] = []
  for (let round = 0; round < 5; round++) {
    const { reached: told } = await peer.expect(bystanders)
    const startedAt = performance.now()
    await put(server.store, `/svc => /#/bench/${round}`)
    times.push((await told).last - startedAt)
  }
  const { lost, ended } = await peer.report()
  console.log(
    `10,000 cancels in ${burstMs} ms: ${lost} connections and ${ended} streams of ${bystanders} others lost; ` +
      `a change reaches the last of these in ${median(times).toFixed(0)} ms`,
  )
  await server.close()
}

/** When what lingers has gone. */
async function settledMemory(server: { readonly kernel: { counts(): { readonly watchers: number } } }) {
  for (let waits = 0; waits < 60 && server.kernel.counts().watchers > 0; waits++) await delay(1_000)
  return memory()
}

const mb = (bytes: number): string => `${(bytes / 1e6).toFixed(1)} MB`

if (import.meta.main) {
  await openCancel()
  process.exit()
}
