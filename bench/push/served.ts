// A server process for the push benchmarks: dist when it is built as the users have it, an fs namer, rules in memory.
import { existsSync } from 'node:fs'
import { mkdir, mkdtemp, readFile, rename, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Command, portOf, root } from '../../test/e2e/process.fixture.ts'

export interface ServedOptions {
  /** Folder with what every server of the benchmark shares. */
  readonly folder?: string
  readonly workers?: number
  readonly grpcPort?: number
  /** Rules that outlive the process. */
  readonly isDurable?: boolean
}

/** One server; dispose ends it and, when it made it, removes the folder. */
export class Served implements AsyncDisposable {
  readonly folder: string
  readonly #ownsFolder: boolean
  #command: Command | undefined
  #http = 0
  #grpc = 0
  #admin = 0

  private constructor(folder: string, ownsFolder: boolean) {
    this.folder = folder
    this.#ownsFolder = ownsFolder
  }

  static async start(options: ServedOptions = {}): Promise<Served> {
    const folder = options.folder ?? (await mkdtemp(join(tmpdir(), 'nameplane-push-')))
    const served = new Served(folder, options.folder === undefined)
    await mkdir(join(folder, 'disco'), { recursive: true })
    await served.launch(options)
    return served
  }

  /** Starts it, again after a kill. */
  async launch({ workers, grpcPort = 0, isDurable = false }: ServedOptions): Promise<void> {
    const config = join(this.folder, `server-${grpcPort}.json`)
    const storage = isDurable ? { kind: 'sqlite', path: join(this.folder, 'rules.db') } : { kind: 'io.l5d.inMemory' }
    const mesh = { kind: 'io.l5d.mesh', port: grpcPort, ...(workers !== undefined && { workers }) }
    await writeFile(
      config,
      JSON.stringify({
        admin: { port: 0 },
        storage,
        namers: [{ kind: 'io.l5d.fs', rootDir: join(this.folder, 'disco') }],
        interfaces: [{ kind: 'io.l5d.httpController', port: 0 }, mesh],
      }),
    )
    const built = join(root, 'dist/bin/nameplane.js')
    const program = existsSync(built) ? built : join(root, 'bin/nameplane.ts')
    this.#command = new Command([program, 'serve', config, '--log-level', 'error'])
    const ports = await this.#command.listening()
    this.#http = portOf(ports, 'http')
    this.#grpc = portOf(ports, 'grpc')
    this.#admin = portOf(ports, 'admin')
  }

  get address(): string {
    return `127.0.0.1:${this.#grpc}`
  }

  get grpcPort(): number {
    return this.#grpc
  }

  get pid(): number {
    const pid = this.#command?.child.pid
    if (pid === undefined) throw new Error('the server does not run')
    return pid
  }

  async put(dtab: string): Promise<void> {
    const response = await fetch(`http://127.0.0.1:${this.#http}/api/dtabs/default`, {
      method: 'PUT',
      headers: { 'content-type': 'application/dtab' },
      body: dtab,
    })
    if (!response.ok) throw new Error(await response.text())
  }

  /** Endpoints of a concrete name, by a rename as editors and configuration tools do it. */
  async endpoints(name: string, ports: readonly number[]): Promise<void> {
    const file = join(this.folder, 'disco', name)
    await writeFile(`${this.folder}/new`, ports.map(port => `127.0.0.1 ${port}\n`).join(''))
    await rename(`${this.folder}/new`, file)
  }

  /** Resident now and at most, in MB. */
  async memory(): Promise<{ readonly rss: number; readonly peak: number }> {
    const status = await readFile(`/proc/${this.pid}/status`, 'utf8')
    const mb = (field: string): number => Number(new RegExp(`${field}:\\s+(\\d+) kB`).exec(status)?.[1]) / 1024
    return { rss: mb('VmRSS'), peak: mb('VmHWM') }
  }

  /** The sum of a metric's series. */
  async metric(name: string): Promise<number> {
    const text = await (await fetch(`http://127.0.0.1:${this.#admin}/metrics`)).text()
    const values = [...text.matchAll(new RegExp(`^${name}(?:\\{[^}]*\\})? (\\S+)$`, 'gm'))]
    return values.reduce((sum, [, value]) => sum + Number(value), 0)
  }

  async kill(): Promise<void> {
    this.#command?.child.kill('SIGKILL')
    await this.#command?.finished
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.kill()
    if (this.#ownsFolder) await rm(this.folder, { recursive: true })
  }
}
