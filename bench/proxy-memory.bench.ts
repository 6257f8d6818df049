// Resident memory of the proxy over ten million requests, looked at after each million. Runs from dist/ (`npm run build` first);
// takes some minutes.
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { printTable } from './measure.ts'
import { ourPeer, type Peer, startBackend } from './proxy/peers.ts'
import { runWrk } from './proxy/wrk.ts'

const wanted = 10_000_000
const step = 1_000_000
const seconds = 5

/** Sends for as long as it takes to have sent `requests` more; gives how many it were. */
async function send(peer: Peer, requests: number): Promise<number> {
  let sent = 0
  while (sent < requests) sent += (await runWrk({ port: peer.port, path: '/', connections: 50, seconds })).requests
  return sent
}

export async function run(): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), 'nameplane-memory-'))
  await using open = new AsyncDisposableStack()
  const peer = open.use(await ourPeer(open.use(await startBackend(folder))))
  const rows = [['requests', 'resident, MB']]
  const look = async (sent: number): Promise<void> => {
    const row = [`${(sent / 1e6).toFixed(1)} million`, (await peer.process.residentMb()).toFixed(0)]
    rows.push(row)
    console.error(row.join(': '))
  }
  await look(0)
  for (let sent = 0; sent < wanted; ) {
    sent += await send(peer, step)
    await look(sent)
  }
  printTable(rows)
  await rm(folder, { recursive: true, force: true })
}

if (import.meta.main) await run()
