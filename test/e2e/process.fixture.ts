// Starts the real commands as child processes and waits for what they print or tell; used by tests and benchmarks.
import { type ChildProcess, spawn } from 'node:child_process'
import { join } from 'node:path'
import { z } from 'zod'

export const root: string = join(import.meta.dirname, '../..')

const told = z.object({ listening: z.array(z.object({ api: z.string(), host: z.string(), port: z.number() })) })

export interface Finished {
  readonly code: number | null
  readonly stdout: string
  readonly stderr: string
}

export interface CommandOptions {
  readonly cwd?: string
  readonly env?: NodeJS.ProcessEnv
  /** What it can read from standard input. */
  readonly input?: string
}

/** One child process; its output is kept. Dispose ends it. */
export class Command implements AsyncDisposable {
  readonly child: ChildProcess
  stdout = ''
  stderr = ''
  readonly finished: Promise<Finished>
  readonly #waiting = new Set<() => void>()

  constructor(argv: readonly string[], options: CommandOptions = {}) {
    this.child = spawn(process.execPath, [...argv], {
      cwd: options.cwd ?? root,
      env: { ...process.env, NO_COLOR: '1', ...options.env },
      stdio: ['pipe', 'pipe', 'pipe', 'ipc'],
    })
    this.child.stdin?.on('error', () => {}).end(options.input ?? '')
    this.child.stdout?.on('data', chunk => this.#keep('stdout', String(chunk)))
    this.child.stderr?.on('data', chunk => this.#keep('stderr', String(chunk)))
    this.finished = new Promise(resolve => {
      this.child.once('close', code => {
        resolve({ code, stdout: this.stdout, stderr: this.stderr })
        for (const look of this.#waiting) look()
      })
    })
  }

  #keep(stream: 'stdout' | 'stderr', text: string): void {
    this[stream] += text
    for (const look of this.#waiting) look()
  }

  /** Resolves once standard output or error matches; rejects with the output when the process ends first. */
  async printed(pattern: RegExp): Promise<RegExpExecArray> {
    return await new Promise((resolve, reject) => {
      const look = (): void => {
        const match = pattern.exec(this.stdout) ?? pattern.exec(this.stderr)
        if (match !== null) resolve(match)
        else if (this.child.exitCode !== null)
          reject(new Error(`ended without printing ${pattern}:\n${this.stdout}\n${this.stderr}`))
        else return
        this.#waiting.delete(look)
      }
      this.#waiting.add(look)
      look()
    })
  }

  /** The ports the command says it listens on, by role; rejects with the output when it ends first. */
  async listening(): Promise<ReadonlyMap<string, number>> {
    return await new Promise((resolve, reject) => {
      this.child.once('message', message =>
        resolve(new Map(told.parse(message).listening.map(({ api, port }) => [api, port]))),
      )
      void this.finished.then(({ stdout, stderr }) =>
        reject(new Error(`ended before it listened:\n${stdout}\n${stderr}`)),
      )
    })
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.child.exitCode === null) this.child.kill('SIGTERM')
    await this.finished
  }
}

/** Runs `nameplane ...argv` from the sources. */
export function nameplane(argv: readonly string[], options: CommandOptions = {}): Command {
  return new Command([join(root, 'bin/nameplane.ts'), ...argv], options)
}

/** A role's port, or an error that names the role. */
export function portOf(ports: ReadonlyMap<string, number>, role: string): number {
  const port = ports.get(role)
  if (port === undefined) throw new Error(`nothing listens as ${role}`)
  return port
}
