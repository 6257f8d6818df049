// A server process and one client on its gRPC watch: shows what such a client sees, and when.
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parsePath } from '../../naming/parse.ts'
import type { Endpoint, ReplicaSet } from '../../naming/replica-set.ts'
import { orThrow } from '../../naming/result.ts'
import { createWatchClient, type WatchClient } from '../../proxy-client/watch/watch-client.ts'
import { silentLog } from '../../runtime/log.ts'
import { createMetrics } from '../../runtime/metrics.ts'
import type { Cell, Kernel } from '../../watch/cell.ts'
import { systemClock, systemRandom } from '../../watch/clock.ts'
import { createKernel } from '../../watch/kernel.ts'
import type { State } from '../../watch/state.ts'
import { type Command, nameplane, portOf } from './process.fixture.ts'

/** One watched cell: what it shows, and who waits for what it will show. */
export class Watched<T> {
  /** Number of states delivered. */
  deliveries = 0
  readonly #cell: Cell<T>
  readonly #waiting = new Set<(state: State<T>) => void>()
  #state: State<T>

  constructor(cell: Cell<T>) {
    this.#cell = cell
    this.#state = cell.peek()
    cell.watch(state => {
      this.#state = state
      this.deliveries++
      for (const look of this.#waiting) look(state)
    })
  }

  get state(): State<T> {
    return this.#state
  }

  /** Calls `look` at each delivery until the returned function is called. */
  onDelivery(look: (state: State<T>) => void): () => void {
    this.#waiting.add(look)
    return () => this.#waiting.delete(look)
  }

  /** Resolves with the time (of `performance.now`) at which a state that fits was delivered; now, when the present one fits. */
  async until(fits: (state: State<T>) => boolean, limitMs = 60_000): Promise<number> {
    if (fits(this.#state)) return performance.now()
    return await new Promise((resolve, reject) => {
      const end = this.onDelivery(state => {
        if (!fits(state)) return
        const at = performance.now()
        end()
        clearTimeout(limit)
        resolve(at)
      })
      const limit = setTimeout(() => {
        end()
        reject(new Error(`${this.#cell.name} shows ${JSON.stringify(this.#state)} after ${limitMs} ms`))
      }, limitMs)
    })
  }
}

/** What a proxy would balance over; undefined while nothing good is known, or there is no such name. */
export function endpointsOf(state: State<ReplicaSet>): readonly Endpoint[] | undefined {
  return state.kind === 'ok' && state.value.kind === 'bound' ? state.value.endpoints : undefined
}

/** The number of endpoints; -1 while nothing good is known, or there is no such name. */
export function sizeOf(state: State<ReplicaSet>): number {
  return endpointsOf(state)?.length ?? -1
}

/** Whether it is known that there is no such name. */
export function isNeg(state: State<ReplicaSet>): boolean {
  return state.kind === 'ok' && state.value.kind === 'neg'
}

/** Everything ends with it. */
export class WatchedServer implements AsyncDisposable {
  readonly client: WatchClient
  readonly pid: number
  readonly #ports: ReadonlyMap<string, number>
  readonly #command: Command
  readonly #folder: string
  readonly #kernel: Kernel

  private constructor(folder: string, command: Command, ports: ReadonlyMap<string, number>) {
    this.#folder = folder
    this.#command = command
    this.#ports = ports
    this.pid = command.child.pid ?? 0
    this.#kernel = createKernel({
      clock: systemClock,
      onError: error => {
        throw error
      },
    })
    this.client = createWatchClient({
      addresses: [`127.0.0.1:${portOf(ports, 'grpc')}`],
      clientId: 'test',
      kernel: this.#kernel,
      clock: systemClock,
      random: systemRandom,
      log: silentLog,
      metrics: createMetrics(),
    })
  }

  /** Starts `nameplane serve` on memory storage with these namers, as they stand in its configuration. */
  static async start(...namers: readonly object[]): Promise<WatchedServer> {
    const folder = await mkdtemp(join(tmpdir(), 'nameplane-watched-'))
    const config = {
      admin: { port: 0 },
      storage: { kind: 'memory' },
      namers,
      interfaces: [
        { kind: 'io.l5d.httpController', port: 0 },
        { kind: 'io.l5d.mesh', port: 0 },
      ],
    }
    const file = join(folder, 'server.yaml')
    await writeFile(file, JSON.stringify(config))
    const command = nameplane(['serve', file, '--log-level', 'error'])
    try {
      return new WatchedServer(folder, command, await command.listening())
    } catch (error) {
      await command[Symbol.asyncDispose]()
      await rm(folder, { recursive: true, force: true })
      throw error
    }
  }

  /** The port of the HTTP API. */
  get httpPort(): number {
    return portOf(this.#ports, 'http')
  }

  get grpcPort(): number {
    return portOf(this.#ports, 'grpc')
  }

  get adminPort(): number {
    return portOf(this.#ports, 'admin')
  }

  /** Watches the endpoints of a concrete name such as /#/io.l5d.consul/dc1/web. */
  replicas(path: string): Watched<ReplicaSet> {
    return new Watched(this.client.replicas(orThrow(parsePath(path))))
  }

  /** The sum over all series of a metric of the server; 0 when there is none. */
  async metric(name: string): Promise<number> {
    const response = await fetch(`http://127.0.0.1:${this.adminPort}/metrics`)
    const series = (await response.text()).matchAll(new RegExp(`^${name}(?:\\{.*\\})? (\\S+)$`, 'gm'))
    return [...series].reduce((sum, [, value]) => sum + Number(value), 0)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.client.close()
    this.#kernel.close()
    await this.#command[Symbol.asyncDispose]()
    await rm(this.#folder, { recursive: true, force: true })
  }
}
