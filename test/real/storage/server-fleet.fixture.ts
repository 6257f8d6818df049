// Real server processes on one store, each with a folder of its own; any of them can be killed and started again.
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type Command, nameplane, portOf } from '../../e2e/process.fixture.ts'

/** How a server's storage stands in its configuration; servers may reach one backend by different ways. */
export type StorageFor = (server: number) => object

/** One server: its addresses change when it is started again. */
export interface FleetServer {
  readonly isRunning: boolean
  /** `http://127.0.0.1:4180`, of the life that began last. */
  readonly url: string
  readonly adminUrl: string
  readonly grpcPort: number
  /** What it has logged in this life. */
  readonly log: string
  readonly pid: number
  kill(): Promise<void>
  freeze(): void
  resume(): void
  /** Resolves once it listens. */
  start(): Promise<void>
}

/** Dispose kills them and removes their folders. */
export class ServerFleet implements AsyncDisposable {
  readonly servers: readonly FleetServer[]
  readonly #folder: string

  private constructor(folder: string, servers: readonly FleetServer[]) {
    this.#folder = folder
    this.servers = servers
  }

  /** `more` goes into each server's configuration. */
  static async start(count: number, storageFor: StorageFor, more: object = {}): Promise<ServerFleet> {
    const folder = await mkdtemp(join(tmpdir(), 'nameplane-fleet-'))
    const servers: Process[] = []
    for (let n = 0; n < count; n++) {
      const own = join(folder, `server-${n}`)
      await mkdir(own)
      const config = { admin: { port: 0 }, storage: storageFor(n), interfaces, ...more }
      await writeFile(join(own, 'server.json'), JSON.stringify(config))
      servers.push(new Process(own))
    }
    const fleet = new ServerFleet(folder, servers)
    try {
      await Promise.all(servers.map(server => server.start()))
    } catch (error) {
      await fleet[Symbol.asyncDispose]()
      throw error
    }
    return fleet
  }

  /** The URLs of those that run now. */
  get urls(): readonly string[] {
    return this.servers.filter(({ isRunning }) => isRunning).map(({ url }) => url)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(this.servers.map(server => server.kill()))
    await rm(this.#folder, { recursive: true, force: true })
  }
}

const interfaces = [
  { kind: 'io.l5d.httpController', port: 0 },
  { kind: 'io.l5d.mesh', port: 0 },
]

class Process implements FleetServer {
  readonly #folder: string
  #command: Command | undefined
  #ports: ReadonlyMap<string, number> = new Map()

  constructor(folder: string) {
    this.#folder = folder
  }

  get isRunning(): boolean {
    const child = this.#command?.child
    return child !== undefined && child.exitCode === null && child.signalCode === null
  }

  get url(): string {
    return `http://127.0.0.1:${portOf(this.#ports, 'http')}`
  }

  get adminUrl(): string {
    return `http://127.0.0.1:${portOf(this.#ports, 'admin')}`
  }

  get grpcPort(): number {
    return portOf(this.#ports, 'grpc')
  }

  get log(): string {
    return `${this.#command?.stdout ?? ''}${this.#command?.stderr ?? ''}`
  }

  get pid(): number {
    return this.#command?.child.pid ?? 0
  }

  async start(): Promise<void> {
    this.#command = nameplane(['serve', join(this.#folder, 'server.json')], { cwd: this.#folder })
    this.#ports = await this.#command.listening()
  }

  async kill(): Promise<void> {
    if (this.#command === undefined) return
    this.#command.child.kill('SIGKILL')
    await this.#command.finished
  }

  freeze(): void {
    this.#command?.child.kill('SIGSTOP')
  }

  resume(): void {
    this.#command?.child.kill('SIGCONT')
  }
}
