// What workers bring and cost: requests/s and processor time per request of one process alone, and of 1 and 2 workers beside the
// process that hands them connections. On both cores, which load and backend need too: on two cores the processor time tells
// more than the requests/s. Runs from dist/ (`npm run build` first).
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { median, printTable } from './measure.ts'
import { ourPeerWith, type Peer, startBackend } from './proxy/peers.ts'
import { runWrk } from './proxy/wrk.ts'

const rounds = 3
const seconds = 3

interface Sample {
  readonly perSecond: number
  readonly cpuPerRequest: number
}

async function sample({ port, process }: Peer): Promise<Sample> {
  const before = await process.familyCpuMicros()
  const { perSecond, requests } = await runWrk({ port, path: '/', connections: 50, seconds })
  return { perSecond, cpuPerRequest: ((await process.familyCpuMicros()) - before) / requests }
}

export async function run(): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), 'nameplane-workers-'))
  await using open = new AsyncDisposableStack()
  const site = open.use(await startBackend(folder))
  const peers = new Map<number, Peer>()
  for (const workers of [0, 1, 2]) peers.set(workers, open.use(await ourPeerWith(site, { workers, cores: '0,1' })))
  const samples = new Map<number, Sample[]>(Array.from(peers.keys(), workers => [workers, []]))
  for (const peer of peers.values()) await runWrk({ port: peer.port, path: '/', connections: 50, seconds: 2 })
  for (let round = 0; round < rounds; round++)
    for (const [workers, peer] of peers) samples.get(workers)?.push(await sample(peer))
  printTable([
    ['workers', 'requests/s', 'CPU, us/request', 'requests per second of processor time'],
    ...Array.from(samples, ([workers, runs]) => {
      const cpu = median(runs.map(run => run.cpuPerRequest))
      return [
        String(workers),
        median(runs.map(run => run.perSecond)).toFixed(0),
        cpu.toFixed(1),
        (1e6 / cpu).toFixed(0),
      ]
    }),
  ])
  await rm(folder, { recursive: true, force: true })
}

if (import.meta.main) await run()
