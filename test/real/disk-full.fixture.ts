// A process on a small file system: fills it by writing, sees reads and watches go on, makes room, writes again; prints what it saw.
import { existsSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { NamingError } from '../../naming/errors.ts'
import { silentLog } from '../../runtime/log.ts'
import { createMetrics } from '../../runtime/metrics.ts'
import { openSqliteStore } from '../../storage/sqlite/sqlite-store.ts'
import { systemClock, systemRandom } from '../../watch/clock.ts'
import { createKernel } from '../../watch/kernel.ts'

const directory = process.argv[2] ?? ''
const ballast = join(directory, 'ballast')
writeFileSync(ballast, Buffer.alloc(2_000_000))

const kernel = createKernel({ clock: systemClock, onError: console.error })
const env = { kernel, clock: systemClock, random: systemRandom, log: silentLog, metrics: createMetrics() }
const store = await openSqliteStore({ path: join(directory, 'store.db') }, env)
let watched = 0
store.observe('web').watch(state => {
  if (state.kind === 'ok') watched = state.value?.version ?? 0
})

/** The version written, or the error's code and message. */
async function write(bytes: number): Promise<number | readonly [string, string]> {
  const expectation = { kind: 'anything' } as const
  const text = `/a => /b # ${'x'.repeat(bytes)}`
  try {
    const { written } = await store.write({
      namespace: 'web',
      text,
      expect: expectation,
      author: 'a',
      verified: false,
      message: '',
    })
    return written.version
  } catch (error) {
    const { code, message } = NamingError.from(error)
    return [code, message]
  }
}

let last = 0
let refusal: readonly [string, string] | undefined
while (refusal === undefined) {
  const outcome = await write(50_000)
  if (typeof outcome === 'number') last = outcome
  else refusal = outcome
}
const head = (await store.head('web'))?.version
const first = (await store.version('web', 1))?.version
if (existsSync(ballast)) rmSync(ballast)
const resumed = await write(10)
await new Promise(setImmediate)
await new Promise(setImmediate)
console.log(JSON.stringify({ refusal, last, head, first, resumed, watched }))
await store.close()
kernel.close()
