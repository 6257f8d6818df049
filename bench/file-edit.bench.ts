// From the edit of a discovery file to the change in a client on the gRPC watch, through a real server process.
import { appendFile, mkdtemp, rename, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import type { ReplicaSet } from '../naming/replica-set.ts'
import { sizeOf, type Watched, WatchedServer } from '../test/e2e/watched-server.fixture.ts'
import { percentile, printTable } from './measure.ts'

const edits = 300
const pauseMs = 20

const endpoints = (count: number): string =>
  Array.from({ length: count }, (_, n) => `127.0.0.1 ${10_000 + n}\n`).join('')

export async function run(): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), 'nameplane-edit-'))
  const file = join(folder, 'web')
  await writeFile(file, endpoints(1))
  await using server = await WatchedServer.start({ kind: 'io.l5d.fs', rootDir: folder })
  const replicas = server.replicas('/#/io.l5d.fs/web')
  await replicas.until(state => sizeOf(state) === 1)
  const renames = await measure(replicas, async count => {
    await writeFile(`${folder}.new`, endpoints(count))
    await rename(`${folder}.new`, file)
  })
  const additions = await measure(replicas, async count => {
    if (count === 1) await writeFile(`${folder}.new`, endpoints(1)).then(() => rename(`${folder}.new`, file))
    else await appendFile(file, `127.0.0.1 ${9_999 + count}\n`)
  })
  const show = (samples: readonly number[]): string =>
    `${percentile(samples, 0.5).toFixed(1)} / ${percentile(samples, 0.99).toFixed(1)} / ${Math.max(...samples).toFixed(1)} ms`
  printTable([
    [`${edits} edits each`, 'p50 / p99 / max', 'wanted', 'namerd'],
    ['atomic renames', show(renames), 'p99 <= 6 ms', 'never seen'],
    ['in-place additions', show(additions), 'p99 <= 6 ms', 'p50 1.1-1.9, p99 3.5-6.2 ms'],
  ])
  await rm(folder, { recursive: true, force: true })
}

/** Times from before the edit to its arrival; the set grows and falls back to one, so that each edit is seen apart. */
async function measure(replicas: Watched<ReplicaSet>, edit: (count: number) => Promise<void>): Promise<number[]> {
  const samples: number[] = []
  for (let n = 0; n < edits; n++) {
    const count = (n % 20) + 1
    const arrival = replicas.until(state => sizeOf(state) === count)
    const startedAt = performance.now()
    await edit(count)
    const at = await arrival
    if (n % 20 !== 0) samples.push(at - startedAt)
    await delay(pauseMs)
  }
  return samples
}

if (import.meta.main) await run()
