// One change to very many streams: how fast it reaches the last of them, beside etcd's watch in the same run.
import { setTimeout as delay } from 'node:timers/promises'
import { RealEtcd } from '../../test/real/etcd.fixture.ts'
import { median, printTable } from '../measure.ts'
import { LoadPeer, type Open } from './peer.ts'
import { Served } from './served.ts'

const rounds = 15
const warmUp = 5

interface Shape {
  readonly connections: number
  readonly streams: number
  readonly names?: number
}

/** Milliseconds from the start of each change to its last update. */
async function timesOf(peer: LoadPeer, count: number, change: (round: number) => Promise<void>): Promise<number[]> {
  const times: number[] = []
  for (let round = 0; round < warmUp + rounds; round++) {
    const { reached } = await peer.expect(count)
    const startedAt = performance.now()
    await change(round)
    const { last } = await reached
    if (round >= warmUp) times.push(last - startedAt)
    await delay(150)
  }
  return times
}

function row(what: string, count: number, times: readonly number[], memory: string): readonly string[] {
  const perSecond = (ms: number): string => Math.round((count / ms) * 1000).toLocaleString('en')
  return [
    what,
    perSecond(median(times)),
    `${perSecond(Math.max(...times))} to ${perSecond(Math.min(...times))}`,
    `${median(times).toFixed(0)} ms`,
    memory,
  ]
}

/** Opens what is asked and waits until all have their first state. */
async function settled(peer: LoadPeer, order: Open, count: number): Promise<void> {
  const { reached } = await peer.expect(count)
  peer.open(order)
  await reached
  await delay(500)
}

async function trees({ connections, streams }: Shape, workers?: number): Promise<readonly string[]> {
  await using server = await Served.start(workers === undefined ? {} : { workers })
  for (const name of ['a', 'b']) await server.endpoints(name, [8080])
  await server.put('/svc => /#/io.l5d.fs/a')
  using peer = new LoadPeer()
  const count = connections * streams
  const order = { protocol: 'mesh-tree', addresses: [server.address], connections, streams, path: '/svc/web' } as const
  await settled(peer, order, count)
  const times = await timesOf(peer, count, round => server.put(`/svc => /#/io.l5d.fs/${round % 2 === 0 ? 'b' : 'a'}`))
  const { rss, peak } = await server.memory()
  const with_ = workers === undefined ? '' : `, workers: ${workers}`
  return row(
    `mesh trees, ${connections} x ${streams}${with_}`,
    count,
    times,
    `${rss.toFixed(0)} / ${peak.toFixed(0)} MB`,
  )
}

async function replicas({ connections, streams }: Shape): Promise<readonly string[]> {
  await using server = await Served.start()
  await server.endpoints('a', [8080])
  using peer = new LoadPeer()
  const count = connections * streams
  const path = '/#/io.l5d.fs/a'
  await settled(peer, { protocol: 'mesh-replicas', addresses: [server.address], connections, streams, path }, count)
  const times = await timesOf(peer, count, round => server.endpoints('a', [8080, 9000 + round]))
  const { rss, peak } = await server.memory()
  return row(`mesh replicas, ${connections} x ${streams}`, count, times, `${rss.toFixed(0)} / ${peak.toFixed(0)} MB`)
}

/** Every name changes; the endpoints of the new leaf come besides, once for each stream. */
async function watch({ connections, streams, names = 1 }: Shape): Promise<readonly string[]> {
  await using server = await Served.start()
  for (const name of ['a', 'b']) await server.endpoints(name, [8080])
  await server.put('/svc => /#/io.l5d.fs/a')
  using peer = new LoadPeer()
  const all = connections * streams
  const count = all * names + all
  const order = { protocol: 'watch', addresses: [server.address], connections, streams, names } as const
  await settled(peer, order, count)
  const before = await peer.report()
  const times = await timesOf(peer, count, round => server.put(`/svc => /#/io.l5d.fs/${round % 2 === 0 ? 'b' : 'a'}`))
  const { rss, peak } = await server.memory()
  const after = await peer.report()
  const acks = (after.acks - before.acks) / all / (warmUp + rounds)
  const memory = `${rss.toFixed(0)} / ${peak.toFixed(0)} MB; ${acks.toFixed(1)} acks a stream and change, ${after.asked} digests differed`
  return row(`Watch, ${connections} x ${streams} streams of ${names} names`, all * names, times, memory)
}

async function etcd({ connections, streams }: Shape): Promise<readonly string[]> {
  await using etcd = await RealEtcd.start()
  using peer = new LoadPeer()
  const count = connections * streams
  const order = { protocol: 'etcd', addresses: [etcd.server.endpoint], connections, streams, path: '/bench' } as const
  await settled(peer, order, count)
  const times = await timesOf(peer, count, round => etcd.server.api.put('/bench', `round ${round}`).then(() => {}))
  return row(`etcd watch, ${connections} x ${streams}`, count, times, '')
}

/** Prints its table. */
export async function fanOut(): Promise<void> {
  const hundred = { connections: 100, streams: 100 }
  const thousand = { connections: 1_000, streams: 1 }
  printTable([
    ['one change to all', 'updates/s', 'worst to best', 'until the last', 'memory now / at most'],
    await trees(hundred),
    await replicas(hundred),
    await watch({ connections: 100, streams: 1, names: 100 }),
    await etcd(hundred),
    await trees(thousand),
    await replicas(thousand),
    await etcd(thousand),
    await trees(hundred, 2),
    await trees(thousand, 2),
  ])
}

if (import.meta.main) await fanOut()
