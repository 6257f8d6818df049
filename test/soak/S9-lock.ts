// Another process locks the file for three seconds while a thousand watches run: the event loop never waits for it.
import { join } from 'node:path'
import { monitorEventLoopDelay } from 'node:perf_hooks'
import { openSqliteStore } from '../../storage/sqlite/sqlite-store.ts'
import { systemClock } from '../../watch/clock.ts'
import { request } from '../contract/store.contract.ts'
import { lockFile } from '../faults/lock-rig.fixture.ts'
import { tempDirectory, testEnv } from '../storage/store.fixture.ts'

const heldMs = 3_000
const longestLagMs = 150
const watches = 1_000

/** Rejects when the loop lags, or the write does not succeed after the lock. */
export async function soakS9(report: (line: string) => void): Promise<void> {
  const directory = tempDirectory()
  const path = join(directory.path, 'store.db')
  const env = testEnv(systemClock)
  const store = await openSqliteStore({ path }, env)
  let delivered = 0
  for (let i = 0; i < watches; i++) store.observe(`ns-${i % 10}`).watch(() => delivered++)
  const lock = await lockFile(path, 'writers')
  const lag = monitorEventLoopDelay({ resolution: 5 })
  lag.enable()
  const write = store.write(request('ns-0', '/a=>/b'))
  await new Promise(resolve => {
    setTimeout(resolve, heldMs)
  })
  lag.disable()
  await lock.release()
  const { written } = await write
  const lagMs = lag.max / 1e6
  report(
    `locked for ${heldMs} ms: longest lag ${lagMs.toFixed(1)} ms; then version ${written.version}, ${delivered} deliveries`,
  )
  await store.close()
  env.kernel.close()
  directory.remove()
  if (lagMs > longestLagMs) throw new Error(`the event loop stood still for ${lagMs.toFixed(0)} ms`)
}
