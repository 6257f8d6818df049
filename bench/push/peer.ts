// The load process of the push benchmarks: clients in Go (bench/peers/push), built anew by each run, orders and answers by line.
import { execFileSync, spawn } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { z } from 'zod'
import { root } from '../../test/e2e/process.fixture.ts'

/** What every client of an order speaks. */
export type Protocol = 'mesh-tree' | 'mesh-replicas' | 'watch' | 'etcd'

export interface Open {
  readonly protocol: Protocol
  readonly addresses: readonly string[]
  readonly connections: number
  /** On each connection. */
  readonly streams: number
  /** Of each `watch` stream: the first is followed by all, the second by a hundred streams, the rest come from 1,000. */
  readonly names?: number
  /** Of each other stream: the name, the id or the key. */
  readonly path?: string
  /** Whether lost connections come back. */
  readonly returns?: boolean
}

/** Moments in ms on the clock of `performance.now()`. */
export interface Reached {
  readonly first: number
  readonly p50: number
  readonly p99: number
  readonly last: number
}

const answer = z.looseObject({ event: z.string() })
const reached = z.object({ first: z.number(), p50: z.number(), p99: z.number(), last: z.number() })
const report = z.object({
  streams: z.number(),
  connected: z.number(),
  lost: z.number(),
  ended: z.number(),
  messages: z.number(),
  updates: z.number(),
  acks: z.number(),
  asked: z.number(),
})

export type Report = z.output<typeof report>

/** What has not come by then is missing. */
const limitMs = 120_000

/** One process of clients; dispose ends it. */
export class LoadPeer implements Disposable {
  readonly child: ReturnType<typeof spawn>
  readonly #folder = mkdtempSync(join(tmpdir(), 'nameplane-peer-'))
  readonly #waiting = new Map<string, ((fields: object) => void)[]>()

  constructor() {
    const program = join(this.#folder, 'push')
    execFileSync('go', ['build', '-o', program, './push'], { cwd: join(root, 'bench/peers'), stdio: 'inherit' })
    this.child = spawn(program, { stdio: ['pipe', 'pipe', 'inherit'] })
    if (this.child.stdout === null) throw new Error('the load process has no output')
    createInterface(this.child.stdout).on('line', line => this.#hear(line))
  }

  open(order: Open): void {
    this.#tell({ do: 'open', ...order })
  }

  /** Resolves when updates count from now on; `reached` does when so many have come, and rejects when they do not. */
  async expect(count: number): Promise<{ readonly reached: Promise<Reached> }> {
    const expecting = this.#next('expecting')
    const done = this.#next('reached').then(fields => {
      const { first, p50, p99, last } = reached.parse(fields)
      return { first: toLocal(first), p50: toLocal(p50), p99: toLocal(p99), last: toLocal(last) }
    })
    this.#tell({ do: 'expect', count })
    await expecting
    return { reached: this.#within(count, done) }
  }

  async report(): Promise<Report> {
    const answered = this.#next('report')
    this.#tell({ do: 'report' })
    return report.parse(await answered)
  }

  /** Opens and cancels so many streams of a name, each after its first message; gives how long it took, in ms. */
  async cycle(address: string, count: number, concurrent: number, path: string): Promise<number> {
    const done = this.#next('cycled')
    this.#tell({ do: 'cycle', addresses: [address], count, concurrent, path })
    return z.object({ ms: z.number() }).parse(await done).ms
  }

  [Symbol.dispose](): void {
    this.child.kill('SIGKILL')
    rmSync(this.#folder, { recursive: true })
  }

  #within(count: number, done: Promise<Reached>): Promise<Reached> {
    return new Promise((resolve, reject) => {
      const late = (report: Report): void =>
        reject(new Error(`${count} updates have not come in ${limitMs / 1000} s: ${JSON.stringify(report)}`))
      const timer = setTimeout(() => void this.report().then(late), limitMs)
      void done.then(reached => {
        clearTimeout(timer)
        resolve(reached)
      })
    })
  }

  #tell(order: object): void {
    this.child.stdin?.write(`${JSON.stringify(order)}\n`)
  }

  #next(event: string): Promise<object> {
    return new Promise(resolve => {
      this.#waiting.set(event, [...(this.#waiting.get(event) ?? []), resolve])
    })
  }

  #hear(line: string): void {
    const fields = answer.parse(JSON.parse(line))
    this.#waiting.get(fields.event)?.shift()?.(fields)
  }
}

/** Microseconds since 1970 on the clock of this process. */
function toLocal(micros: number): number {
  return micros / 1000 - performance.timeOrigin
}
