// A real backend as a child process: its output is kept, readiness is asked for until it is there, and its end is SIGKILL.
import { type ChildProcess, spawn } from 'node:child_process'
import { readdirSync, readFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { setTimeout as delay } from 'node:timers/promises'
import { locateTool } from '../../backends/locate.ts'

const keptOutput = 20_000
const pollMs = 10

/** Ports below those that outgoing connections take, so that nothing takes one while a backend is down. */
const portsFrom = 20_000
const portsTo = 32_000

/** Whoever got one may not listen on it yet, or may have stopped for a while. */
const givenAway = new Set<number>()

/** Resolves to so many TCP ports of 127.0.0.1 on which nobody listens now, and that nobody else in this process is given. */
export async function freePorts(count: number): Promise<readonly number[]> {
  const found: number[] = []
  while (found.length < count) {
    const port = portsFrom + Math.floor(Math.random() * (portsTo - portsFrom))
    if (givenAway.has(port)) continue
    givenAway.add(port)
    if (await isFree(port)) found.push(port)
  }
  return found
}

async function isFree(port: number): Promise<boolean> {
  const server = createServer()
  return await new Promise(resolve => {
    server.once('error', () => resolve(false))
    server.listen(port, '127.0.0.1', () => server.close(() => resolve(true)))
  })
}

/**
 * Asks again and again, at once and then every 10 ms, until the answer is neither undefined nor false; a throw counts as not yet.
 * Rejects after `limitMs` with the last error: no injected clock reaches another process.
 */
export async function eventually<T>(what: string, probe: () => Promise<T | undefined>, limitMs = 30_000): Promise<T> {
  const deadline = performance.now() + limitMs
  let last: unknown
  while (performance.now() < deadline) {
    try {
      const answer = await probe()
      if (answer !== undefined && answer !== false) return answer
    } catch (error) {
      last = error
    }
    await delay(pollMs)
  }
  throw new Error(`${what}: not within ${limitMs} ms`, { cause: last })
}

/** Resident memory of a process, in bytes: now (`VmRSS`), or the most it ever had (`VmHWM`). */
export function residentBytes(pid: number, field: 'VmRSS' | 'VmHWM' = 'VmRSS'): number {
  const line = new RegExp(`^${field}:\\s+(\\d+) kB`, 'm')
  const kilobytes = line.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]
  if (kilobytes === undefined) throw new Error(`process ${pid} tells no ${field}`)
  return Number(kilobytes) * 1024
}

/** One running backend. It dies with this process, at the latest. */
export class BackendProcess implements AsyncDisposable {
  readonly #child: ChildProcess
  readonly #command: string
  readonly #ended: Promise<void>
  #output = ''

  constructor(command: string, argv: readonly string[], cwd: string) {
    this.#command = command
    // setpriv becomes the command; it dies with us even when we are killed.
    const launched = ['--pdeathsig', 'KILL', command, ...argv]
    this.#child = spawn(locateTool('setpriv'), launched, { cwd, stdio: ['ignore', 'pipe', 'pipe'] })
    const keep = (chunk: unknown): void => {
      this.#output = (this.#output + String(chunk)).slice(-keptOutput)
    }
    this.#child.stdout?.on('data', keep)
    this.#child.stderr?.on('data', keep)
    this.#child.once('error', keep)
    this.#ended = new Promise(resolve => {
      this.#child.once('close', () => resolve())
      this.#child.once('error', () => resolve())
    })
  }

  get pid(): number {
    if (this.#child.pid === undefined) throw new Error(`${this.#command} did not start: ${this.#output}`)
    return this.#child.pid
  }

  get isRunning(): boolean {
    return this.#child.pid !== undefined && this.#child.exitCode === null && this.#child.signalCode === null
  }

  /** Resolves once `probe` gives true; rejects with the output when the process ends first or `limitMs` is over. */
  async until(what: string, probe: () => Promise<boolean>, limitMs = 60_000): Promise<void> {
    const outcome = await eventually(
      `${this.#command} ${what}`,
      async () => (!this.isRunning ? 'ended' : (await probe()) ? 'ready' : undefined),
      limitMs,
    ).catch((error: unknown) => {
      throw new Error(`${String(error)}\n${this.#output}`, { cause: error })
    })
    if (outcome === 'ended') throw new Error(`${this.#command} ended before it was ${what}:\n${this.#output}`)
  }

  /** SIGKILL, as by a power cut; resolves once it is gone. */
  async kill(): Promise<void> {
    this.#child.kill('SIGKILL')
    await this.#ended
  }

  /** Stands still without closing anything, as behind a dead path; `resume` ends it. */
  freeze(): void {
    this.#child.kill('SIGSTOP')
    // The signal is on its way: a thread that still runs may answer meanwhile.
    while (!isStopped(this.#child.pid));
  }

  resume(): void {
    this.#child.kill('SIGCONT')
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.kill()
  }
}

/** Whether no thread of a process runs; true of one that is gone. */
function isStopped(pid: number | undefined): boolean {
  try {
    const threads = readdirSync(`/proc/${pid}/task`)
    return threads.every(thread => /\) [TtZX] /.test(readFileSync(`/proc/${pid}/task/${thread}/stat`, 'utf8')))
  } catch {
    return true // it ended while we looked
  }
}
