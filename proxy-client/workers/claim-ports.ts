// The ports of a proxy with workers, found free before the first of these starts: a port that workers share by themselves would
// also be shared with whoever else has it.
import { type AddressInfo, createServer, type Server } from 'node:net'
import { listenOn } from '../../runtime/admin-server.ts'
import type { RouterConfig } from '../config.ts'

type ServerConfig = RouterConfig['servers'][number]

/**
 * The routers with a port in place of each 0, for workers to listen on at the same time. Rejects with `unavailable` naming an
 * address that cannot be bound. Nothing is held when it resolves.
 */
export async function claimPorts(routers: readonly RouterConfig[]): Promise<RouterConfig[]> {
  await using claims = new AsyncDisposableStack()
  const claimed: RouterConfig[] = []
  for (const router of routers) {
    const servers: ServerConfig[] = []
    for (const config of router.servers) {
      const port = await claim(config, `router ${router.label}`, claims)
      servers.push({ ...config, port, socketOptions: { reusePort: true } })
    }
    claimed.push({ ...router, servers })
  }
  return claimed
}

async function claim(config: ServerConfig, role: string, claims: AsyncDisposableStack): Promise<number> {
  const server = createServer()
  await listenOn(server, { host: config.ip, port: config.port, ...config.socketOptions }, role)
  claims.defer(() => closed(server))
  return (server.address() as AddressInfo).port // a TCP server has no other kind
}

function closed(server: Server): Promise<void> {
  return new Promise(resolve => server.close(() => resolve()))
}
