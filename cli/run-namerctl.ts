// Runs one command line and turns whatever happens into output and an exit code.
import { CommanderError } from 'commander'
import { RefusedError } from './api-client.ts'
import { CliError } from './cli-error.ts'
import type { CliIo } from './cli-io.ts'
import { cliErrorOf } from './problem-text.ts'
import { createProgram } from './program.ts'
import { createPaint } from './styles.ts'

/** `argv` without the interpreter and the script. Resolves to the exit code; never rejects on a failure of the command. */
export async function runNamerctl(argv: readonly string[], io: CliIo): Promise<number> {
  try {
    await createProgram(io).parseAsync(argv, { from: 'user' })
    return 0
  } catch (error) {
    if (error instanceof CommanderError) return error.code === 'commander.help' ? usage : exitCodeOf(error)
    return report(toCliError(error, io), io)
  }
}

const usage = 2

/** Help and version were asked for; anything else commander has said already. */
function exitCodeOf({ exitCode }: CommanderError): number {
  return exitCode === 0 ? 0 : usage
}

function toCliError(error: unknown, io: CliIo): CliError {
  if (error instanceof CliError) return error
  if (error instanceof RefusedError) return cliErrorOf(error.problem, {}, createPaint(io, 'stderr'))
  throw error
}

function report(error: CliError, io: CliIo): number {
  const paint = createPaint(io, 'stderr')
  io.stderr(`${[`namerctl: ${paint('red', error.message)}`, ...error.more].join('\n')}\n`)
  return error.exitCode
}
