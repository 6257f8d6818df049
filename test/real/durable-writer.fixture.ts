// A process in which a number of clients write to a SQLite store and print a token of each write once it is answered.
import { silentLog } from '../../runtime/log.ts'
import { createMetrics } from '../../runtime/metrics.ts'
import { openSqliteStore } from '../../storage/sqlite/sqlite-store.ts'
import { systemClock, systemRandom } from '../../watch/clock.ts'
import { createKernel } from '../../watch/kernel.ts'
import { printLine } from '../fakes/print-line.fixture.ts'

const [path = '', clients = '1', writesEach = '1'] = process.argv.slice(2)
const kernel = createKernel({ clock: systemClock, onError: console.error })
const env = { kernel, clock: systemClock, random: systemRandom, log: silentLog, metrics: createMetrics() }
const store = await openSqliteStore({ path }, env)

async function client(number: number): Promise<void> {
  for (let count = 0; count < Number(writesEach); count++) {
    const token = `token-${number}-${count}-end`
    const expectation = { kind: 'anything' } as const
    const namespace = `ns-${number}`
    const text = `/a => /${token}`
    await store.write({ namespace, text, expect: expectation, author: 'a', verified: false, message: '' })
    printLine(`answered ${token}`)
  }
}

await Promise.all(Array.from({ length: Number(clients) }, (_, number) => client(number)))
await store.close()
kernel.close()
