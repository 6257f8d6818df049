// A whole small mesh in this process: server, thin proxy and demo backends, all on ephemeral loopback ports.
import { mkdir, mkdtemp, readFile, rename, rm, writeFile } from 'node:fs/promises'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { proxyConfig } from '../../proxy-client/config.ts'
import { createOpenNaming } from '../../proxy-client/open-naming.ts'
import { type RunningProxy, startProxy } from '../../proxy-client/proxy.ts'
import { parseConfig } from '../../runtime/config.ts'
import { silentLog } from '../../runtime/log.ts'
import { createMetrics } from '../../runtime/metrics.ts'
import { loadServerPlan, type RunningServer, startServer } from '../../server/compose.ts'
import type { Kernel } from '../../watch/cell.ts'
import { systemClock, systemRandom } from '../../watch/clock.ts'
import { createKernel } from '../../watch/kernel.ts'

export interface Answer {
  readonly status: number
  readonly body: string
  readonly headers: Headers
}

/** Ports of a running server by role. */
export interface Ports {
  readonly http: number
  readonly grpc: number
  readonly admin: number
}

/** Everything it starts ends with it. */
export class Mesh implements AsyncDisposable {
  readonly folder: string
  readonly #backends: Server[] = []
  readonly #proxies: { readonly proxy: RunningProxy; readonly kernel: Kernel }[] = []
  #server: RunningServer | undefined

  constructor(folder: string) {
    this.folder = folder
  }

  static async create(): Promise<Mesh> {
    const folder = await mkdtemp(join(tmpdir(), 'nameplane-mesh-'))
    await mkdir(join(folder, 'disco'))
    return new Mesh(folder)
  }

  /** A service that answers with its name, listed in the discovery file of that name. */
  async backend(name: string): Promise<Server> {
    const server = createServer((request, response) => {
      request.resume()
      response.end(name)
    })
    await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
    this.#backends.push(server)
    await this.discover(name, `127.0.0.1 ${(server.address() as AddressInfo).port}\n`) // a TCP server's
    return server
  }

  /** Replaces a discovery file at one instant. */
  async discover(name: string, text: string): Promise<void> {
    await writeFile(join(this.folder, `.${name}.new`), text)
    await rename(join(this.folder, `.${name}.new`), join(this.folder, 'disco', name))
  }

  /** What a discovery file says. */
  async discovered(name: string): Promise<string> {
    return await readFile(join(this.folder, 'disco', name), 'utf8')
  }

  /** Starts, or starts again on the same ports and the same database. */
  async startServer(ports: Ports = { http: 0, grpc: 0, admin: 0 }): Promise<Ports> {
    const config = {
      admin: { port: ports.admin },
      storage: { kind: 'sqlite', path: join(this.folder, 'nameplane.db') },
      namers: [{ kind: 'io.l5d.fs', rootDir: join(this.folder, 'disco') }],
      interfaces: [
        { kind: 'io.l5d.httpController', port: ports.http },
        { kind: 'io.l5d.mesh', port: ports.grpc },
      ],
    }
    const server = await startServer(await loadServerPlan(parseConfig(JSON.stringify(config), 'mesh')), {
      log: silentLog,
    })
    this.#server = server
    const portOf = (role: string): number => server.listening.find(({ api }) => api === role)?.port ?? 0
    return { http: portOf('http'), grpc: portOf('grpc'), admin: portOf('admin') }
  }

  async stopServer(): Promise<void> {
    await this.#server?.close()
    this.#server = undefined
  }

  /** Resolves to the ports of its one router and of its admin pages. */
  async startProxy(
    grpcPorts: readonly number[],
    router: object = {},
  ): Promise<{ readonly port: number; readonly adminPort: number }> {
    const addresses = grpcPorts.map(port => `127.0.0.1:${port}`)
    const config = proxyConfig.parse({
      admin: { port: 0 },
      routers: [
        { label: 'outgoing', interpreter: { kind: 'nameplane', addresses }, servers: [{ port: 0 }], ...router },
      ],
    })
    const kernel = createKernel({
      clock: systemClock,
      onError: error => {
        throw error
      },
    })
    const env = { kernel, clock: systemClock, random: systemRandom, log: silentLog, metrics: createMetrics() }
    const proxy = await startProxy(config, env, createOpenNaming(undefined, 0))
    this.#proxies.push({ proxy, kernel })
    return { port: proxy.routers.outgoing?.[0]?.port ?? 0, adminPort: proxy.admin.port }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const { proxy, kernel } of this.#proxies) {
      await proxy.close(0)
      kernel.close()
    }
    await this.stopServer()
    for (const backend of this.#backends) {
      backend.closeAllConnections()
      backend.close()
    }
    await rm(this.folder, { recursive: true, force: true })
  }
}

/** PUTs a dtab text; throws unless it is taken. Resolves to the new version. */
export async function putDtab(port: number, namespace: string, dtab: string): Promise<number> {
  const response = await fetch(`http://127.0.0.1:${port}/api/dtabs/${namespace}`, {
    method: 'PUT',
    headers: { 'content-type': 'application/dtab' },
    body: dtab,
  })
  const body = await response.text()
  if (!response.ok) throw new Error(`PUT answered ${response.status}: ${body}`)
  return Number(response.headers.get('etag')?.match(/\d+/)?.[0])
}
