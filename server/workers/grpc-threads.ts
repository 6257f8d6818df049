// The gRPC port served by several threads: to the rest of the server one API like that of a single thread. This thread keeps
// the store, the interpreter and the backends' watches; the threads mirror what their streams ask for.
import { createServer } from 'node:net'
import type { GrpcApi, GrpcApiOptions, ListenAddress } from '../../api/grpc/grpc-api.ts'
import { grpcLimitDefaults } from '../../api/grpc-limits.ts'
import { WorkQueue } from '../../api/push/work-queue.ts'
import type { ConnectionsReport } from '../../api/push-streams.ts'
import { listenOn } from '../../runtime/admin-server.ts'
import type { MetricsSnapshot } from '../../runtime/metrics.ts'
import type { JoinedProxies } from '../proxies/joined-proxies.ts'
import { shedStreams } from '../shed-streams.ts'
import { GrpcThread, type GrpcThreadPorts } from './grpc-thread.ts'
import { joinReports } from './join-reports.ts'
import { StateTexts } from './state-texts.ts'
import { ThreadCounts } from './thread-counts.ts'
import { ThreadPlace } from './thread-place.ts'

export interface GrpcThreadsOptions extends GrpcApiOptions {
  readonly workers: number
}

/** What is asked of the server; proxies are told by the threads. */
type ThreadedPorts = Omit<GrpcThreadPorts, 'ownProxies'>

/** Beyond the time for draining, for a thread to end by itself. */
const closeMs = 1_000
/** A thread that does not count in this time is shown as it was. */
const countMs = 1_000

/** Threads that are not started yet; close it also when it never listened. `joined`: where the proxies of each thread are told. */
export function createGrpcThreads(ports: ThreadedPorts, joined: JoinedProxies, options: GrpcThreadsOptions): GrpcApi {
  return new GrpcThreads(ports, joined, options)
}

class GrpcThreads implements GrpcApi {
  readonly #ports: ThreadedPorts
  readonly #drainMs: number
  readonly #queue: WorkQueue
  readonly #places: readonly ThreadPlace<GrpcThread>[]
  readonly #joined: JoinedProxies
  readonly #leaveJoined = new Map<GrpcThread, () => void>()
  readonly #leaveMetrics: () => void
  readonly #counts = new ThreadCounts()
  #address: ListenAddress | undefined
  /** Whether it was found free; from then on threads share it. */
  #isPortOurs = false
  #isServing = false
  #closed: Promise<void> | undefined

  constructor(ports: ThreadedPorts, joined: JoinedProxies, options: GrpcThreadsOptions) {
    const { workers, ...apiOptions } = options
    this.#ports = ports
    this.#joined = joined
    this.#drainMs = options.drainMs ?? 5_000
    this.#queue = new WorkQueue(ports.clock)
    const threadPorts = { ...ports, ownProxies: joined }
    const shared = {
      ports: threadPorts,
      options: shareOf(apiOptions, workers),
      queue: this.#queue,
      texts: new StateTexts(),
    }
    this.#places = Array.from(
      { length: workers },
      (_, index) =>
        new ThreadPlace({
          ...ports,
          thread: index + 1,
          create: (thread, onExit) => new GrpcThread({ ...shared, thread, onExit }),
          begin: thread => this.#begin(thread),
          onGone: thread => this.#gone(thread),
        }),
    )
    this.#leaveMetrics = ports.metrics.join(() => this.#count())
    this.#gauge()
    ports.shutdown.addEventListener('abort', () => this.#stop(), { once: true })
  }

  /** The first thread finds the port, the others follow. */
  async listen(address: ListenAddress): Promise<ListenAddress> {
    this.#address = address
    const [first, ...others] = this.#places
    await first?.start()
    await Promise.all(others.map(place => place.start()))
    return this.#address
  }

