// Prints from a process that may be killed at any instant: once it returns, the line is out of this process.
import { writeSync } from 'node:fs'

/** Waits in place while the pipe is full. Lines are short enough for the pipe to take each whole. */
export function printLine(line: string): void {
  for (;;) {
    try {
      writeSync(1, `${line}\n`)
      return
    } catch (error) {
      const isFull = error instanceof Error && 'code' in error && error.code === 'EAGAIN'
      if (!isFull) throw error
    }
  }
}
