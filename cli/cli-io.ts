// Everything that namerctl touches outside itself, so that tests run it in this process.
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { homedir, userInfo } from 'node:os'
import { type Clock, type Random, systemClock, systemRandom } from '../watch/clock.ts'
import { strictText } from './strict-text.ts'

export interface CliIo {
  readonly stdout: (text: string) => void
  readonly stderr: (text: string) => void
  readonly readStdin: () => Promise<string>
  /** Standard input as it comes. */
  readonly openStdin: () => AsyncIterable<Uint8Array>
  /** Bytes to standard output; resolves once more may follow. */
  readonly writeStdout: (bytes: Uint8Array) => Promise<void>
  readonly env: Readonly<Record<string, string | undefined>>
  readonly cwd: string
  readonly home: string
  /** The operating system's user, sent as author. */
  readonly user: string
  /** Whether standard output, and standard error, are terminals that a person looks at. */
  readonly isTerminal: { readonly stdout: boolean; readonly stderr: boolean }
  readonly fetch: typeof fetch
  /** Runs an editor on a file in the foreground; resolves to its exit code. */
  readonly runEditor: (command: string, file: string) => Promise<number>
  readonly clock: Clock
  readonly random: Random
  /** Aborted when the user interrupts; ends watches. */
  readonly interrupted: AbortSignal
}

/** The process's own. */
export function createProcessIo(): CliIo {
  let interrupted: AbortSignal | undefined
  endQuietlyWithoutReader()
  return {
    stdout: text => process.stdout.write(text),
    stderr: text => process.stderr.write(text),
    readStdin,
    openStdin: () => process.stdin,
    writeStdout,
    env: process.env,
    cwd: process.cwd(),
    home: homedir(),
    user: userName(),
    isTerminal: { stdout: process.stdout.isTTY === true, stderr: process.stderr.isTTY === true },
    fetch,
    runEditor,
    clock: systemClock,
    random: systemRandom,
    get interrupted() {
      interrupted ??= catchInterrupt()
      return interrupted
    },
  }
}

/** The first interrupt ends what listens, the second the process. Until somebody listens, the first does. */
function catchInterrupt(): AbortSignal {
  const interrupt = new AbortController()
  process.once('SIGINT', () => interrupt.abort())
  return interrupt.signal
}

/** `namerctl ... | head` is no error. */
function endQuietlyWithoutReader(): void {
  process.stdout.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code === 'EPIPE') process.exit(0)
    throw error
  })
}

async function writeStdout(bytes: Uint8Array): Promise<void> {
  if (!process.stdout.write(bytes)) await once(process.stdout, 'drain')
}

async function readStdin(): Promise<string> {
  const chunks: Buffer[] = []
  for await (const chunk of process.stdin) chunks.push(Buffer.from(chunk))
  return strictText(Buffer.concat(chunks), 'standard input')
}

/** A container's user may have no name. */
function userName(): string {
  try {
    return userInfo().username
  } catch (error) {
    if (error instanceof Error) return process.env.USER ?? 'unknown'
    throw error
  }
}

/** Through a shell, because $EDITOR may hold arguments; the file is an argument of its own. */
function runEditor(command: string, file: string): Promise<number> {
  return new Promise((resolve, reject) => {
    const child = spawn('sh', ['-c', `${command} "$1"`, 'editor', file], { stdio: 'inherit' })
    // An interrupt is for the editor.
    const ignore = (): void => {}
    process.on('SIGINT', ignore)
    child.on('error', reject)
    child.on('exit', code => {
      process.off('SIGINT', ignore)
      resolve(code ?? 1)
    })
  })
}
