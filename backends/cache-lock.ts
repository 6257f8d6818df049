// One run at a time makes backends: two would do all work twice and need the memory of two linkers at once.
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { BackendError } from './backend-error.ts'

const sayAfterMs = 500

/**
 * Waits until no other process makes backends in `folder`; `onWait` is called when that takes a moment. The kernel holds the lock
 * for a child that ends with us, so it is free again however we end. Disposing gives it back.
 */
export async function lockCache(folder: string, onWait: () => void, signal: AbortSignal): Promise<Disposable> {
  signal.throwIfAborted()
  await mkdir(folder, { recursive: true })
  const holder = spawn('flock', [join(folder, 'lock'), 'sh', '-c', 'echo held; exec cat'], {
    stdio: ['pipe', 'pipe', 'inherit'],
    detached: true,
  })
  const wait = setTimeout(onWait, sayAfterMs)
  const giveUp = (): boolean => holder.kill('SIGKILL')
  signal.addEventListener('abort', giveUp)
  try {
    await Promise.race([
      once(holder.stdout, 'data'),
      once(holder, 'close').then(() => {
        throw new BackendError(`flock cannot lock ${folder}`)
      }),
    ])
  } catch (error) {
    signal.throwIfAborted()
    throw error
  } finally {
    clearTimeout(wait)
    signal.removeEventListener('abort', giveUp)
  }
  return { [Symbol.dispose]: () => void holder.stdin.end() }
}
