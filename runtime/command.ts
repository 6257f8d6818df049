// How a command of ours starts, stops and fails: one line for a person, an exit code for a script.
import { NamingError } from '../naming/errors.ts'
import type { Clock } from '../watch/clock.ts'

/** Exit codes of the long-running commands: 1 could not start or broke, 2 the command line or configuration is wrong. */
export const exitFailed = 1
export const exitUsage = 2

/** Prints why a command failed, without a stack trace unless the failure is a bug of ours, and returns its exit code. */
export function reportFailure(command: string, error: unknown, print: (line: string) => void): number {
  const known = NamingError.from(error)
  if (known.code === 'internal')
    print(`${command}: ${known.cause instanceof Error ? (known.cause.stack ?? known.cause.message) : known.message}`)
  else print(`${command}: ${known.message}`)
  return known.code === 'bad-config' ? exitUsage : exitFailed
}

/** A terminal, npm and a parent process each pass one wish to stop on; signals this close together are that one wish. */
const sameWishMs = 500

/** Resolves at the first SIGTERM or SIGINT; a second one, unless it follows at once, ends the process without grace. */
export function untilStopped(clock: Clock): Promise<NodeJS.Signals> {
  return new Promise(resolve => {
    let stoppingSince: number | undefined
    const stop = (signal: NodeJS.Signals): void => {
      const now = clock.monotonic()
      if (stoppingSince !== undefined && now - stoppingSince >= sameWishMs) process.exit(exitFailed)
      stoppingSince ??= now
      resolve(signal)
    }
    process.on('SIGTERM', stop)
    process.on('SIGINT', stop)
  })
}

/** Tells a parent process that spawned this one with an IPC channel; does nothing otherwise, nor when that parent is gone. */
export function tellParent(message: object): void {
  if (process.connected) process.send?.(message, undefined, {}, () => {})
}

/** When a parent that spawned this process with an IPC channel goes away, so does this process: it is asked to stop. */
export function stopWithParent(): void {
  if (process.send === undefined) return
  const stop = (): void => void process.kill(process.pid, 'SIGTERM')
  if (process.connected) process.once('disconnect', stop)
  else stop()
}
