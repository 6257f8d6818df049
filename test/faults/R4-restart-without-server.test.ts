import { Agent } from 'node:http'
import { join } from 'node:path'
import { expect, it, onTestFinished } from 'vitest'
import { proxyConfig } from '../../proxy-client/config.ts'
import { createOpenNaming } from '../../proxy-client/open-naming.ts'
import { startProxy } from '../../proxy-client/proxy.ts'
import { silentLog } from '../../runtime/log.ts'
import { createMetrics } from '../../runtime/metrics.ts'
import { systemClock } from '../../watch/clock.ts'
import { createKernel } from '../../watch/kernel.ts'
import { Mesh, putDtab } from '../e2e/mesh.fixture.ts'
import { send } from '../proxy-client/proxy.fixture.ts'

const names = Array.from({ length: 25 }, (_, i) => `shop-${i}`)

/** Servers that are away are tried again soon. */
const soon = (): number => 0.01

interface Proxy {
  /** Status and body of the answer to a request for a name. */
  get(host: string): Promise<string>
  readonly adminPort: number
  close(): Promise<void>
}

/** One life of a proxy that keeps its last good state in a directory. */
async function runProxy(grpcPort: number, path: string): Promise<Proxy> {
  const onError = (error: unknown): void => {
    throw error
  }
  const kernel = createKernel({ clock: systemClock, onError })
  const interpreter = { kind: 'nameplane', addresses: [`127.0.0.1:${grpcPort}`] } as const
  const config = proxyConfig.parse({
    admin: { port: 0 },
    routers: [{ label: 'outgoing', servers: [{ port: 0 }], interpreter, bindingTimeoutMs: 300 }],
    lastGood: { path },
  })
  const env = { kernel, clock: systemClock, random: soon, log: silentLog, metrics: createMetrics() }
  const proxy = await startProxy(config, env, createOpenNaming(config.lastGood, 0))
  const agent = new Agent({ keepAlive: true, maxSockets: 4 })
  const close = async (): Promise<void> => {
    agent.destroy()
    await proxy.close(0)
    kernel.close()
  }
  onTestFinished(close)
  const port = proxy.routers.outgoing?.[0]?.port ?? 0
  const get = async (host: string): Promise<string> => {
    const { status, body } = await send(port, { host, agent })
    return `${status} ${body}`
  }
  return { get, adminPort: proxy.admin.port, close }
}

it('R4: with all servers off, a proxy that starts again routes every name that it knew, and a server that comes takes over without a gap', async () => {
  await using mesh = await Mesh.create()
  await mesh.backend('blue')
  await mesh.backend('green')
  const ports = await mesh.startServer()
  await putDtab(ports.http, 'default', '/svc/* => /#/io.l5d.fs/blue')
  const path = join(mesh.folder, 'proxy')
  const first = await runProxy(ports.grpc, path)
  for (const name of names) expect(await first.get(name)).toBe('200 blue')
  await mesh.stopServer()
  await first.close()

  const second = await runProxy(ports.grpc, path)
  const ready = await fetch(`http://127.0.0.1:${second.adminPort}/ready`)
  expect(ready.status).toBe(200)
  for (const name of names) expect(await second.get(name)).toBe('200 blue')
  expect(await second.get('never-seen')).toMatch(/^503 /)

  await using other = await Mesh.create()
  await other.discover('green', await mesh.discovered('green'))
  await putDtab((await other.startServer()).http, 'default', '/svc/* => /#/io.l5d.fs/green')
  await other.stopServer()
  await other.startServer(ports)
  const seen = new Set<string>()
  for (const name of names)
    for (let answer = ''; answer !== '200 green'; seen.add(answer)) answer = await second.get(name)
  expect([...seen].toSorted()).toEqual(['200 blue', '200 green'])
})
