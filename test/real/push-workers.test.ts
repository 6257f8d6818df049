// A server whose gRPC port is served by two threads: to its clients, and to people, it is one server.
import { type AddressInfo, createServer } from 'node:net'
import type { Worker } from 'node:worker_threads'
import { expect, it, onTestFinished } from 'vitest'
import { z } from 'zod'
import type { BoundTree } from '../../naming/bound-tree.ts'
import { showPath } from '../../naming/path.ts'
import { eachLeaf } from '../../naming/tree-leaves.ts'
import { createWatchClient, type WatchClient } from '../../proxy-client/watch/watch-client.ts'
import { parseConfig } from '../../runtime/config.ts'
import { silentLog } from '../../runtime/log.ts'
import { loadServerPlan, startServer } from '../../server/compose.ts'
import type { Kernel } from '../../watch/cell.ts'
import { systemClock, systemRandom } from '../../watch/clock.ts'
import { createKernel } from '../../watch/kernel.ts'
import { RawStream } from '../api/grpc/grpc-api.fixture.ts'
import { Watched } from '../e2e/watched-server.fixture.ts'
import { type LogLine, recordingLog } from '../fakes/log.fake.ts'

const config = `
admin: { port: 0, shutdownGraceMs: 4000 }
storage: { kind: memory }
interfaces: [{ kind: io.l5d.httpController, port: 0 }, { kind: io.l5d.mesh, port: 0, workers: 2 }]
`

const fleet = z.looseObject({ total: z.int() })
const written = z.looseObject({ version: z.int(), proxies: z.looseObject({ total: z.int(), applied: z.int() }) })

/** A server in this process, the threads that it has started, and what it says. */
async function startThreads() {
  const threads: Worker[] = []
  const note = (thread: Worker): void => void threads.push(thread)
  process.on('worker', note)
  onTestFinished(() => void process.off('worker', note))
  const lines: LogLine[] = []
  const server = await startServer(await loadServerPlan(parseConfig(config, 'test')), { log: recordingLog(lines) })
  onTestFinished(() => server.close())
  const port = (api: string): number => server.listening.find(each => each.api === api)?.port ?? 0
  const http = `http://127.0.0.1:${port('http')}`
  return {
    server,
    threads,
    lines,
    grpc: `127.0.0.1:${port('grpc')}`,
    fleet: async () => fleet.parse(await (await fetch(`${http}/api/proxies?limit=1000`)).json()),
    put: async (dtab: string, query = '') =>
      await (
        await fetch(`${http}/api/dtabs/default${query}`, {
          method: 'PUT',
          headers: { 'content-type': 'application/dtab' },
          body: dtab,
        })
      ).json(),
    metric: async (name: string) => {
      const text = await (await fetch(`http://127.0.0.1:${port('admin')}/metrics`)).text()
      return Number(new RegExp(`^${name} (\\d+)$`, 'm').exec(text)?.[1])
    },
  }
}

function testKernel(): Kernel {
  const kernel = createKernel({ clock: systemClock, onError: error => expect.fail(String(error)) })
  onTestFinished(() => kernel.close())
  return kernel
}

function connect(kernel: Kernel, address: string, clientId: string): WatchClient {
  const client = createWatchClient({
    addresses: [address],
    clientId,
    kernel,
    clock: systemClock,
    random: systemRandom,
    log: silentLog,
    lingerMs: 0,
  })
  onTestFinished(() => client.close())
  return client
}

function leavesOf(tree: BoundTree): readonly string[] {
  const leaves: string[] = []
  eachLeaf(tree, ({ id }) => leaves.push(showPath(id)))
  return leaves
}

/** Looks until it is so; the test's own time limit is the only one. */
async function until(isTrue: () => boolean | Promise<boolean>): Promise<void> {
  while (!(await isTrue())) await new Promise(resolve => setTimeout(resolve, 20))
}

const clientCount = 24

it('spreads connections, tells all of a change, survives the death of a thread and forgets who has left', async () => {
  const { threads, lines, grpc, fleet, put, metric } = await startThreads()
  expect(threads.length).toBe(2)
  const base = await metric('nameplane_watchers')
  await put('/svc => /$/inet/127.0.0.1')
  const kernel = testKernel()
  const clients = Array.from({ length: clientCount }, (_, i) => connect(kernel, grpc, `proxy-${i}`))
  const watched = clients.map(client => new Watched(client.bind({ namespace: 'default', path: ['svc', '80'] })))
  const untilAll = async (leaf: string): Promise<void> => {
    await Promise.all(
      watched.map(each => each.until(state => state.kind === 'ok' && leavesOf(state.value).includes(leaf))),
    )
  }
  await untilAll('/$/inet/127.0.0.1/80')
  expect((await fleet()).total).toBe(clientCount)

  const answer = written.parse(await put('/svc => /$/inet/127.0.0.2', '?wait=proxies:100%&timeout=20s'))
  expect(answer.proxies).toMatchObject({ total: clientCount, applied: clientCount })
  await untilAll('/$/inet/127.0.0.2/80')
  expect(await metric('nameplane_watch_streams')).toBe(clientCount)
  // Whatever the number of streams, a thread follows a name once: its tree, its endpoints (those before too, for a while) and
  // the version of its rules; the rules follow the store.
  expect((await metric('nameplane_watchers')) - base).toBeLessThanOrEqual(2 * 4 + 1)

  await threads[0]?.terminate()
  await put('/svc => /$/inet/127.0.0.3')
  await untilAll('/$/inet/127.0.0.3/80')
  await until(() => lines.some(({ message }) => message === 'another thread has taken its place'))
  expect(lines.filter(({ level }) => level === 'error').map(({ message }) => message)).toEqual([
    'a thread ended unasked, and with it its connections',
  ])
  await until(async () => (await fleet()).total === clientCount)
  // Those of the other thread have stayed where they were.
  const cut = clients.filter(client => client.counts().connections > 1).length
  expect(cut).toBeGreaterThan(0)
  expect(cut).toBeLessThan(clientCount)

  for (const client of clients) client.close()
  await until(async () => (await fleet()).total === 0)
  // The rules stay for a minute.
  await until(async () => (await metric('nameplane_watchers')) <= base + 1)
}, 60_000)

it('ends the streams of all threads with UNAVAILABLE when it stops', async () => {
  const { server, grpc } = await startThreads()
  const streams = Array.from({ length: 8 }, () => new RawStream(grpc))
  for (const stream of streams) stream.subscribe(['default/svc/80'])
  await Promise.all(streams.map(stream => stream.received(1)))
  await server.close()
  const codes = await Promise.all(streams.map(async stream => (await stream.ended).code))
  expect(new Set(codes)).toEqual(new Set([14]))
  for (const stream of streams) stream.close()
}, 30_000)

it('is refused its port while another starts there, whose threads are not up yet', async () => {
  const probe = createServer()
  await new Promise<void>(resolve => probe.listen(0, '127.0.0.1', resolve))
  const { port } = probe.address() as AddressInfo // a TCP server has no other kind
  await new Promise(resolve => probe.close(resolve))
  const text = config.replace('port: 0, workers', `port: ${port}, workers`)
  const start = async () => await startServer(await loadServerPlan(parseConfig(text, 'test')), { log: silentLog })
  const hasThread = new Promise(resolve => process.once('worker', resolve))
  const first = start()
  await hasThread
  const results = await Promise.allSettled([first, start()])
  for (const result of results) if (result.status === 'fulfilled') await result.value.close()
  expect(results.map(({ status }) => status).sort()).toEqual(['fulfilled', 'rejected'])
})
