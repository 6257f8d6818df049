// What ends a command early: a message for people and the exit code for scripts.

/** 1: refused or failed. 2: usage. 3: precondition failed. 4: not found. */
export type FailureCode = 1 | 2 | 3 | 4

/** The message says cause and cure in one line; `more` are lines that show details. */
export class CliError extends Error {
  readonly exitCode: FailureCode
  readonly more: readonly string[]

  constructor(exitCode: FailureCode, message: string, options: { more?: readonly string[]; cause?: unknown } = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause })
    this.exitCode = exitCode
    this.more = options.more ?? []
  }

  /** The same with one more line at the end. */
  withMore(line: string): CliError {
    return new CliError(this.exitCode, this.message, { more: [...this.more, line], cause: this.cause })
  }
}

/** Runs what a user may interrupt; then `interrupted` is thrown in place of whatever broke. */
export async function untilInterrupted(
  signal: AbortSignal,
  interrupted: string,
  run: () => Promise<void>,
): Promise<void> {
  try {
    await run()
  } catch (error) {
    throw signal.aborted ? new CliError(1, interrupted, { cause: error }) : error
  }
}

export function usageError(message: string): CliError {
  return new CliError(2, message)
}

/** The words of an error that is not ours, its innermost cause first: `fetch failed` alone helps nobody. */
export function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error)
  if (error instanceof AggregateError && error.errors.length > 0) return reasonOf(error.errors[0])
  return error.cause === undefined ? error.message : reasonOf(error.cause)
}
