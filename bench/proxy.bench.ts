// Forwarding HTTP/1.1 beside nginx, haproxy and Envoy: each alone on one core, wrk and the backend on the other, the peers by
// turns in every round. Ours runs from dist/ (`npm run build` first) with metrics, EWMA, budgets and timeouts on.
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { median, printTable } from './measure.ts'
import { envoyPeer, haproxyPeer, nginxPeer, ourPeer, type Peer, startBackend } from './proxy/peers.ts'
import { type LoadResult, runWrk } from './proxy/wrk.ts'

const rounds = 5
const seconds = 4
/** Until V8 has compiled what is hot; the same for all. */
const warmUpSeconds = 6

interface Sample extends LoadResult {
  readonly cpuPerRequest: number
}

/** One measured run, in microseconds of processor time of the proxy per request. */
async function sample(peer: Peer, path: string, connections: number): Promise<Sample> {
  const before = await peer.process.cpuMicros()
  const result = await runWrk({ port: peer.port, path, connections, seconds })
  return { ...result, cpuPerRequest: ((await peer.process.cpuMicros()) - before) / result.requests }
}

interface Trial {
  readonly title: string
  readonly path: string
  readonly connections: number
}

const trials: readonly Trial[] = [
  { title: 'small responses, 50 connections', path: '/', connections: 50 },
  { title: '1 MB responses, 10 connections', path: '/large', connections: 10 },
]

async function compare(peers: readonly Peer[], { title, path, connections }: Trial): Promise<void> {
  const samples = new Map<Peer, Sample[]>(peers.map(peer => [peer, []]))
  for (const peer of peers) await runWrk({ port: peer.port, path, connections, seconds: warmUpSeconds })
  for (let round = 0; round < rounds; round++)
    for (const peer of peers) samples.get(peer)?.push(await sample(peer, path, connections))
  const ours = samples.get(peers[0] as Peer) ?? [] // the first is ours
  console.log(`\n${title}: ${rounds} rounds of ${seconds} s by turns`)
  printTable([
    ['proxy', 'CPU, us/request', 'requests/s', 'p50 ms', 'p99 ms', 'ours / it, by rounds'],
    ...[...samples].map(([{ name }, runs]) => [
      name,
      spread(runs.map(run => run.cpuPerRequest)),
      median(runs.map(run => run.perSecond)).toFixed(0),
      median(runs.map(run => run.p50Ms)).toFixed(2),
      median(runs.map(run => run.p99Ms)).toFixed(2),
      spread(
        runs.map((run, i) => (ours[i]?.cpuPerRequest ?? Number.NaN) / run.cpuPerRequest),
        2,
      ),
    ]),
  ])
}

function spread(figures: readonly number[], digits = 1): string {
  return `${median(figures).toFixed(digits)} (${Math.min(...figures).toFixed(digits)}-${Math.max(...figures).toFixed(digits)})`
}

export async function run(): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), 'nameplane-proxy-'))
  await using open = new AsyncDisposableStack()
  const site = open.use(await startBackend(folder))
  const peers: Peer[] = []
  for (const start of [ourPeer, nginxPeer, haproxyPeer, envoyPeer]) peers.push(open.use(await start(site)))
  printTable([
    ['proxy', 'resident before load, MB'],
    ...(await Promise.all(peers.map(async ({ name, process }) => [name, (await process.residentMb()).toFixed(0)]))),
  ])
  for (const trial of trials) await compare(peers, trial)
  printTable([
    ['proxy', 'resident after load, MB'],
    ...(await Promise.all(peers.map(async ({ name, process }) => [name, (await process.residentMb()).toFixed(0)]))),
  ])
  await rm(folder, { recursive: true, force: true })
}

if (import.meta.main) await run()
