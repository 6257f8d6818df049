// Durable writes per second with 1 and 50 clients: ours over HTTP beside etcd and Consul over their own APIs, and a bare write
// with fsync, all on one disk, in turn.
import { closeSync, fdatasyncSync, mkdtempSync, openSync, rmSync, writeSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { median, percentile, printTable } from '../measure.ts'
import { type DurableWriter, startConsul, startEtcd, startOurs } from './durable-writers.ts'
import { measureRate, type Rate } from './write-clients.ts'

const rounds = 5
const roundMs = 1_000
const clientCounts = [1, 50]
/** What one commit of a small dtab appends to the log. */
const commitBytes = 12_500

export async function runDurableWrites(): Promise<void> {
  await using ours = await startOurs()
  await using etcd = await startEtcd()
  await using consul = await startConsul()
  const writers = [ours, etcd, consul]
  const rates = new Map<string, Rate[]>()
  const keep = (key: string, rate: Rate): void => void rates.set(key, [...(rates.get(key) ?? []), rate])
  // Nobody's log is at its full size at first, and to make it larger costs more than to write over it.
  for (const writer of writers) await measureWriter(writer, 50)
  for (let round = 0; round < rounds; round++) {
    keep('bare', measureSyncs())
    for (const clients of clientCounts)
      for (const writer of writers) keep(`${writer.name} ${clients}`, await measureWriter(writer, clients))
  }
  const perSecond = (key: string): number => median((rates.get(key) ?? []).map(rate => rate.perSecond))
  const row = (name: string, key: string, clients: number): readonly string[] => {
    const latencies = (rates.get(key) ?? []).flatMap(rate => rate.latencies)
    const ratio = perSecond(`${ours.name} ${clients}`) / perSecond(key)
    return [
      name,
      String(clients),
      Math.round(perSecond(key)).toLocaleString('en'),
      percentile(latencies, 0.5).toFixed(2),
      percentile(latencies, 0.99).toFixed(2),
      ratio.toFixed(2),
    ]
  }
  printTable([
    ['durable writes', 'clients', 'per second', 'p50 ms', 'p99 ms', 'ours / it'],
    row(`bare write of ${commitBytes} bytes and fdatasync`, 'bare', 1),
    ...clientCounts.flatMap(clients => writers.map(({ name }) => row(name, `${name} ${clients}`, clients))),
  ])
}

async function measureWriter(writer: DurableWriter, count: number): Promise<Rate> {
  const clients = await Promise.all(Array.from({ length: count }, (_, n) => writer.client(n)))
  const rate = await measureRate(clients, roundMs)
  for (const client of clients) client.close()
  return rate
}

function measureSyncs(): Rate {
  const directory = mkdtempSync(join(tmpdir(), 'nameplane-bench-'))
  const handle = openSync(join(directory, 'bare'), 'w')
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
  rmSync(directory, { recursive: true })
  return { perSecond: (latencies.length / (performance.now() - startedAt)) * 1000, latencies }
}
