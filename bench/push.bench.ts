// Push to many names: one dtab change that touches all of 100,000 live names, on 100 Watch streams and on a single one, and
// the edit of one entry of 50,000. Server in this process, clients in another; memory store, real interpreter.
import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { monitorEventLoopDelay } from 'node:perf_hooks'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { createGrpcApi, type GrpcApi } from '../api/grpc/grpc-api.ts'
import { ProxyRegistry } from '../api/push/proxy-registry.ts'
import { createInterpreter } from '../interpreters/create-interpreter.ts'
import type { Namer } from '../interpreters/namer.ts'
import type { ReplicaSet } from '../naming/replica-set.ts'
import { silentLog } from '../runtime/log.ts'
import { createMetrics } from '../runtime/metrics.ts'
import { createMemoryStore } from '../storage/memory/memory-store.ts'
import type { Store } from '../storage/store.ts'
import { loneServer } from '../test/fakes/servers.fake.ts'
import type { Kernel } from '../watch/cell.ts'
import { systemClock, systemRandom } from '../watch/clock.ts'
import { createKernel } from '../watch/kernel.ts'
import { ok } from '../watch/state.ts'
import { median } from './measure.ts'
import type { ClientReport, OpenOrder } from './push/node-clients.ts'

const rounds = 7

/** Every name under /#/bench is bound: its first label to the id, the others are residual. */
function createBenchNamer(kernel: Kernel): Namer {
  const prefix = ['#', 'bench']
  const replicas: ReplicaSet = { kind: 'bound', endpoints: [{ address: '127.0.0.1', port: 8080, weight: 1 }] }
  const cell = kernel.derive('bench replicas', () => ok(replicas))
  return {
    prefix,
    lookup: rest =>
      ok({ kind: 'leaf', value: { kind: 'bound', id: prefix.concat(rest.slice(0, 1)), residual: rest.slice(1) } }),
    replicas: () => cell,
    close: () => {},
  }
}

interface Server {
  readonly store: Store
  readonly kernel: Kernel
  readonly api: GrpcApi
  readonly address: string
  close(): Promise<void>
}

async function startServer(): Promise<Server> {
  const kernel = createKernel({ clock: systemClock, onError: (error, where) => console.error(where, error) })
  const env = { kernel, clock: systemClock, random: systemRandom, log: silentLog, metrics: createMetrics() }
  const store = createMemoryStore(env)
  const servers = loneServer(env, store)
  const interpreter = createInterpreter({
    store,
    kernel,
    clock: systemClock,
    namers: [createBenchNamer(kernel)],
    builtIn: [],
  })
  const api = createGrpcApi({
    ...env,
    interpreter,
    servers,
    proxies: new ProxyRegistry(systemClock),
    shutdown: new AbortController().signal,
  })
  const { port } = await api.listen({ host: '127.0.0.1', port: 0 })
  return {
    store,
    kernel,
    api,
    address: `127.0.0.1:${port}`,
    close: async () => {
      while (api.counts().subscriptions > 0) await new Promise(setImmediate)
      await api.close()
      interpreter.close()
      kernel.close()
      await store.close()
    },
  }
}

async function put(store: Store, text: string): Promise<void> {
  await store.write({
    namespace: 'default',
    text,
    expect: { kind: 'anything' },
    author: 'bench',
    verified: false,
    message: '',
  })
}

/** The clients' next report. */
async function nextReport(clients: ChildProcess): Promise<ClientReport> {
  const [report] = await once(clients, 'message')
  return report
}

async function openClients(order: OpenOrder): Promise<ChildProcess> {
  const clients = fork(new URL('./push/node-clients.ts', import.meta.url))
  const opened = nextReport(clients)
  clients.send(order)
  await opened
  return clients
}

setFlagsFromString('--expose-gc')
const collect: () => void = runInNewContext('gc')

interface Memory {
  readonly heap: number
  readonly rss: number
}

