import { join } from 'node:path'
import { expect, it, onTestFinished } from 'vitest'
import { proxyConfig } from '../../../proxy-client/config.ts'
import { createOpenNaming } from '../../../proxy-client/open-naming.ts'
import { startProxy } from '../../../proxy-client/proxy.ts'
import { silentLog } from '../../../runtime/log.ts'
import { createMetrics } from '../../../runtime/metrics.ts'
import { systemClock } from '../../../watch/clock.ts'
import { ok } from '../../../watch/state.ts'
import { testKernel } from '../../api/grpc/grpc-api.fixture.ts'
import { FakeMeshServer } from '../../fakes/mesh-server.fake.ts'
import { tempDirectory } from '../../storage/store.fixture.ts'
import { endpointAt, leafOf } from '../naming.fake.ts'
import { send, startNamed } from '../proxy.fixture.ts'

interface Proxy {
  /** Status and body of the answer to a request. */
  get(headers?: Readonly<Record<string, string>>): Promise<string>
  page(path: string): Promise<string>
  close(): Promise<void>
}

/** A proxy that has its names from a namerd on this port, and tries soon what failed. */
async function startMeshProxy(port: number, path: string): Promise<Proxy> {
  const kernel = testKernel()
  const dst = `/$/inet/127.0.0.1/${port}`
  const config = proxyConfig.parse({
    admin: { port: 0 },
    routers: [
      {
        servers: [{ port: 0 }],
        interpreter: { kind: 'io.l5d.mesh', dst, root: '/default', retry: { baseSeconds: 0.01, maxSeconds: 0.05 } },
      },
    ],
    lastGood: { path },
  })
  const env = { kernel, clock: systemClock, random: Math.random, log: silentLog, metrics: createMetrics() }
  const proxy = await startProxy(config, env, createOpenNaming(config.lastGood, 0))
  const close = async (): Promise<void> => {
    await proxy.close(0)
    kernel.close()
  }
  onTestFinished(close)
  const get = async (headers = {}): Promise<string> => {
    const { status, body } = await send(proxy.routers.http?.[0]?.port ?? 0, { headers })
    return `${status} ${body}`
  }
  const page = async (path: string): Promise<string> =>
    await (await fetch(`http://127.0.0.1:${proxy.admin.port}${path}`)).text()
  return { get, page, close }
}

it('routes by a namerd: by its changes, by the rules of a request, while it is away, and after a restart without it', async () => {
  const { path, remove } = tempDirectory()
  onTestFinished(remove)
  const server = await FakeMeshServer.start()
  onTestFinished(() => server.stop())
  for (const name of ['blue', 'green']) {
    const { port } = await startNamed(name)
    server.tellReplicas(`/#/io.l5d.fs/${name}`, ok({ kind: 'bound', endpoints: [endpointAt(port)] }))
  }
  server.tell('/svc/web', leafOf('/#/io.l5d.fs/blue'))
  server.tell('/svc/web /svc/web => /svc/green', leafOf('/#/io.l5d.fs/green'))
  const first = await startMeshProxy(server.port, join(path, 'state'))
  expect(await first.get()).toBe('200 blue')
  expect(await first.get({ 'l5d-dtab': '/svc/web => /svc/green' })).toBe('200 green')
  expect(JSON.parse(await first.page('/ready'))).toEqual({ ready: true, reasons: [] })
  expect(JSON.parse(await first.page('/state')).routers[0]).toMatchObject({
    namespace: 'default',
    naming: { connected: true, facts: { protocol: 'io.linkerd.mesh', names: 2, replicas: 2, streams: 4 } },
  })
  server.tell('/svc/web', leafOf('/#/io.l5d.fs/green'))
  await expect.poll(() => first.get()).toBe('200 green')
  server.stop()
  await expect.poll(() => first.page('/state')).toContain('It is tried again in')
  expect(await first.get()).toBe('200 green')
  await first.close()
  const second = await startMeshProxy(server.port, join(path, 'state'))
  expect(await second.get()).toBe('200 green')
})
