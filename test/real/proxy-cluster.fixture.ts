// A real server and a real proxy as child processes, with upstreams of the test behind them.
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type Command, nameplane, portOf } from '../e2e/process.fixture.ts'
import type { AtEnd } from '../proxy-client/proxy.fixture.ts'

export interface Cluster {
  readonly proxyPort: number
  /** Replaces the dtab `default`; resolves with the server's answer. */
  put(dtab: string): Promise<void>
  /** The same, resolved when the proxy goes by it. */
  putForAll(dtab: string): Promise<void>
  /** Status of the proxy's /ready. */
  ready(): Promise<number>
  /** JSON of the proxy's /state. */
  state(): Promise<unknown>
  stopServer(): Promise<void>
  /** On the ports and the data of the one that was stopped. */
  startServer(): Promise<void>
}

/** `disco` maps a service's name to the port of its one endpoint. Ended, and its folder removed, as `atEnd` says, last first. */
export async function startCluster(disco: Readonly<Record<string, number>>, atEnd: AtEnd): Promise<Cluster> {
  const folder = await mkdtemp(join(tmpdir(), 'nameplane-proxy-'))
  atEnd(() => rm(folder, { recursive: true, force: true }))
  for (const [name, port] of Object.entries(disco)) await writeFile(join(folder, name), `127.0.0.1 ${port}\n`)
  let ports = { http: 0, grpc: 0 }
  let server: Command | undefined
  const startServer = async (): Promise<void> => {
    const file = await writeConfig(folder, 'server.yaml', serverConfig(folder, ports))
    server = nameplane(['serve', file])
    const listening = await server.listening()
    ports = { http: portOf(listening, 'http'), grpc: portOf(listening, 'grpc') }
  }
  const stopServer = async (): Promise<void> => {
    await server?.[Symbol.asyncDispose]()
  }
  await startServer()
  atEnd(stopServer)
  const proxy = nameplane(['proxy', await writeConfig(folder, 'proxy.yaml', proxyConfig(ports.grpc))])
  atEnd(() => proxy[Symbol.asyncDispose]())
  const listening = await proxy.listening()
  const admin = `http://127.0.0.1:${portOf(listening, 'admin')}`
  return {
    proxyPort: portOf(listening, 'outgoing'),
    put: dtab => put(ports.http, dtab),
    putForAll: dtab => put(ports.http, dtab, '?wait=proxies:100%25&timeout=10s'),
    ready: async () => (await fetch(`${admin}/ready`)).status,
    state: async () => (await fetch(`${admin}/state`)).json(),
    stopServer,
    startServer,
  }
}

async function put(port: number, dtab: string, query = ''): Promise<void> {
  const response = await fetch(`http://127.0.0.1:${port}/api/dtabs/default${query}`, {
    method: 'PUT',
    headers: { 'content-type': 'application/dtab' },
    body: dtab,
  })
  if (!response.ok) throw new Error(`the server refused the dtab: ${response.status} ${await response.text()}`)
  await response.arrayBuffer()
}

/** JSON is YAML. */
async function writeConfig(folder: string, name: string, config: object): Promise<string> {
  const file = join(folder, name)
  await writeFile(file, JSON.stringify(config))
  return file
}

function serverConfig(folder: string, ports: { readonly http: number; readonly grpc: number }): object {
  return {
    admin: { port: 0 },
    storage: { kind: 'sqlite', path: join(folder, 'nameplane.db') },
    namers: [{ kind: 'io.l5d.fs', rootDir: folder }],
    interfaces: [
      { kind: 'io.l5d.httpController', port: ports.http },
      { kind: 'io.l5d.mesh', port: ports.grpc },
    ],
  }
}

function proxyConfig(grpcPort: number): object {
  return {
    admin: { port: 0 },
    routers: [
      {
        label: 'outgoing',
        servers: [{ port: 0 }],
        interpreter: { kind: 'nameplane', addresses: [`127.0.0.1:${grpcPort}`] },
      },
    ],
  }
}