/** After garbage collection; the heap is that of JavaScript and what it holds outside. */
function memory(): Memory {
  collect()
  collect()
  const { heapUsed, external, rss } = process.memoryUsage()
  return { heap: heapUsed + external, rss }
}

function printMemory(when: string, before: Memory, names: number): void {
  const { heap, rss } = memory()
  const perName = (bytes: number): string => `${Math.round(bytes / names)} B`
  console.log(`per name ${when}: heap ${perName(heap - before.heap)}, RSS ${perName(rss - before.rss)}`)
}

async function changeAll(streams: number, namesPerStream: number): Promise<void> {
  const names = streams * namesPerStream
  const server = await startServer()
  await put(server.store, '/svc => /#/bench/a')
  const before = memory()
  const delay = monitorEventLoopDelay({ resolution: 1 })
  delay.enable()
  const startedAt = performance.now()
  const clients = await openClients({ address: server.address, streams, namesPerStream })
  console.log(
    `${names} names on ${streams} streams: first states in ${ms(performance.now() - startedAt)}, ` +
      `loop held at most ${ms(delay.max / 1e6)}`,
  )
  printMemory('then', before, names)
  const times: number[] = []
  const holds: number[] = []
  const cpu: number[] = []
  const messages: number[] = []
  let sent = 0
  for (let round = 0; round < rounds; round++) {
    delay.reset()
    const reached = nextReport(clients)
    const changedAt = performance.now()
    const used = process.cpuUsage()
    await put(server.store, `/svc => /#/bench/${round}`)
    const report = await reached
    times.push(performance.now() - changedAt)
    cpu.push(cpuMs(used))
    holds.push(delay.max / 1e6)
    messages.push(report.messages - sent)
    sent = report.messages
  }
  console.log(
    `one change to all: median ${ms(median(times))} (${times.map(ms).join(' ')}), ${median(messages)} messages, ` +
      `CPU of the server's process ${ms(median(cpu))}; ` +
      `loop held at most ${ms(Math.max(...holds))} (${holds.map(ms).join(' ')})`,
  )
  delay.disable()
  printMemory(`after ${rounds} changes`, before, names)
  clients.kill()
  await server.close()
}

async function editOne(): Promise<void> {
  const entries = 50_000
  const watched = 10_000
  const server = await startServer()
  const lines = Array.from({ length: entries }, (_, i) => `/svc/service-${i} => /#/bench/service-${i} ;`)
  await put(server.store, lines.join('\n'))
  const clients = await openClients({ address: server.address, streams: 10, namesPerStream: watched / 10 })
  const cpu: number[] = []
  const pushed: number[] = []
  for (let round = 0; round < rounds; round++) {
    const before = await ask(clients)
    lines[round * 7] = `/svc/service-${round * 7} => /#/bench/moved-${round} ;`
    const text = lines.join('\n')
    const used = process.cpuUsage()
    await put(server.store, text)
    while ((await ask(clients)).trees === before.trees);
    cpu.push(cpuMs(used))
    pushed.push((await ask(clients)).trees - before.trees)
  }
  console.log(
    `edit of one entry of ${entries} with ${watched} names watched: ${Math.max(...pushed)} names pushed, ` +
      `CPU median ${ms(median(cpu))} (${cpu.map(ms).join(' ')})`,
  )
  clients.kill()
  await server.close()
}

async function ask(clients: ChildProcess): Promise<ClientReport> {
  const report = nextReport(clients)
  clients.send('report')
  return report
}

/** What all threads of this process have used since. */
function cpuMs(since: NodeJS.CpuUsage): number {
  const { user, system } = process.cpuUsage(since)
  return (user + system) / 1000
}

function ms(value: number): string {
  return `${value.toFixed(1)} ms`
}

/** Prints its table. */
export async function run(): Promise<void> {
  await changeAll(100, 1000)
  await changeAll(1, 100_000)
  await editOne()
}
