// Durable writes per second with 1 and 50 clients, beside a bare write and fsync of the same size on the same disk.
import { closeSync, fdatasyncSync, mkdtempSync, openSync, rmSync, writeSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { silentLog } from '../runtime/log.ts'
import { createMetrics } from '../runtime/metrics.ts'
import { openSqliteStore } from '../storage/sqlite/sqlite-store.ts'
import type { Store } from '../storage/store.ts'
import { systemClock, systemRandom } from '../watch/clock.ts'
import { createKernel } from '../watch/kernel.ts'
import { median, percentile, printTable } from './measure.ts'

const rounds = 5
const roundMs = 700
/** What one commit of a small dtab appends to the log. */
const commitBytes = 12_500
const text = '/svc => /#/io.l5d.fs ;\n/svc/web => 0.1 * /svc/web-v2 & 0.9 * /svc/web-v1 ;\n'.repeat(3)

interface Rate {
  readonly perSecond: number
  /** Milliseconds of each answer. */
  readonly latencies: readonly number[]
}

/** `clients` loops at once, each waiting for its answer before it goes on. */
async function measureWrites(store: Store, clients: number): Promise<Rate> {
  const latencies: number[] = []
  const startedAt = performance.now()
  const client = async (number: number): Promise<void> => {
    while (performance.now() - startedAt < roundMs) {
      const askedAt = performance.now()
      const expectation = { kind: 'anything' } as const
      const namespace = `ns-${number}`
      await store.write({ namespace, text, expect: expectation, author: 'bench', verified: false, message: '' })
      latencies.push(performance.now() - askedAt)
    }
  }
  await Promise.all(Array.from({ length: clients }, (_, number) => client(number)))
  return { perSecond: (latencies.length / (performance.now() - startedAt)) * 1000, latencies }
}

function measureSyncs(path: string): Rate {
  const handle = openSync(path, 'w')
  const block = Buffer.alloc(commitBytes)
  const latencies: number[] = []
  const startedAt = performance.now()
  while (performance.now() - startedAt < roundMs) {
    const askedAt = performance.now()
    writeSync(handle, block)
    fdatasyncSync(handle)
    latencies.push(performance.now() - askedAt)
  }
  closeSync(handle)
  return { perSecond: (latencies.length / (performance.now() - startedAt)) * 1000, latencies }
}

function row(name: string, rates: readonly Rate[], base: number, peers: string): readonly string[] {
  const perSecond = median(rates.map(rate => rate.perSecond))
  const latencies = rates.flatMap(rate => rate.latencies)
  return [
    name,
    Math.round(perSecond).toLocaleString('en'),
    (perSecond / base).toFixed(2),
    percentile(latencies, 0.5).toFixed(2),
    percentile(latencies, 0.99).toFixed(2),
    peers,
  ]
}

/** Interleaved rounds; medians. */
export async function run(): Promise<void> {
  const directory = mkdtempSync(join(tmpdir(), 'nameplane-bench-'))
  const kernel = createKernel({ clock: systemClock, onError: console.error })
  const env = { kernel, clock: systemClock, random: systemRandom, log: silentLog, metrics: createMetrics() }
  const store = await openSqliteStore({ path: join(directory, 'store.db') }, env)
  const syncs: Rate[] = []
  const alone: Rate[] = []
  const many: Rate[] = []
  for (let round = 0; round < rounds; round++) {
    syncs.push(measureSyncs(join(directory, `bare-${round}`)))
    alone.push(await measureWrites(store, 1))
    many.push(await measureWrites(store, 50))
  }
  await store.close()
  kernel.close()
  rmSync(directory, { recursive: true, force: true })
  const base = median(syncs.map(rate => rate.perSecond))
  printTable([
    ['durable writes', 'per second', 'x bare', 'p50 ms', 'p99 ms', 'peers per second'],
    row(`bare write of ${commitBytes} bytes and fdatasync`, syncs, base, ''),
    row('sqlite store, 1 client', alone, base, 'etcd 2,900, Consul KV 2,400'),
    row('sqlite store, 50 clients', many, base, 'etcd 19,000, Consul KV 10,500'),
  ])
}
