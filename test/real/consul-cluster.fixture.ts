// Three real Consul servers that elect a leader among them.
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { locateBackend } from '../../backends/locate.ts'
import { BackendProcess, eventually, freePorts } from './backend-process.fixture.ts'
import { ConsulApi } from './consul-api.fixture.ts'

/** One server of the three. */
export interface ConsulServer {
  readonly name: string
  /** Of its HTTP API. */
  readonly port: number
  readonly api: ConsulApi
  readonly isRunning: boolean
}

interface Member {
  readonly name: string
  readonly http: number
  readonly rpc: number
  readonly serf: number
}

const names = ['s1', 's2', 's3']

/** A cluster with a leader that all three know. Dispose kills it and removes its folders. */
export class RealConsulCluster implements AsyncDisposable {
  readonly #folder: string
  readonly #servers = new Map<string, RunningServer>()

  private constructor(folder: string) {
    this.#folder = folder
  }

  static async start(): Promise<RealConsulCluster> {
    const cluster = new RealConsulCluster(await mkdtemp(join(tmpdir(), 'nameplane-consuls-')))
    try {
      const ports = await freePorts(3 * names.length)
      const members = names.map((name, n): Member => {
        const [http = 0, rpc = 0, serf = 0] = ports.slice(3 * n)
        return { name, http, rpc, serf }
      })
      for (const member of members)
        cluster.#servers.set(member.name, new RunningServer(member, members, cluster.#folder))
      for (const server of cluster.#servers.values()) await server.knowsLeader()
    } catch (error) {
      await cluster[Symbol.asyncDispose]()
      throw error
    }
    return cluster
  }

  get servers(): readonly ConsulServer[] {
    return [...this.#servers.values()]
  }

  /** The leader, as the running servers agree on it. */
  async leader(): Promise<ConsulServer> {
    return await eventually('one leader', async () => {
      const running = this.#running()
      const seen = await Promise.all(running.map(({ api }) => api.request('GET', '/status/leader')))
      const [first, ...others] = seen.map(({ body }) => body)
      const leader = running.find(({ rpcAddress }) => rpcAddress === first)
      return others.every(other => other === first) ? leader : undefined
    })
  }

  /** Kills the leader with SIGKILL and gives the dead one; the others elect meanwhile. */
  async killLeader(): Promise<ConsulServer> {
    const leader = await this.leader()
    await this.#servers.get(leader.name)?.kill()
    return leader
  }

  #running(): readonly RunningServer[] {
    return [...this.#servers.values()].filter(({ isRunning }) => isRunning)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const server of this.#servers.values()) await server[Symbol.asyncDispose]()
    await rm(this.#folder, { recursive: true, force: true })
  }
}

class RunningServer implements ConsulServer, AsyncDisposable {
  readonly name: string
  readonly port: number
  readonly rpcAddress: string
  readonly api: ConsulApi
  readonly #process: BackendProcess

  constructor({ name, http, rpc, serf }: Member, members: readonly Member[], folder: string) {
    this.name = name
    this.port = http
    this.rpcAddress = `127.0.0.1:${rpc}`
    this.api = new ConsulApi(http)
    const join = members.filter(other => other.name !== name).map(other => `-retry-join=127.0.0.1:${other.serf}`)
    this.#process = new BackendProcess(
      locateBackend('consul'),
      [
        ...['agent', '-server', `-bootstrap-expect=${members.length}`, `-data-dir=${folder}/${name}`, `-node=${name}`],
        ...['-bind=127.0.0.1', '-client=127.0.0.1', '-log-level=warn', ...join],
        ...[`-http-port=${http}`, `-server-port=${rpc}`, `-serf-lan-port=${serf}`, '-serf-wan-port=-1'],
        ...['-grpc-port=-1', '-grpc-tls-port=-1', '-dns-port=-1'],
        ...['-hcl', 'performance { raft_multiplier = 1 }\nconnect { enabled = false }\ndisable_update_check = true'],
      ],
      folder,
    )
  }

  get isRunning(): boolean {
    return this.#process.isRunning
  }

  async knowsLeader(): Promise<void> {
    await this.#process.until('one of a cluster with a leader', () => this.api.hasLeader())
  }

  async kill(): Promise<void> {
    await this.#process.kill()
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.kill()
    await this.api[Symbol.asyncDispose]()
  }
}
