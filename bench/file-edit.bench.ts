// From the edit of a discovery file to the change in a client on the gRPC watch, through a real server process.
import { appendFile, mkdtemp, rename, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { parsePath } from '../naming/parse.ts'
import { orThrow } from '../naming/result.ts'
import { createWatchClient } from '../proxy-client/watch/watch-client.ts'
import { silentLog } from '../runtime/log.ts'
import { createMetrics } from '../runtime/metrics.ts'
import { nameplane, portOf } from '../test/e2e/process.fixture.ts'
import { systemClock, systemRandom } from '../watch/clock.ts'
import { createKernel } from '../watch/kernel.ts'
import { percentile, printTable } from './measure.ts'

const edits = 300
const pauseMs = 20

/** Resolves with the time at which the newest set of `size` endpoints was delivered. */
class Arrivals {
  #size = -1
  #waiting: { readonly size: number; readonly resolve: (at: number) => void } | undefined

  seen(size: number): void {
    this.#size = size
    if (this.#waiting?.size !== size) return
    this.#waiting.resolve(performance.now())
    this.#waiting = undefined
  }

  of(size: number): Promise<number> {
    if (this.#size === size) return Promise.resolve(performance.now())
    return new Promise(resolve => {
      this.#waiting = { size, resolve }
    })
  }
}

const endpoints = (count: number): string =>
  Array.from({ length: count }, (_, n) => `127.0.0.1 ${10_000 + n}\n`).join('')

export async function run(): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), 'nameplane-edit-'))
  const file = join(folder, 'web')
  await writeFile(file, endpoints(1))
  await writeFile(
    `${folder}.yaml`,
    `admin: { port: 0 }\nstorage: { kind: memory }\nnamers: [{ kind: io.l5d.fs, rootDir: ${folder} }]\ninterfaces: [{ kind: io.l5d.mesh, port: 0 }]\n`,
  )
  await using server = nameplane(['serve', `${folder}.yaml`, '--log-level', 'error'])
  const address = `127.0.0.1:${portOf(await server.listening(), 'grpc')}`
  const kernel = createKernel({
    clock: systemClock,
    onError: error => {
      throw error
    },
  })
  const client = createWatchClient({
    addresses: [address],
    clientId: 'bench',
    kernel,
    clock: systemClock,
    random: systemRandom,
    log: silentLog,
    metrics: createMetrics(),
  })
  const arrivals = new Arrivals()
  client.replicas(orThrow(parsePath('/#/io.l5d.fs/web'))).watch(state => {
    if (state.kind === 'ok' && state.value.kind === 'bound') arrivals.seen(state.value.endpoints.length)
  })
  await arrivals.of(1)
  const renames = await measure(arrivals, async count => {
    await writeFile(`${folder}.new`, endpoints(count))
    await rename(`${folder}.new`, file)
  })
  const additions = await measure(arrivals, async count => {
    if (count === 1) await writeFile(`${folder}.new`, endpoints(1)).then(() => rename(`${folder}.new`, file))
    else await appendFile(file, `127.0.0.1 ${9_999 + count}\n`)
  })
  client.close()
  kernel.close()
  const show = (samples: readonly number[]): string =>
    `${percentile(samples, 0.5).toFixed(1)} / ${percentile(samples, 0.99).toFixed(1)} / ${Math.max(...samples).toFixed(1)} ms`
  printTable([
    [`${edits} edits each`, 'p50 / p99 / max', 'wanted', 'namerd'],
    ['atomic renames', show(renames), 'p99 <= 6 ms', 'never seen'],
    ['in-place additions', show(additions), 'p99 <= 6 ms', 'p50 1.1-1.9, p99 3.5-6.2 ms'],
  ])
  await rm(folder, { recursive: true, force: true })
  await rm(`${folder}.yaml`, { force: true })
}

/** Times from before the edit to its arrival; the set grows and falls back to one, so that each edit is seen apart. */
async function measure(arrivals: Arrivals, edit: (count: number) => Promise<void>): Promise<number[]> {
  const samples: number[] = []
  for (let n = 0; n < edits; n++) {
    const count = (n % 20) + 1
    const arrival = arrivals.of(count)
    const startedAt = performance.now()
    await edit(count)
    const at = await arrival
    if (n % 20 !== 0) samples.push(at - startedAt)
    await delay(pauseMs)
  }
  return samples
}

if (import.meta.main) await run()
