// The gRPC services in a thread: on the port that the threads share, with names mirrored from the main one. Evaluates nothing
// and watches no backend.
import type { MessagePort } from 'node:worker_threads'
import { createGrpcApi, type GrpcApi, type ListenAddress } from '../../api/grpc/grpc-api.ts'
import type { GrpcPorts } from '../../api/grpc/grpc-ports.ts'
import { gaugeProxies } from '../../api/push/proxy-metrics.ts'
import { ProxyRegistry } from '../../api/push/proxy-registry.ts'
import type { Env } from '../../runtime/env.ts'
import { createMetrics } from '../../runtime/metrics.ts'
import { systemClock, systemRandom } from '../../watch/clock.ts'
import { createKernel } from '../../watch/kernel.ts'
import { Line } from './line.ts'
import { proxiesOver, proxiesService } from './line-proxies.ts'
import { ThreadMirror } from './mirror.ts'
import { textPort } from './port-of-text.ts'
import { ServerFactsMirror } from './server-facts.ts'
import type { ServerFacts, ThreadData, ThreadFacts } from './thread-data.ts'
import { createThreadLog } from './thread-log.ts'

/** How often the main thread is told how much there is here, in milliseconds. */
const factsMs = 1_000

/** Serves until the main thread, at the other end of `main`, asks it to close. */
export function serveThread(data: ThreadData, main: MessagePort): void {
  const line = new Line(message => main.postMessage(message))
  const env = createThreadEnv(line)
  const stopping = new AbortController()
  const server = new ServerFactsMirror()
  const ports = createThreadPorts({ data, env, line, server, shutdown: stopping.signal })
  const grpc = createGrpcApi(ports, data.options)
  const { ask, follow } = proxiesService(ports.proxies)
  line.serve({
    // The main thread is this program too: each value has the type that is asked for here.
    tell: {
      serving: isServing => grpc.setServing(isServing as boolean),
      shed: count => grpc.shed(count as number),
      server: facts => server.take(facts as ServerFacts),
      stop: () => stopping.abort(),
    },
    ask: {
      ...ask,
      up: async () => {},
      listen: address => grpc.listen(address as ListenAddress),
      metrics: () => env.metrics.snapshot(),
      close: () => grpc.close(),
    },
    follow,
  })
  main.on('message', message => line.receive(message))
  const tellFacts = (): void => {
    line.tell('facts', factsOf(grpc))
    env.clock.after(factsMs, tellFacts)
  }
  tellFacts()
}

function createThreadEnv(line: Line): Env {
  const log = createThreadLog(line)
  const onError = (error: unknown, where: string): void => log.error({ err: error, where }, 'a watcher failed')
  const kernel = createKernel({ clock: systemClock, onError })
  return { kernel, clock: systemClock, random: systemRandom, log, metrics: createMetrics() }
}

interface PortsOptions {
  readonly data: ThreadData
  readonly env: Env
  readonly line: Line
  readonly server: ServerFactsMirror
  readonly shutdown: AbortSignal
}

/** What the services are given here. */
function createThreadPorts({ data, env, line, server, shutdown }: PortsOptions): GrpcPorts {
  const { clock, metrics } = env
  const mirror = new ThreadMirror({ ...env, port: textPort(data.mirror) })
  const { told, kernel, interpreter } = mirror
  const proxies = new ProxyRegistry({
    clock,
    kernel,
    namespace: mirror.version,
    server: data.server,
    thread: data.thread,
    newest: namespace => Math.max(told.of(namespace), server.ahead(namespace)),
  })
  gaugeProxies(metrics, proxies)
  const servers = { selfId: data.server, told, streams: () => server.streams }
  return { ...env, kernel, interpreter, servers, proxies, ownProxies: proxiesOver(line), shutdown }
}

function factsOf(grpc: GrpcApi): ThreadFacts {
  return { counts: grpc.counts(), streams: grpc.streams(), connections: grpc.connections(), followers: grpc.followers }
}
