// One run of namerctl: the client and the outputs that commands share, and the forms of output.
import type { Command } from 'commander'
import { stringify } from 'yaml'
import { ApiClient } from './api-client.ts'
import { findBaseUrl } from './base-url.ts'
import type { CliIo } from './cli-io.ts'
import { createPaint, type Paint } from './styles.ts'

export const outputForms = ['table', 'json', 'yaml'] as const
export type OutputForm = (typeof outputForms)[number]

/** Options that every command has. */
export interface GlobalOptions {
  readonly baseUrl?: string
  readonly config?: string
  readonly output: OutputForm
}

export interface Session {
  readonly io: CliIo
  readonly client: ApiClient
  readonly form: OutputForm
  readonly paint: Paint
  /** Lines for people, on standard output. */
  say(...lines: readonly string[]): void
  /** A remark on standard error. */
  remark(line: string): void
  /** The server's answer in the form asked for, or `lines` for people. */
  show(answer: unknown, lines: () => readonly string[]): void
}

/** Finds the server; sends nothing. */
export function openSession(io: CliIo, command: Command): Session {
  const options = command.optsWithGlobals<GlobalOptions>()
  const { baseUrl, config, output: form } = options
  const client = new ApiClient({
    baseUrl: findBaseUrl({ option: baseUrl, configFile: config, env: io.env, cwd: io.cwd, home: io.home }),
    fetch: io.fetch,
    author: io.user,
  })
  // As an array: a large dtab has more lines than a call takes arguments.
  const print = (lines: readonly string[]): void => {
    if (lines.length > 0) io.stdout(`${lines.join('\n')}\n`)
  }
  return {
    io,
    client,
    form,
    paint: createPaint(io, 'stdout'),
    say: (...lines) => print(lines),
    remark: line => io.stderr(`${line}\n`),
    show: (answer, lines) => {
      if (form === 'table') print(lines())
      else io.stdout(form === 'json' ? `${JSON.stringify(answer, null, 2)}\n` : stringify(answer))
    },
  }
}
