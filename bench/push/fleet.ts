// Ten thousand proxies with twenty names each: what they cost, how fast a change reaches those whom it concerns, and what
// becomes of them when the server is killed.
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { freePorts } from '../../test/real/backend-process.fixture.ts'
import { median, printTable } from '../measure.ts'
import { LoadPeer } from './peer.ts'
import { Served } from './served.ts'

const names = 20
const rounds = 15
/** Longer than the time over which the last change is acknowledged. */
const pauseMs = 1_000
const streams = 10_000

/** A name and its endpoints: each counts when a stream has its first states. */
const firstUpdates = (count: number, each = names): number => count * each * 2

async function publish(server: Served): Promise<void> {
  await server.put('/svc => /#/io.l5d.fs')
  await server.endpoints('common', [8080])
  for (let group = 0; group < streams / 100; group++) await server.endpoints(`group-${group}`, [8080])
  for (let name = 0; name < 1_000; name++) await server.endpoints(`pool-${name}`, [8080, 8081])
}

interface Crowd {
  readonly connections: number
  readonly perConnection: number
  readonly names?: number
}

/** Connected, with the first states; gives what that took. */
async function gather(server: Served, peer: LoadPeer, crowd: Crowd): Promise<number> {
  const { reached } = await peer.expect(firstUpdates(crowd.connections * crowd.perConnection, crowd.names))
  const startedAt = performance.now()
  peer.open({
    protocol: 'watch',
    addresses: [server.address],
    connections: crowd.connections,
    streams: crowd.perConnection,
    names: crowd.names ?? names,
  })
  const { last } = await reached
  return last - startedAt
}

/** Resident memory that a crowd adds, in KB a stream. */
async function memoryOf(crowd: Crowd): Promise<number> {
  await using server = await Served.start()
  await publish(server)
  await delay(2_000)
  const { rss: before } = await server.memory()
  using peer = new LoadPeer()
  await gather(server, peer, crowd)
  await delay(5_000)
  const { rss } = await server.memory()
  return ((rss - before) * 1024) / (crowd.connections * crowd.perConnection)
}

async function memory(): Promise<void> {
  const shared = { connections: 100, perConnection: 100 }
  const many = await memoryOf(shared)
  const few = await memoryOf({ ...shared, names: 2 })
  const alone = await memoryOf({ connections: 2_000, perConnection: 1 })
  const perName = (many - few) / (names - 2)
  console.log(
    `memory: ${many.toFixed(1)} KB a stream of ${names} names at 100 a connection, ${few.toFixed(1)} of 2 names, so ` +
      `${perName.toFixed(2)} KB a name; ${alone.toFixed(1)} KB a proxy of ${names} names on its own connection`,
  )
}

async function latency(): Promise<void> {
  await using server = await Served.start()
  await publish(server)
  using peer = new LoadPeer()
  const tookMs = await gather(server, peer, { connections: 100, perConnection: 100 })
  console.log(`first states of ${streams} streams x ${names} names: ${(tookMs / 1000).toFixed(1)} s`)
  await delay(3_000)
  const table = [['endpoints of a name change', 'p50', 'p99', 'last']]
  for (const [what, name, watchers] of [
    ['followed by 100 streams', 'group-37', 100],
    ['followed by all', 'common', streams],
  ] as const) {
    const seen = { p50: [] as number[], p99: [] as number[], last: [] as number[] }
    for (let round = 0; round < rounds; round++) {
      const { reached } = await peer.expect(watchers)
      const startedAt = performance.now()
      await server.endpoints(name, [8080, 9_000 + round])
      const { p50, p99, last } = await reached
      seen.p50.push(p50 - startedAt)
      seen.p99.push(p99 - startedAt)
      seen.last.push(last - startedAt)
      await delay(pauseMs)
    }
    table.push([what, ...[seen.p50, seen.p99, seen.last].map(samples => `${median(samples).toFixed(1)} ms`)])
  }
  printTable(table)
  const { rss, peak } = await server.memory()
  const { asked } = await peer.report()
  console.log(`memory ${rss.toFixed(0)} MB, at most ${peak.toFixed(0)}; ${asked} digests differed`)
}

/** Killed without warning and started again two seconds later. */
async function restart(): Promise<void> {
  const [grpcPort = 0] = await freePorts(1)
  const options = { grpcPort, isDurable: true }
  await using server = await Served.start(options)
  await publish(server)
  using peer = new LoadPeer()
  const { reached } = await peer.expect(firstUpdates(streams))
  const crowd = { protocol: 'watch', connections: 100, streams: streams / 100, names, returns: true } as const
  peer.open({ ...crowd, addresses: [server.address] })
  await reached
  await delay(5_000)
  const { rss: steady } = await server.memory()
  await server.kill()
  await delay(2_000)
  const { reached: back } = await peer.expect(firstUpdates(streams))
  const startedAt = performance.now()
  await server.launch(options)
  const listeningAt = performance.now()
  const { last } = await back
  const { peak } = await server.memory()
  console.log(
    `kill -9 with ${streams} streams x ${names} names: all converged ${((last - startedAt) / 1000).toFixed(1)} s after the ` +
      `start (listening after ${((listeningAt - startedAt) / 1000).toFixed(1)} s); memory at most ${peak.toFixed(0)} MB, ` +
      `${(peak / steady).toFixed(2)} of ${steady.toFixed(0)} before`,
  )
}

/** Two servers on one store; one of them is killed. */
async function failOver(): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), 'nameplane-push-'))
  try {
    const [one = 0, two = 0] = await freePorts(2)
    await using first = await Served.start({ folder, grpcPort: one, isDurable: true })
    await using second = await Served.start({ folder, grpcPort: two, isDurable: true })
    await publish(first)
    using peer = new LoadPeer()
    const { reached } = await peer.expect(firstUpdates(streams))
    const crowd = { protocol: 'watch', connections: 100, streams: streams / 100, names, returns: true } as const
    peer.open({ ...crowd, addresses: [first.address, second.address] })
    await reached
    await delay(3_000)
    const { connected } = await peer.report()
    const { reached: back } = await peer.expect(firstUpdates(streams / 2))
    const startedAt = performance.now()
    await first.kill()
    const { p50, last } = await back
    console.log(
      `one of two servers killed, ${streams / 2} of ${streams} streams on it (${connected} connections): at the other one with ` +
        `all states after ${((p50 - startedAt) / 1000).toFixed(2)} s (half of them), ${((last - startedAt) / 1000).toFixed(2)} s (the last)`,
    )
  } finally {
    await rm(folder, { recursive: true })
  }
}

/** Prints what it measures. */
export async function fleet(): Promise<void> {
  await memory()
  await latency()
  await restart()
  await failOver()
}

if (import.meta.main) await fleet()
