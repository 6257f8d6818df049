// Another process's lock on a database file, taken and given back at the test's word.
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'

const holderFile = join(import.meta.dirname, 'lock-holder.fixture.ts')

export interface HeldLock {
  /** Resolves once the lock is given back and the process is gone. */
  release(): Promise<void>
}

/** `whole-file` keeps readers out too, which works only while nobody else has the file open. */
export async function lockFile(path: string, kind: 'writers' | 'whole-file'): Promise<HeldLock> {
  const child = spawn(process.execPath, [holderFile, path, kind], { stdio: ['pipe', 'pipe', 'inherit'] })
  await once(child.stdout, 'data')
  return {
    release: async () => {
      const gone = once(child, 'close')
      child.stdin.end()
      child.stdout.resume()
      await gone
    },
  }
}
