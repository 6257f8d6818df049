// A Nameplane server process with discovery files, and thin proxies before it; it can be killed and comes back on its ports.
import { mkdir, mkdtemp, rename, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { putDtab } from '../e2e/mesh.fixture.ts'
import { type Command, nameplane, portOf } from '../e2e/process.fixture.ts'
import { freePorts } from './backend-process.fixture.ts'

/** Dispose ends all of it. */
export class MeshServer implements AsyncDisposable {
  readonly grpcPort: number
  readonly httpPort: number
  readonly adminPort: number
  readonly #folder: string
  /** Of the gRPC port. */
  readonly #options: object
  readonly #proxies: Command[] = []
  #server: Command | undefined

  private constructor(folder: string, [grpcPort = 0, httpPort = 0, adminPort = 0]: readonly number[], options: object) {
    this.#folder = folder
    this.#options = options
    this.grpcPort = grpcPort
    this.httpPort = httpPort
    this.adminPort = adminPort
  }

  /** `options` of its gRPC port, as in its configuration. */
  static async start(options: object = {}): Promise<MeshServer> {
    const folder = await mkdtemp(join(tmpdir(), 'nameplane-mesh-server-'))
    await mkdir(join(folder, 'disco'))
    const server = new MeshServer(folder, await freePorts(3), options)
    await server.restart()
    return server
  }

  /** Starts it, or starts it again; resolves once it listens. */
  async restart(): Promise<void> {
    const config = {
      admin: { port: this.adminPort },
      storage: { kind: 'sqlite', path: join(this.#folder, 'nameplane.db') },
      namers: [{ kind: 'io.l5d.fs', rootDir: join(this.#folder, 'disco') }],
      interfaces: [
        { kind: 'io.l5d.httpController', port: this.httpPort },
        { kind: 'io.l5d.mesh', port: this.grpcPort, ...this.#options },
      ],
    }
    const file = join(this.#folder, 'server.json')
    await writeFile(file, JSON.stringify(config))
    this.#server = nameplane(['serve', file, '--log-level', 'error'], { cwd: this.#folder })
    await this.#server.listening()
  }

  /** SIGKILL. */
  async kill(): Promise<void> {
    this.#server?.child.kill('SIGKILL')
    await this.#server?.finished
  }

  /** Stands still without closing anything. */
  freeze(): void {
    this.#server?.child.kill('SIGSTOP')
  }

  /** The sum over the series of a metric. */
  async metric(name: string): Promise<number> {
    const page = await (await fetch(`http://127.0.0.1:${this.adminPort}/metrics`)).text()
    const series = page.matchAll(new RegExp(`^${name}(?:\\{.*\\})? (\\S+)$`, 'gm'))
    return [...series].reduce((sum, [, value]) => sum + Number(value), 0)
  }

  async put(namespace: string, dtab: string): Promise<void> {
    await putDtab(this.httpPort, namespace, dtab)
  }

  async delete(namespace: string): Promise<void> {
    const response = await fetch(`http://127.0.0.1:${this.httpPort}/api/dtabs/${namespace}`, { method: 'DELETE' })
    if (!response.ok) throw new Error(`DELETE answered ${response.status}: ${await response.text()}`)
  }

  /** What a discovery file says from now on. */
  async discover(name: string, ...lines: readonly string[]): Promise<void> {
    const file = join(this.#folder, `${name}.new`)
    await writeFile(file, lines.map(text => `${text}\n`).join(''))
    await rename(file, join(this.#folder, 'disco', name))
  }

  async forget(name: string): Promise<void> {
    await rm(join(this.#folder, 'disco', name))
  }

  /** Starts a proxy process that has its names by the mesh protocol, of this server or of `other`; resolves to its port. */
  async startProxy(root: string, other?: MeshServer): Promise<number> {
    const servers = other === undefined ? [this] : [this, other]
    const interpreter = {
      kind: 'io.l5d.mesh',
      dst: servers.map(({ grpcPort }) => `/$/inet/127.0.0.1/${grpcPort}`),
      root,
      failureThreshold: { minPeriodMs: 1_000, closeTimeoutMs: 1_000 },
    }
    const routers = [{ label: 'out', interpreter, servers: [{ port: 0 }] }]
    const file = join(this.#folder, `proxy-${this.#proxies.length}.json`)
    await writeFile(file, JSON.stringify({ admin: { port: 0 }, routers, lastGood: false }))
    const proxy = nameplane(['proxy', file, '--log-level', 'error'], { cwd: this.#folder })
    this.#proxies.push(proxy)
    return portOf(await proxy.listening(), 'out')
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(this.#proxies.map(proxy => proxy[Symbol.asyncDispose]()))
    await this.kill()
    await rm(this.#folder, { recursive: true, force: true })
  }
}
