// How options are read, and how help shows examples.
import { InvalidArgumentError } from 'commander'

/** For `--flag`, `--flag=true` and `--flag=false`, as Go's flags are written. */
export function asBoolean(text: string): boolean {
  if (/^(true|t|1|yes)$/i.test(text)) return true
  if (/^(false|f|0|no)$/i.test(text)) return false
  throw new InvalidArgumentError('write true or false')
}

/** Reads a number of things, 1 to `most`. */
export function countUpTo(most: number): (text: string) => number {
  return text => {
    const count = /^\d{1,9}$/.test(text) ? Number(text) : 0
    if (count < 1 || count > most) throw new InvalidArgumentError(`write a number from 1 to ${most}`)
    return count
  }
}

/** Seconds from 0 to an hour, with decimals. */
export function parseSeconds(text: string): number {
  const seconds = /^\d{1,4}(\.\d{1,3})?$/.test(text) ? Number(text) : Number.NaN
  if (!(seconds <= 3600)) throw new InvalidArgumentError('write seconds, such as 2 or 0.5, at most 3600')
  return seconds
}

/** The examples at the end of a command's help: what to type after `namerctl`, and what it does. */
export function examples(...rows: readonly (readonly [command: string, meaning: string])[]): string {
  const width = Math.max(...rows.map(([command]) => command.length))
  const lines = rows.map(([command, meaning]) => `  $ namerctl ${command.padEnd(width)}   # ${meaning}`)
  return `\nExamples:\n${lines.join('\n')}`
}

/** `-m`, on each command that writes. */
export const messageOption = ['-m, --message <text>', 'why; kept with the version'] as const
