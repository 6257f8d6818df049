// A server in this process for benchmarks that look into its heap: real interpreter and gRPC, a namer that knows every name.
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { createGrpcApi, type GrpcApi } from '../../api/grpc/grpc-api.ts'
import { ProxyRegistry } from '../../api/push/proxy-registry.ts'
import { createInterpreter } from '../../interpreters/create-interpreter.ts'
import type { Namer } from '../../interpreters/namer.ts'
import type { ReplicaSet } from '../../naming/replica-set.ts'
import { silentLog } from '../../runtime/log.ts'
import { createMetrics } from '../../runtime/metrics.ts'
import { createMemoryStore } from '../../storage/memory/memory-store.ts'
import type { Store } from '../../storage/store.ts'
import { loneServer } from '../../test/fakes/servers.fake.ts'
import type { Kernel } from '../../watch/cell.ts'
import { systemClock, systemRandom } from '../../watch/clock.ts'
import { createKernel } from '../../watch/kernel.ts'
import { ok } from '../../watch/state.ts'

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

/** The caller closes it. */
export interface Server {
  readonly store: Store
  readonly kernel: Kernel
  readonly api: GrpcApi
  readonly address: string
  close(): Promise<void>
}

/** Listens on a free port of loopback. */
export async function startServer(): Promise<Server> {
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
  const proxies = new ProxyRegistry({ ...env, namespace: interpreter.namespace, server: servers.selfId })
  const api = createGrpcApi({
    ...env,
    interpreter,
    servers,
    proxies,
    ownProxies: proxies,
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

/** Replaces the rules of `default`. */
export async function put(store: Store, text: string): Promise<void> {
  await store.write({
    namespace: 'default',
    text,
    expect: { kind: 'anything' },
    author: 'bench',
    verified: false,
    message: '',
  })
}

setFlagsFromString('--expose-gc')
const collect: () => void = runInNewContext('gc')

export interface Memory {
  readonly heap: number
  readonly rss: number
}

/** After garbage collection; the heap is that of JavaScript and what it holds outside. */
export function memory(): Memory {
  collect()
  collect()
  const { heapUsed, external, rss } = process.memoryUsage()
  return { heap: heapUsed + external, rss }
}
