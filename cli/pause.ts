// A pause that an interrupt ends.
import type { CliIo } from './cli-io.ts'

/** Resolves after so many milliseconds, or at once when the user interrupts. */
export function pause(io: CliIo, ms: number): Promise<void> {
  return new Promise(resolve => {
    const done = (): void => {
      cancel()
      io.interrupted.removeEventListener('abort', done)
      resolve()
    }
    const cancel = io.clock.after(ms, done)
    io.interrupted.addEventListener('abort', done, { once: true })
  })
}
