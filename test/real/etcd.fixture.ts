// Real etcd servers: one, or three that elect a leader among them. They begin empty and keep their ports over restarts.
import { cp, mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { locateBackend } from '../../backends/locate.ts'
import { BackendProcess, eventually, freePorts } from './backend-process.fixture.ts'
import { EtcdApi } from './etcd-api.fixture.ts'

interface Member {
  readonly name: string
  readonly client: number
  readonly peer: number
}

/** Of the command line: the same for all servers, or by the URL that a server listens on for clients. */
type MoreArguments = readonly string[] | ((clientUrl: string) => readonly string[])

/** One server. */
export class EtcdServer implements AsyncDisposable {
  readonly name: string
  readonly port: number
  /** `host:port` for clients. */
  readonly endpoint: string
  readonly api: EtcdApi
  readonly #folder: string
  readonly #argv: readonly string[]
  #process: BackendProcess | undefined

  constructor({ name, client, peer }: Member, members: readonly Member[], folder: string, more: MoreArguments) {
    this.name = name
    this.port = client
    this.endpoint = `127.0.0.1:${client}`
    this.api = new EtcdApi(client)
    this.#folder = join(folder, name)
    const [clientUrl, peerUrl] = [`http://127.0.0.1:${client}`, `http://127.0.0.1:${peer}`]
    this.#argv = [
      ...[`--name=${name}`, `--data-dir=${this.#folder}`, '--unsafe-no-fsync', '--log-level=error'],
      ...[`--listen-client-urls=${clientUrl}`, `--advertise-client-urls=${clientUrl}`],
      ...[`--listen-peer-urls=${peerUrl}`, `--initial-advertise-peer-urls=${peerUrl}`],
      `--initial-cluster=${members.map(other => `${other.name}=http://127.0.0.1:${other.peer}`).join(',')}`,
      ...(typeof more === 'function' ? more(clientUrl) : more),
    ]
  }

  get isRunning(): boolean {
    return this.#process?.isRunning === true
  }

  /** Starts it, again on what it had; not ready yet. */
  launch(): void {
    this.#process = new BackendProcess(locateBackend('etcd'), this.#argv, tmpdir())
  }

  async ready(): Promise<void> {
    await this.#process?.until('ready', () => this.api.isHealthy())
  }

  async start(): Promise<void> {
    this.launch()
    await this.ready()
  }

  /** SIGKILL; what was written is there at the next start. */
  async kill(): Promise<void> {
    await this.#process?.kill()
  }

  /** Stands still with its connections open. */
  freeze(): void {
    this.#process?.freeze()
  }

  resume(): void {
    this.#process?.resume()
  }

  /** Copies what it has written, while it is not running; `restore` puts the copy back. */
  async save(): Promise<void> {
    await cp(this.#folder, `${this.#folder}.saved`, { recursive: true })
  }

  async restore(): Promise<void> {
    await rm(this.#folder, { recursive: true, force: true })
    await cp(`${this.#folder}.saved`, this.#folder, { recursive: true })
  }

  /** Begins with nothing at the next start. */
  async wipe(): Promise<void> {
    await rm(this.#folder, { recursive: true, force: true })
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.kill()
  }
}

/** Servers of one cluster, all ready. Dispose kills them and removes their folders. */
export class RealEtcd implements AsyncDisposable {
  readonly servers: readonly EtcdServer[]
  readonly #folder: string

  private constructor(servers: readonly EtcdServer[], folder: string) {
    this.servers = servers
    this.#folder = folder
  }

  static async start(options: { readonly servers?: 1 | 3; readonly argv?: MoreArguments } = {}): Promise<RealEtcd> {
    const { servers: count = 1, argv = [] } = options
    const folder = await mkdtemp(join(tmpdir(), 'nameplane-etcd-'))
    const ports = await freePorts(2 * count)
    const members = Array.from({ length: count }, (_, n): Member => {
      const [client = 0, peer = 0] = ports.slice(2 * n)
      return { name: `e${n + 1}`, client, peer }
    })
    const etcd = new RealEtcd(
      members.map(member => new EtcdServer(member, members, folder, argv)),
      folder,
    )
    try {
      for (const server of etcd.servers) server.launch()
      for (const server of etcd.servers) await server.ready()
    } catch (error) {
      await etcd[Symbol.asyncDispose]()
      throw error
    }
    return etcd
  }

  /** The first, and the only one where there is one. */
  get server(): EtcdServer {
    const [first] = this.servers
    if (first === undefined) throw new Error('a cluster without servers')
    return first
  }

  get endpoints(): readonly string[] {
    return this.servers.map(({ endpoint }) => endpoint)
  }

  /** The leader, as the running servers see it. */
  async leader(): Promise<EtcdServer> {
    return await eventually('one leader', async () => {
      for (const server of this.servers.filter(({ isRunning }) => isRunning)) {
        const { leader, member } = await server.api.status()
        if (leader !== '0' && leader === member) return server
      }
      return undefined
    })
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const server of this.servers) await server[Symbol.asyncDispose]()
    await rm(this.#folder, { recursive: true, force: true })
  }
}
