// What 10,000 idle keep-alive clients and 500 slow ones cost the others: memory, and latency of a steady load beside them.
// The proxy runs from dist/ on a core of its own; nginx beside it, for the machine's own part in the tails.
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { median, printTable } from './measure.ts'
import { nginxPeer, ourPeer, type Peer, startBackend } from './proxy/peers.ts'
import { loadCore, Pinned } from './proxy/pinned.ts'
import { runWrk } from './proxy/wrk.ts'

const idle = 10_000
const slow = 500
const rounds = 3
const seconds = 5

async function openCrowd(port: number): Promise<Pinned> {
  const argv = [join(import.meta.dirname, 'proxy/crowd.ts'), String(port), String(idle), String(slow)]
  const crowd = new Pinned(loadCore, process.execPath, argv)
  await new Promise((resolve, reject) => {
    crowd.child.once('message', resolve)
    crowd.child.once('exit', code => reject(new Error(`the crowd ended with ${code}`)))
  })
  return crowd
}

/** Rounds of load, in the table's form. */
async function underLoad(peer: Peer, when: string): Promise<readonly string[]> {
  const runs = []
  for (let round = 0; round < rounds; round++)
    runs.push(await runWrk({ port: peer.port, path: '/', connections: 50, seconds }))
  return [
    peer.name,
    when,
    median(runs.map(run => run.perSecond)).toFixed(0),
    `${median(runs.map(run => run.p50Ms)).toFixed(2)} / ${median(runs.map(run => run.p99Ms)).toFixed(2)} ms`,
    `${(await peer.process.residentMb()).toFixed(0)} MB`,
  ]
}

export async function run(): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), 'nameplane-crowd-'))
  await using open = new AsyncDisposableStack()
  const site = open.use(await startBackend(folder))
  const rows: (readonly string[])[] = [['proxy', 'clients', 'requests/s', 'p50 / p99', 'resident']]
  for (const start of [ourPeer, nginxPeer]) {
    await using peer = await start(site)
    rows.push(await underLoad(peer, '50'))
    await using _crowd = await openCrowd(peer.port)
    rows.push(await underLoad(peer, `50, beside ${idle} idle and ${slow} slow`))
  }
  printTable(rows)
  await rm(folder, { recursive: true, force: true })
}

if (import.meta.main) await run()
