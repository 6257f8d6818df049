// The servers whose durable writes are compared, each a process of its own on the same disk, and how a client writes to it.
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { locateBackend } from '../../backends/locate.ts'
import { nameplane, portOf } from '../../test/e2e/process.fixture.ts'
import { BackendProcess, freePorts } from '../../test/real/backend-process.fixture.ts'
import { RealEtcd } from '../../test/real/etcd.fixture.ts'
import { grpcClient, httpClient, httpRequest, type WriteClient } from './write-clients.ts'

/** Dispose ends the server. */
export interface DurableWriter extends AsyncDisposable {
  readonly name: string
  /** The nth of the clients, which writes to a key of its own. */
  client(n: number): Promise<WriteClient>
}

/** What is written: a dtab of usual size. */
const text = '/svc => /#/io.l5d.fs ;\n/svc/web => 0.1 * /svc/web-v2 & 0.9 * /svc/web-v1 ;\n'.repeat(3)

/** A server of ours through its HTTP API. */
export interface OwnServer extends AsyncDisposable {
  readonly port: number
}

/** On SQLite in a file of its own, or in memory. */
export async function startServer(kind: 'sqlite' | 'memory'): Promise<OwnServer> {
  const folder = await mkdtemp(join(tmpdir(), 'nameplane-bench-'))
  const config = {
    admin: { port: 0 },
    storage: kind === 'sqlite' ? { kind, path: join(folder, 'store.db') } : { kind },
    interfaces: [{ kind: 'io.l5d.httpController', port: 0 }],
  }
  await writeFile(join(folder, 'server.json'), JSON.stringify(config))
  const server = nameplane(['serve', join(folder, 'server.json'), '--log-level', 'error'], { cwd: folder })
  return {
    port: portOf(await server.listening(), 'http'),
    [Symbol.asyncDispose]: async () => {
      await server[Symbol.asyncDispose]()
      await rm(folder, { recursive: true, force: true })
    },
  }
}

export async function startOurs(): Promise<DurableWriter> {
  const server = await startServer('sqlite')
  return {
    name: 'nameplane on sqlite, PUT /api/dtabs',
    client: n => {
      const sent = httpRequest('PUT', `/api/dtabs/ns-${n}`, text, 'application/dtab')
      return httpClient(server.port, () => sent)
    },
    [Symbol.asyncDispose]: () => server[Symbol.asyncDispose](),
  }
}

/** One etcd that waits for the disk, through its own gRPC. */
export async function startEtcd(): Promise<DurableWriter> {
  const etcd = await RealEtcd.start({ argv: ['--unsafe-no-fsync=false'] })
  return {
    name: 'etcd, KV/Put over gRPC',
    client: n => {
      const message = putRequest(`/bench/ns-${n}`, text)
      return grpcClient(etcd.server.port, '/etcdserverpb.KV/Put', () => message)
    },
    [Symbol.asyncDispose]: () => etcd[Symbol.asyncDispose](),
  }
}

/** PutRequest of etcd's rpc.proto: key is field 1, value field 2. */
function putRequest(key: string, value: string): Buffer {
  return Buffer.concat([bytesField(1, key), bytesField(2, value)])
}

function bytesField(number: number, value: string): Buffer {
  const bytes = Buffer.from(value)
  const length: number[] = []
  for (let rest = bytes.length; ; rest >>>= 7) {
    length.push(rest > 127 ? (rest & 127) | 128 : rest)
    if (rest <= 127) break
  }
  return Buffer.concat([Buffer.from([(number << 3) | 2, ...length]), bytes])
}

/** One Consul server with its data on the disk, through its KV API. */
export async function startConsul(): Promise<DurableWriter> {
  const folder = await mkdtemp(join(tmpdir(), 'nameplane-bench-'))
  const [http = 0, server, serf] = await freePorts(3)
  const argv = [
    ...['agent', '-server', '-bootstrap-expect=1', `-data-dir=${folder}`, '-node=bench', '-log-level=error'],
    ...['-bind=127.0.0.1', '-client=127.0.0.1', `-http-port=${http}`, `-server-port=${server}`],
    ...[`-serf-lan-port=${serf}`, '-serf-wan-port=-1', '-grpc-port=-1', '-grpc-tls-port=-1', '-dns-port=-1'],
    ...['-hcl', 'connect { enabled = false }\ndisable_update_check = true'],
  ]
  const consul = new BackendProcess(locateBackend('consul'), argv, folder)
  const leader = async (): Promise<boolean> =>
    (await (await fetch(`http://127.0.0.1:${http}/v1/status/leader`)).text()).length > 4
  await consul.until('ready', leader)
  return {
    name: 'Consul, PUT /v1/kv',
    client: n => {
      const sent = httpRequest('PUT', `/v1/kv/bench/ns-${n}`, text, 'text/plain')
      return httpClient(http, () => sent)
    },
    [Symbol.asyncDispose]: async () => {
      await consul.kill()
      await rm(folder, { recursive: true, force: true })
    },
  }
}
