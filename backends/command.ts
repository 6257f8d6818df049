// Runs one command to its end, quietly: its output is kept, and its last lines are shown when it fails.
import { spawn } from 'node:child_process'
import { BackendError } from './backend-error.ts'

const shownLines = 40

export interface CommandOptions {
  readonly cwd?: string
  /** Added to our own environment. */
  readonly env?: Readonly<Record<string, string>>
  /** Ends the command and all that it has started. */
  readonly signal: AbortSignal
}

/** What the command printed on its standard output. Rejects with a BackendError that holds its last lines when it fails. */
export async function runCommand(
  command: string,
  parameters: readonly string[],
  { cwd, env, signal }: CommandOptions,
): Promise<string> {
  signal.throwIfAborted()
  // A process group of its own, so that a compiler's children end with it.
  const child = spawn(command, parameters, {
    ...(cwd === undefined ? {} : { cwd }),
    env: { ...process.env, ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
    detached: true,
  })
  const printed: string[] = []
  const lastLines = lastLinesOf(child.stdout, child.stderr)
  child.stdout.on('data', (text: string) => printed.push(text))
  const endGroup = (): void => {
    try {
      if (child.pid !== undefined) process.kill(-child.pid, 'SIGKILL')
    } catch {
      // It has just ended by itself.
    }
  }
  signal.addEventListener('abort', endGroup)
  const failure = await new Promise<string | undefined>(resolve => {
    child.once('error', error => resolve(error.message))
    child.once('close', (code, by) => resolve(code === 0 ? undefined : `ended with ${by ?? `code ${code}`}`))
  })
  signal.removeEventListener('abort', endGroup)
  signal.throwIfAborted()
  if (failure === undefined) return printed.join('')
  throw new BackendError([`${[command, ...parameters].join(' ')}: ${failure}`, ...lastLines()].join('\n  '))
}

/** Reads the streams as text and keeps the last lines of both, as they came. */
function lastLinesOf(...streams: readonly NodeJS.ReadableStream[]): () => readonly string[] {
  let kept: readonly string[] = ['']
  for (const stream of streams) {
    stream.setEncoding('utf8')
    stream.on('data', (text: string) => {
      const [first = '', ...rest] = text.split('\n')
      kept = [...kept.slice(0, -1), (kept.at(-1) ?? '') + first, ...rest].slice(-shownLines - 1)
    })
  }
  return () => kept.filter(line => line.trim() !== '')
}
