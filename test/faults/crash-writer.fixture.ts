// A process that writes to a SQLite store as fast as it can, printing each version once it is acknowledged, until it is killed.
import { contentHash } from '../../naming/content-hash.ts'
import { silentLog } from '../../runtime/log.ts'
import { createMetrics } from '../../runtime/metrics.ts'
import { openSqliteStore } from '../../storage/sqlite/sqlite-store.ts'
import type { Store } from '../../storage/store.ts'
import { systemClock, systemRandom } from '../../watch/clock.ts'
import { createKernel } from '../../watch/kernel.ts'
import { printLine } from '../fakes/print-line.fixture.ts'

const writers = 8
const namespaces = 3

/** Text whose first line proves the rest; from a few bytes to several pages. */
function provenText(writer: number, count: number): string {
  const body = `/w${writer}/n${count} => /x${' | /y'.repeat((count * 37) % 3_000)} ;\n`
  return `# ${contentHash(body)}\n${body}`
}

async function writeForever(store: Store, writer: number): Promise<never> {
  const namespace = `ns-${writer % namespaces}`
  for (let count = 0; ; count++) {
    const text = provenText(writer, count)
    const expectation = { kind: 'anything' } as const
    const { written } = await store.write({
      namespace,
      text,
      expect: expectation,
      author: `writer ${writer}`,
      verified: false,
      message: '',
    })
    printLine(`${namespace} ${written.version} ${contentHash(text)}`)
  }
}

const kernel = createKernel({ clock: systemClock, onError: console.error })
const env = { kernel, clock: systemClock, random: systemRandom, log: silentLog, metrics: createMetrics() }
const store = await openSqliteStore({ path: process.argv[2] ?? '' }, env)
await Promise.all(Array.from({ length: writers }, (_, writer) => writeForever(store, writer)))
