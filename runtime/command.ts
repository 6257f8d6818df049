// How a command of ours starts, stops and fails: one line for a person, an exit code for a script.
import { NamingError } from '../naming/errors.ts'

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

/** Resolves at the first SIGTERM or SIGINT; a second one ends the process at once. */
export function untilStopped(): Promise<NodeJS.Signals> {
  return new Promise(resolve => {
    let isStopping = false
    const stop = (signal: NodeJS.Signals): void => {
      if (isStopping) process.exit(exitFailed)
      isStopping = true
      resolve(signal)
    }
    process.on('SIGTERM', stop)
    process.on('SIGINT', stop)
  })
}

/** Tells a parent process that spawned this one with an IPC channel; does nothing otherwise. */
export function tellParent(message: object): void {
  process.send?.(message)
}

/** When a parent that spawned this process with an IPC channel goes away, so does this process: it is asked to stop. */
export function stopWithParent(): void {
  if (process.send === undefined) return
  process.on('disconnect', () => process.kill(process.pid, 'SIGTERM'))
}
