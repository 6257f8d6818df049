import { once } from 'node:events'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, it, onTestFinished } from 'vitest'
import { z } from 'zod'
import { type Command, nameplane, portOf } from '../e2e/process.fixture.ts'
import { send } from '../proxy-client/proxy.fixture.ts'

const state = z.looseObject({
  routers: z.array(
    z.looseObject({ worker: z.int(), pid: z.int(), servers: z.array(z.looseObject({ port: z.int() })) }),
  ),
})

interface Fleet {
  readonly proxy: Command
  readonly port: number
  /** Numbers, process ids and ports of the workers that answer. */
  workers(): Promise<readonly { readonly worker: number; readonly pid: number; readonly port: number | undefined }[]>
  /** Requests that are counted as ended. */
  counted(): Promise<number>
}

async function configFile(config: object): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'nameplane-workers-'))
  onTestFinished(() => rm(folder, { recursive: true, force: true }))
  const file = join(folder, 'proxy.yaml')
  await writeFile(file, JSON.stringify(config))
  return file
}

/** Two workers on one port, no server: every name is 503 at once. */
async function startFleet(): Promise<Fleet> {
  const interpreter = { kind: 'nameplane', addresses: ['127.0.0.1:1'] }
  const router = { label: 'outgoing', servers: [{ port: 0 }], interpreter, bindingTimeoutMs: 1 }
  const file = await configFile({ admin: { port: 0 }, workers: 2, routers: [router] })
  const proxy = nameplane(['proxy', file])
  onTestFinished(() => proxy[Symbol.asyncDispose]())
  const ports = await proxy.listening()
  const admin = `http://127.0.0.1:${portOf(ports, 'admin')}`
  const page = async (path: string): Promise<Response> => await fetch(admin + path)
  return {
    proxy,
    port: portOf(ports, 'outgoing'),
    workers: async () =>
      state.parse(await (await page('/state')).json()).routers.map(({ worker, pid, servers: [server] }) => ({
        worker,
        pid,
        port: server?.port,
      })),
    counted: async () => {
      const text = await (await page('/metrics')).text()
      return Number(
        /nameplane_proxy_requests_total{router="outgoing",status="5xx",result="failure"} (\d+)/.exec(text)?.[1],
      )
    },
  }
}

it('workers share the port of a proxy, are shown and counted as one, and are replaced when they die', async () => {
  const { proxy, port, workers, counted } = await startFleet()
  const ask = async (times: number): Promise<void> => {
    for (let i = 0; i < times; i++) expect((await send(port)).status).toBe(503)
  }
  const first = await workers()
  expect(first.map(worker => [worker.worker, worker.port])).toEqual([
    [1, port],
    [2, port],
  ])
  await ask(10)
  expect(await counted()).toBe(10)
  const [victim] = first
  process.kill(victim?.pid ?? Number.NaN, 'SIGKILL')
  await proxy.printed(/another worker has taken its place/)
  const second = await workers()
  expect(second.map(worker => [worker.worker, worker.port])).toEqual([
    [1, port],
    [2, port],
  ])
  expect(second[0]?.pid).not.toBe(victim?.pid)
  expect(second[1]?.pid).toBe(first[1]?.pid)
  await ask(10)
  expect(await counted()).toBe(20)
  proxy.child.kill('SIGTERM')
  expect((await proxy.finished).code).toBe(0)
})

it('a fleet whose port is taken says so in one line, and ends', async () => {
  const server = createServer().listen(0, '127.0.0.1')
  onTestFinished(() => void server.close())
  await once(server, 'listening')
  const address = server.address()
  const port = typeof address === 'object' ? address?.port : undefined
  const proxy = nameplane([
    'proxy',
    await configFile({ admin: { port: 0 }, workers: 1, routers: [{ servers: [{ port }] }], lastGood: false }),
  ])
  const { code, stderr } = await proxy.finished
  expect([code, stderr.split('\n').filter(line => !line.startsWith('{'))]).toEqual([
    1,
    [expect.stringContaining(`cannot listen on 127.0.0.1:${port}: the port is in use`), ''],
  ])
})
