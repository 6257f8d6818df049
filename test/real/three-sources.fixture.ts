// A server over a real Kubernetes, a real Consul and files, a thin proxy, and an HTTP backend behind each of the three.
import { mkdir, mkdtemp, readFile, rename, rm, writeFile } from 'node:fs/promises'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { z } from 'zod'
import { putDtab } from '../e2e/mesh.fixture.ts'
import { Command, nameplane, portOf, root } from '../e2e/process.fixture.ts'
import { WatchedServer } from '../e2e/watched-server.fixture.ts'
import { RealConsul } from './consul.fixture.ts'
import { RealKubernetes } from './kubernetes.fixture.ts'
import { endpointSlice, namespaceObject, namespacesPath, slicePath } from './kubernetes-objects.fixture.ts'

/** The address that an API server takes; the real tests run where it is. */
const routable = '10.77.0.1'
const loopback = '127.0.0.1'
const slices = slicePath('prod')

type SourceKind = 'kubernetes' | 'consul' | 'file'

const sourceList = z.object({
  sources: z.array(z.object({ id: z.string(), state: z.string(), counts: z.object({ held: z.number() }) })),
})

/** Each backend answers with the kind of source that leads to it. Dispose ends everything. */
export class ThreeSources implements AsyncDisposable {
  readonly #ending = new AsyncDisposableStack()
  readonly #ports = new Map<SourceKind, number>()
  #kubernetes: RealKubernetes | undefined
  #consul: RealConsul | undefined
  #server: WatchedServer | undefined
  #folder = ''
  proxyPort = 0

  /** Names go from one source to the next as examples/fall-over.dtab says; without endpoints they hold out so long. */
  static async start(emptyHoldDownMs: number): Promise<ThreeSources> {
    const sources = new ThreeSources()
    try {
      await sources.#startSources()
      await sources.#startServer(emptyHoldDownMs)
    } catch (error) {
      await sources[Symbol.asyncDispose]()
      throw error
    }
    return sources
  }

  get kubernetes(): RealKubernetes {
    return started(this.#kubernetes)
  }

  get consul(): RealConsul {
    return started(this.#consul)
  }

  /** A service of which the slice has one endpoint, ready or not. */
  async addSlice(service: string): Promise<void> {
    await this.kubernetes.api.create(slices, this.#slice(service, true))
  }

  async setReady(service: string, isReady: boolean): Promise<void> {
    await this.kubernetes.api.patch(`${slices}/${service}`, this.#slice(service, isReady))
  }

  /** All of those whose service is one of these, in one request. */
  async deleteSlices(services: readonly string[]): Promise<void> {
    const selector = encodeURIComponent(`kubernetes.io/service-name in (${services.join(',')})`)
    await this.kubernetes.api.request('DELETE', `${slices}?labelSelector=${selector}`)
  }

  async register(service: string): Promise<void> {
    await this.consul.api.register({ name: service, address: loopback, port: this.#portOf('consul') })
  }

  async writeFile(service: string): Promise<void> {
    const draft = join(this.#folder, `.${service}.new`)
    await writeFile(draft, `${loopback} ${this.#portOf('file')}\n`)
    await rename(draft, join(this.#folder, 'disco', service))
  }

  /** What `GET /api/sources` says of one of them. */
  async source(id: string): Promise<{ readonly state: string; readonly held: number }> {
    const response = await fetch(`http://127.0.0.1:${started(this.#server).httpPort}/api/sources`)
    const found = sourceList.parse(await response.json()).sources.find(source => source.id === id)
    return { state: found?.state ?? 'missing', held: found?.counts.held ?? 0 }
  }

  async metric(name: string): Promise<number> {
    return await started(this.#server).metric(name)
  }

  /** Resolves to what the command printed; rejects unless it ended well. */
  async namerctl(...argv: readonly string[]): Promise<string> {
    const url = `http://127.0.0.1:${started(this.#server).httpPort}`
    await using command = new Command([join(root, 'bin/namerctl.ts'), '--base-url', url, ...argv])
    const { code, stdout, stderr } = await command.finished
    if (code !== 0) throw new Error(`namerctl ${argv.join(' ')} ended with ${code}: ${stdout}${stderr}`)
    return stdout
  }

  async #startSources(): Promise<void> {
    this.#folder = await mkdtemp(join(tmpdir(), 'nameplane-three-'))
    this.#ending.defer(() => rm(this.#folder, { recursive: true, force: true }))
    await this.#startBackend('kubernetes', routable)
    await this.#startBackend('consul', loopback)
    await this.#startBackend('file', loopback)
    this.#kubernetes = this.#ending.use(await RealKubernetes.start())
    this.#consul = this.#ending.use(await RealConsul.start())
    await this.#kubernetes.api.create(namespacesPath, namespaceObject('prod'))
  }

  async #startBackend(kind: SourceKind, address: string): Promise<void> {
    const server: Server = createServer((request, response) => {
      request.resume()
      response.end(kind)
    })
    await new Promise<void>((resolve, reject) => server.once('error', reject).listen(0, address, resolve))
    this.#ending.defer(async () => {
      server.closeAllConnections()
      await new Promise<void>(resolve => server.close(() => resolve()))
    })
    this.#ports.set(kind, (server.address() as AddressInfo).port) // a TCP server's
  }

  async #startServer(emptyHoldDownMs: number): Promise<void> {
    const rootDir = join(this.#folder, 'disco')
    await mkdir(rootDir)
    const server = await WatchedServer.start(
      await this.kubernetes.namer({ emptyHoldDownMs }),
      this.consul.namer({ emptyHoldDownMs }),
      { kind: 'io.l5d.fs', rootDir },
    )
    this.#server = this.#ending.use(server)
    await putDtab(server.httpPort, 'default', await readFile(join(root, 'examples/fall-over.dtab'), 'utf8'))
    const file = join(this.#folder, 'proxy.yaml')
    const interpreter = { kind: 'nameplane', addresses: [`127.0.0.1:${server.grpcPort}`] }
    const routers = [{ label: 'outgoing', servers: [{ port: 0 }], interpreter }]
    await writeFile(file, JSON.stringify({ admin: { port: 0 }, routers }))
    const proxy = this.#ending.use(nameplane(['proxy', file]))
    this.proxyPort = portOf(await proxy.listening(), 'outgoing')
  }

  #slice(service: string, isReady: boolean): object {
    const ports = [{ name: 'http', port: this.#portOf('kubernetes') }]
    const endpoints = [{ addresses: [routable], conditions: { ready: isReady } }]
    return endpointSlice({ name: service, service, endpoints, ports })
  }

  #portOf(kind: SourceKind): number {
    return started(this.#ports.get(kind))
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#ending.disposeAsync()
  }
}

function started<T>(part: T | undefined): T {
  if (part === undefined) throw new Error('it was not started')
  return part
}