  setServing(isServing: boolean): void {
    this.#isServing = isServing
    for (const thread of this.#threads()) thread.setServing(isServing)
  }

  counts(): ReturnType<GrpcApi['counts']> {
    const counts = this.#threads().map(({ facts }) => facts.counts)
    return { streams: sum(counts, each => each.streams), subscriptions: sum(counts, each => each.subscriptions) }
  }

  streams(): ReturnType<GrpcApi['streams']> {
    const counts = this.#threads().map(({ facts }) => facts.streams)
    return { open: sum(counts, each => each.open), leaving: sum(counts, each => each.leaving) }
  }

  /** Of each thread its share. */
  shed(count: number): void {
    shedStreams(this.#threads(), count)
  }

  connections(): ConnectionsReport {
    return joinReports(this.#threads().map(thread => thread.connections()))
  }

  get followers(): number {
    return sum(this.#threads(), ({ facts }) => facts.followers)
  }

  close(): Promise<void> {
    this.#closed ??= this.#close()
    return this.#closed
  }

  #threads(): readonly GrpcThread[] {
    return this.#places.flatMap(({ thread }) => thread ?? [])
  }

  async #begin(thread: GrpcThread): Promise<void> {
    if (this.#address === undefined) throw new Error('a thread is started before it is known where it is to listen')
    if (!this.#isPortOurs) {
      // While the thread starts, another server might still come to the port.
      await thread.whenUp()
      if (this.#address.port !== 0) await tryPort(this.#address)
      this.#isPortOurs = true
    }
    this.#address = await thread.listen(this.#address)
    thread.setServing(this.#isServing)
    this.#leaveJoined.set(thread, this.#joined.join(thread.proxies))
  }

  #gone(thread: GrpcThread): void {
    this.#leaveJoined.get(thread)?.()
    this.#leaveJoined.delete(thread)
    this.#counts.keep(thread)
  }

  async #count(): Promise<readonly MetricsSnapshot[]> {
    const late = new AbortController()
    const cancel = this.#ports.clock.after(countMs, () => late.abort())
    const counted = await this.#counts.collect(this.#threads(), late.signal)
    cancel()
    return counted
  }

  #gauge(): void {
    const { metrics } = this.#ports
    metrics.gauge({
      name: 'nameplane_push_threads',
      help: 'Threads that serve the gRPC port.',
      collect: () => this.#threads().length,
    })
    metrics.gauge({
      name: 'nameplane_push_thread_restarts',
      help: 'Threads that took the place of one that had ended unasked, since the start.',
      collect: () => sum(this.#places, ({ restarts }) => restarts),
    })
  }

  #stop(): void {
    for (const place of this.#places) place.stop()
    for (const thread of this.#threads()) thread.stop()
  }

  async #close(): Promise<void> {
    this.#stop()
    await Promise.all(this.#threads().map(thread => this.#end(thread)))
    this.#queue.close()
    this.#leaveMetrics()
  }

  async #end(thread: GrpcThread): Promise<void> {
    const { clock, log } = this.#ports
    const { promise: late, resolve } = Promise.withResolvers<void>()
    const cancel = clock.after(this.#drainMs + closeMs, resolve)
    const closed = thread.close().catch(error => log.debug({ err: error }, 'a thread ended before it was closed'))
    await Promise.race([closed, late])
    cancel()
    await thread.terminate()
  }
}

/** Whether the port can be had alone: what shares it later would not be refused by another program that shares it too. */
async function tryPort({ host, port }: ListenAddress): Promise<void> {
  const server = createServer()
  await listenOn(server, { host, port }, 'gRPC')
  await new Promise<void>(resolve => server.close(() => resolve()))
}

/** What bounds the process is shared among the threads; what bounds a stream or a client holds in each. */
function shareOf(options: GrpcApiOptions, workers: number): GrpcApiOptions {
  const { perServer, perNamespace } = { ...grpcLimitDefaults, ...options.limits }
  const shares = { perServer: Math.ceil(perServer / workers), perNamespace: Math.ceil(perNamespace / workers) }
  return { ...options, limits: { ...options.limits, ...shares } }
}

function sum<T>(items: readonly T[], of: (item: T) => number): number {
  return items.reduce((total, item) => total + of(item), 0)
}
