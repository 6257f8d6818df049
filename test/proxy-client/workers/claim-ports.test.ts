import { createServer, type Server } from 'node:net'
import { expect, it, onTestFinished } from 'vitest'
import { proxyConfig } from '../../../proxy-client/config.ts'
import { claimPorts } from '../../../proxy-client/workers/claim-ports.ts'
import { listenOn } from '../../../runtime/admin-server.ts'

const routersOn = (...ports: readonly number[]) =>
  proxyConfig.parse({ routers: ports.map((port, i) => ({ label: `r${i}`, servers: [{ port }] })) }).routers

const listen = async (port: number, reusePort: boolean): Promise<Server> => {
  const server = createServer()
  onTestFinished(() => void server.close())
  await listenOn(server, { host: '127.0.0.1', port, reusePort }, 'a test')
  return server
}

const portOf = (server: Server): number => {
  const address = server.address()
  return typeof address === 'object' && address !== null ? address.port : 0
}

it('free ports take the place of 0, each another one, for several processes to listen on', async () => {
  const claimed = await claimPorts(routersOn(0, 0))
  const ports = claimed.map(({ servers }) => servers[0]?.port ?? 0)
  expect(new Set(ports).size).toBe(2)
  for (const { servers } of claimed) {
    const { port = 0, socketOptions } = servers[0] ?? {}
    expect([port > 0, socketOptions]).toEqual([true, { reusePort: true }])
    await listen(port, true)
    await listen(port, true)
  }
})

it('a port that another process has is refused, also when that one would share it', async () => {
  for (const isShared of [false, true]) {
    const port = portOf(await listen(0, isShared))
    await expect(claimPorts(routersOn(0, port))).rejects.toThrow(
      `router r1: cannot listen on 127.0.0.1:${port}: the port is in use by another process`,
    )
  }
})

it('a port that is said to be shared is shared', async () => {
  const port = portOf(await listen(0, true))
  const [router] = routersOn(port)
  const servers = router?.servers.map(server => ({ ...server, socketOptions: { reusePort: true } })) ?? []
  await claimPorts(router === undefined ? [] : [{ ...router, servers }])
  await listen(port, true)
})
