// The HTTP API: a PUT to the last of 500 bind watchers, and bind requests per second. Clients run in a child process.
import { type ChildProcess, fork } from 'node:child_process'
import { createHttpApi } from '../api/http/index.ts'
import { ProxyRegistry } from '../api/push/proxy-registry.ts'
import { createInterpreter } from '../interpreters/create-interpreter.ts'
import { silentLog } from '../runtime/log.ts'
import { createMetrics } from '../runtime/metrics.ts'
import { Fleet } from '../server/proxies/fleet.ts'
import { createSources } from '../server/sources.ts'
import { createMemoryStore } from '../storage/memory/memory-store.ts'
import { FakePeers } from '../test/fakes/peers.fake.ts'
import { loneServer } from '../test/fakes/servers.fake.ts'
import { systemClock, systemRandom } from '../watch/clock.ts'
import { createKernel } from '../watch/kernel.ts'
import { median, percentile } from './measure.ts'

const watchers = 500
const rounds = 40
const connections = 32
const bindMs = 3_000

interface Server {
  readonly port: number
  close(): Promise<void>
}

async function startServer(): Promise<Server> {
  const clock = systemClock
  const kernel = createKernel({
    clock,
    onError: error => {
      throw error
    },
  })
  const store = createMemoryStore({ kernel, clock, namespaces: { default: '/svc => /$/inet/127.0.0.1/8080' } })
  const shutdown = new AbortController()
  const env = { kernel, clock, random: systemRandom, log: silentLog, metrics: createMetrics() }
  const servers = loneServer(env, store)
  servers.start()
  const interpreter = createInterpreter({ store, kernel, clock, namers: [], onVersion: servers.own.takeInUse })
  const sources = createSources({ ...env, namers: [], storageKind: 'io.l5d.inMemory' })
  const proxies = new ProxyRegistry({
    clock,
    kernel,
    namespace: interpreter.namespace,
    server: 'self',
    newest: namespace => servers.newest(namespace),
  })
  const fleet = new Fleet({ clock, own: proxies, servers, peer: new FakePeers().of })
  const api = await createHttpApi({
    ...env,
    store,
    interpreter,
    sources,
    servers,
    fleet,
    shutdown: shutdown.signal,
  })
  const { port } = await api.listen({ host: '127.0.0.1', port: 0 })
  return {
    port,
    close: async () => {
      shutdown.abort()
      await api.close()
      interpreter.close()
      await store.close()
      kernel.close()
    },
  }
}

function ask(child: ChildProcess, job: object): Promise<number[]> {
  return new Promise((resolve, reject) => {
    child.once('message', resolve)
    child.once('exit', code => reject(new Error(`the clients ended with ${code}`)))
    child.send(job)
  })
}

async function inChild(job: (port: number) => object): Promise<number[]> {
  const server = await startServer()
  const child = fork(new URL('./http-clients.ts', import.meta.url))
  try {
    return await ask(child, job(server.port))
  } finally {
    child.removeAllListeners('exit')
    child.kill()
    await server.close()
  }
}

async function watchRow(label: string, pathOf: (index: number) => string): Promise<object> {
  const paths = Array.from({ length: watchers }, (_, index) => pathOf(index))
  const times = (await inChild(port => ({ watch: { port, paths, rounds } }))).slice(5)
  return {
    what: label,
    'p50 ms': median(times).toFixed(1),
    'p99 ms': percentile(times, 0.99).toFixed(1),
    target: '<= 34 (namerd 101)',
  }
}

async function bindRow(label: string, path: string): Promise<object> {
  const [rate = 0] = await inChild(port => ({ bind: { port, path, connections, ms: bindMs } }))
  return { what: label, 'requests/s': Math.round(rate), target: '>= 8000 (namerd 7400)' }
}

export async function run(): Promise<void> {
  console.table([
    await watchRow(`PUT to the last of ${watchers} watchers of one name`, () => watch('/api/bind', '/svc/web')),
    await watchRow(`PUT to the last of ${watchers} watchers, a name each`, i => watch('/api/bind', `/svc/w${i}`)),
    await watchRow(`the same on /api/1`, i => watch('/api/1/bind', `/svc/w${i}`)),
  ])
  console.table([
    await bindRow('bind over HTTP, warm', '/api/bind/default?path=/svc/web'),
    await bindRow('bind over HTTP on /api/1, warm', '/api/1/bind/default?path=/svc/web'),
    await bindRow('dtab as JSON', '/api/dtabs/default'),
  ])
}

function watch(root: string, path: string): string {
  return `${root}/default?path=${path}&watch=true`
}
