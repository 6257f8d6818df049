// A real Consul agent in development mode: it begins empty, keeps its ports over restarts, and is spoken to by plain HTTP.
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { locateBackend } from '../../backends/locate.ts'
import { BackendProcess, freePorts } from './backend-process.fixture.ts'
import { ConsulApi } from './consul-api.fixture.ts'

export interface RealConsulOptions {
  /** `limits.http_max_conns_per_client`; Consul's default of 200 when absent. */
  readonly connectionsPerClient?: number
  /** Of its HTTP API; a free one when absent. */
  readonly port?: number
  /** More of the agent's configuration, as HCL. */
  readonly hcl?: string
}

/** One agent that is server and client at once, its leader known. Dispose kills it and removes its folder. */
export class RealConsul implements AsyncDisposable {
  readonly port: number
  readonly api: ConsulApi
  readonly #folder: string
  readonly #argv: readonly string[]
  #agent: BackendProcess | undefined

  private constructor(folder: string, ports: readonly number[], options: RealConsulOptions) {
    const [http = 0, server, serf] = ports
    this.port = http
    this.api = new ConsulApi(http)
    this.#folder = folder
    this.#argv = [
      ...['agent', '-dev', '-node=t1', '-bind=127.0.0.1', '-client=127.0.0.1', '-log-level=warn'],
      ...[`-http-port=${http}`, `-server-port=${server}`, `-serf-lan-port=${serf}`, '-serf-wan-port=-1'],
      ...['-grpc-port=-1', '-grpc-tls-port=-1', '-dns-port=-1'],
      ...['-hcl', agentConfig(options)],
    ]
  }

  static async start(options: RealConsulOptions = {}): Promise<RealConsul> {
    const folder = await mkdtemp(join(tmpdir(), 'nameplane-consul-'))
    const [http, ...others] = await freePorts(3)
    const consul = new RealConsul(folder, [options.port ?? http ?? 0, ...others], options)
    try {
      await consul.start()
    } catch (error) {
      await consul[Symbol.asyncDispose]()
      throw error
    }
    return consul
  }

  /** A namer on it, as it stands in a server's configuration. */
  namer(options: object = {}): object {
    return { kind: 'io.l5d.consul', host: '127.0.0.1', port: this.port, ...options }
  }

  /** Starts it again on the same ports, with nothing in it; resolves once its leader is known. */
  async start(): Promise<void> {
    this.#agent = new BackendProcess(locateBackend('consul'), this.#argv, this.#folder)
    await this.#agent.until('ready', () => this.api.hasLeader())
  }

  /** SIGKILL; all that it held is gone. */
  async kill(): Promise<void> {
    await this.#agent?.kill()
  }

  /** Stands still with its connections open. */
  freeze(): void {
    this.#agent?.freeze()
  }

  resume(): void {
    this.#agent?.resume()
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.kill()
    await this.api[Symbol.asyncDispose]()
    await rm(this.#folder, { recursive: true, force: true })
  }
}

function agentConfig({ connectionsPerClient, hcl = '' }: RealConsulOptions): string {
  const limits =
    connectionsPerClient === undefined ? '' : `limits { http_max_conns_per_client = ${connectionsPerClient} }`
  return `connect { enabled = false }\ndisable_update_check = true\n${limits}\n${hcl}`
}
