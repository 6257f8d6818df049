// Three server processes on one store: from a PUT on one of them to the last client that sees it on each.
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { ReplicaClient } from '../test/e2e/replicas.fixture.ts'
import { RealConsul } from '../test/real/consul.fixture.ts'
import { RealEtcd } from '../test/real/etcd.fixture.ts'
import { RealKubernetes } from '../test/real/kubernetes.fixture.ts'
import { freshPlace } from '../test/real/storage/configmap-store.fixture.ts'
import { ServerFleet } from '../test/real/storage/server-fleet.fixture.ts'
import { percentile, printTable } from './measure.ts'

const servers = 3
const clientsPerServer = 10
const samples = 200
const warmUp = 20
/** Between two writes, so that each begins in quiet. */
const pauseMs = 20

/** A client that watches the binding of `/svc` on one server. */
class Client {
  #version = 0
  #wanted: { readonly version: number; readonly seen: (at: number) => void } | undefined

  /** Resolves once the stream has ended. */
  async follow(url: string, signal: AbortSignal): Promise<void> {
    const response = await fetch(`${url}/api/bind/bench?path=/svc&watch=true`, { signal })
    let rest = ''
    for await (const chunk of response.body?.pipeThrough(new TextDecoderStream()) ?? []) {
      const lines = (rest + chunk).split('\n')
      rest = lines.pop() ?? ''
      for (const line of lines) this.#take(Number(/"dtabVersion":(\d+)/.exec(line)?.[1]))
    }
  }

  /** The moment in which it has seen the version. */
  sees(version: number): Promise<number> {
    if (this.#version >= version) return Promise.resolve(performance.now())
    return new Promise(resolve => {
      this.#wanted = { version, seen: resolve }
    })
  }

  #take(version: number): void {
    this.#version = version
    if (this.#wanted === undefined || version < this.#wanted.version) return
    this.#wanted.seen(performance.now())
    this.#wanted = undefined
  }
}

interface Spread {
  /** ms from the PUT to its answer. */
  readonly answers: number[]
  /** To the last client of the server that took it, and of the others. */
  readonly here: number[]
  readonly elsewhere: number[]
  /** To the answer of a PUT with wait=all. */
  readonly waited: number[]
}

async function measure(storage: object): Promise<Spread> {
  await using fleet = await ServerFleet.start(servers, () => storage)
  const replicas = fleet.urls.map(url => new ReplicaClient(url))
  await Promise.all(replicas.map(replica => replica.untilWhole(servers)))
  const ended = new AbortController()
  const clients = fleet.urls.map(() => Array.from({ length: clientsPerServer }, () => new Client()))
  const streams = clients.flatMap((group, n) =>
    group.map(client => client.follow(fleet.urls[n] ?? '', ended.signal).catch(() => undefined)),
  )
  const spread: Spread = { answers: [], here: [], elsewhere: [], waited: [] }
  for (let version = 1; version <= 2 * (samples + warmUp); version++) {
    const writer = version % servers
    const isWaited = version > samples + warmUp
    const seen = clients.map(group => Promise.all(group.map(client => client.sees(version))))
    const startedAt = performance.now()
    const dtab = `/svc => /$/inet/127.0.0.1/${1_000 + version}`
    const answered = replicas[writer]?.put('bench', dtab, isWaited ? '?wait=all&timeout=60s' : '')
    const answer = await answered?.then(() => performance.now() - startedAt)
    const last = (await Promise.all(seen)).map(moments => Math.max(...moments) - startedAt)
    await delay(pauseMs)
    if (version <= warmUp || (isWaited && version <= samples + 2 * warmUp)) continue
    if (isWaited) spread.waited.push(answer ?? Number.NaN)
    else {
      spread.answers.push(answer ?? Number.NaN)
      spread.here.push(last[writer] ?? Number.NaN)
      spread.elsewhere.push(Math.max(...last.filter((_, n) => n !== writer)))
    }
  }
  ended.abort()
  await Promise.all(streams)
  return spread
}

const shown = (ms: readonly number[]): string =>
  `${percentile(ms, 0.5).toFixed(1)} / ${percentile(ms, 0.99).toFixed(1)} ms`

const row = (name: string, { answers, here, elsewhere, waited }: Spread): readonly string[] =>
  [name, answers, here, elsewhere, waited].map(cell => (typeof cell === 'string' ? cell : shown(cell)))

/** Prints one line per store, p50 / p99. */
export async function run(): Promise<void> {
  console.log(
    `${servers} servers, ${clientsPerServer} HTTP watchers on each, ${samples} writes; wanted: elsewhere <= 250 ms`,
  )
  const rows = [['store', 'answer', 'last client here', 'last client elsewhere', 'answer with wait=all']]
  {
    const folder = await mkdtemp(join(tmpdir(), 'nameplane-bench-'))
    rows.push([...row('sqlite', await measure({ kind: 'sqlite', path: join(folder, 'bench.db') }))])
    await rm(folder, { recursive: true, force: true })
  }
  {
    await using etcd = await RealEtcd.start()
    rows.push([...row('etcd', await measure({ kind: 'etcd', endpoints: etcd.endpoints }))])
  }
  {
    await using consul = await RealConsul.start()
    rows.push([...row('consul', await measure({ kind: 'consul', host: '127.0.0.1', port: consul.port }))])
  }
  {
    await using kubernetes = await RealKubernetes.start()
    const namespace = await freshPlace(kubernetes)
    const kubeconfig = await kubernetes.namerKubeconfig()
    rows.push([...row('configMap', await measure({ kind: 'configMap', kubeconfig, namespace }))])
  }
  printTable(rows)
}
