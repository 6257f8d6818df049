// One thread from its start to its end, as the main thread sees it. Knows not when another takes its place.
import { MessageChannel, Worker } from 'node:worker_threads'
import type { GrpcApiOptions, ListenAddress } from '../../api/grpc/grpc-api.ts'
import type { GrpcPorts } from '../../api/grpc/grpc-ports.ts'
import type { ProxySource } from '../../api/proxies.ts'
import type { WorkQueue } from '../../api/push/work-queue.ts'
import type { PushStreams } from '../../api/push-streams.ts'
import type { Servers } from '../../api/servers.ts'
import { NamingError } from '../../naming/errors.ts'
import type { MetricsSnapshot } from '../../runtime/metrics.ts'
import { Line } from './line.ts'
import { proxiesOver, proxiesService } from './line-proxies.ts'
import { MirrorOrigin } from './mirror-origin.ts'
import { textPort } from './port-of-text.ts'
import { factsOfServer } from './server-facts.ts'
import type { StateTexts } from './state-texts.ts'
import type { LogLine, ThreadData, ThreadFacts } from './thread-data.ts'

/** The thread runs from source and from a build alike. */
const threadUrl = new URL(import.meta.url.endsWith('.ts') ? './thread.ts' : './thread.js', import.meta.url)

/** What a thread asks of the server. */
export interface GrpcThreadPorts extends Omit<GrpcPorts, 'proxies' | 'servers'> {
  readonly servers: Pick<Servers, 'selfId' | 'told' | 'streams' | 'disagreements'>
}

export interface GrpcThreadOptions {
  /** From 1. */
  readonly thread: number
  readonly ports: GrpcThreadPorts
  readonly options: GrpcApiOptions
  readonly queue: WorkQueue
  readonly texts: StateTexts
  /** Called once when it is gone, with how it ended. */
  readonly onExit: (how: string) => void
}

const noFacts: ThreadFacts = {
  counts: { streams: 0, subscriptions: 0 },
  streams: { open: 0, leaving: 0 },
  connections: { connections: 0, streams: {}, highestStreams: 0, streamsLimit: 0, busiest: [] },
  followers: 0,
}

export class GrpcThread implements PushStreams {
  /** The proxies that are connected to it. */
  readonly proxies: ProxySource
  /** As it told last, a second ago at most. */
  facts = noFacts
  /** All that it has counted, as it told last. */
  metrics: MetricsSnapshot = []
  readonly #worker: Worker
  readonly #line: Line
  readonly #origin: MirrorOrigin
  #failure: Error | undefined

  constructor({ thread, ports, options, queue, texts, onExit }: GrpcThreadOptions) {
    const { kernel, clock, interpreter, servers } = ports
    const { port1, port2 } = new MessageChannel()
    const workerData: ThreadData = { thread, mirror: port2, server: servers.selfId, options }
    this.#worker = new Worker(threadUrl, { workerData, transferList: [port2], name: `grpc ${thread}` })
    this.#origin = new MirrorOrigin({
      port: textPort(port1),
      kernel,
      clock,
      interpreter,
      told: servers.told,
      queue,
      texts,
    })
    this.#line = new Line(message => this.#worker.postMessage(message))
    this.#serve(ports, thread)
    this.proxies = proxiesOver(this.#line)
    this.#worker.on('message', message => this.#line.receive(message))
    this.#worker.on('error', (error: Error) => {
      this.#failure = error
    })
    this.#worker.once('exit', code => {
      port1.close()
      this.#origin.close()
      const how = this.#failure?.message ?? `code ${code}`
      this.#line.end(new NamingError('unavailable', `thread ${thread} ended (${how})`))
      onExit(how)
    })
  }

  /** Resolves once it has started; rejects when it ends before. */
  async whenUp(): Promise<void> {
    await this.#line.ask('up', undefined)
  }

  /** Resolves to the address in use; rejects when it cannot be had, or the thread ends before. */
  async listen(address: ListenAddress): Promise<ListenAddress> {
    return (await this.#line.ask('listen', { ...address, isShared: true })) as ListenAddress // what GrpcApi gives
  }

  setServing(isServing: boolean): void {
    this.#line.tell('serving', isServing)
  }

  streams(): ThreadFacts['streams'] {
    return this.facts.streams
  }

  shed(count: number): void {
    this.#line.tell('shed', count)
  }

  connections(): ThreadFacts['connections'] {
    return this.facts.connections
  }

  /** Has it tell what it has counted; resolves also when it does not. */
  async count(signal: AbortSignal): Promise<void> {
    try {
      this.metrics = (await this.#line.ask('metrics', undefined, signal)) as MetricsSnapshot // what Metrics gives
    } catch (error) {
      if (NamingError.from(error).code === 'internal') throw error
    }
  }

  /** Its streams end with UNAVAILABLE, and new ones are refused. */
  stop(): void {
    this.#line.tell('stop', undefined)
  }

  /** Resolves once its peers have gone or were cut off. */
  async close(): Promise<void> {
    await this.#line.ask('close', undefined)
  }

  /** Ends it at once. */
  async terminate(): Promise<void> {
    await this.#worker.terminate()
  }

  #serve({ log, servers, ownProxies }: GrpcThreadOptions['ports'], thread: number): void {
    const threadLog = log.child({ thread })
    const { ask, follow } = proxiesService(ownProxies)
    this.#line.serve({
      // The thread is this program too: each value has the type that is asked for here.
      tell: {
        facts: facts => {
          this.facts = facts as ThreadFacts
          this.#line.tell('server', factsOfServer(servers))
        },
        log: line => {
          const { level, facts, message } = line as LogLine
          threadLog[level](facts, message)
        },
      },
      ask,
      follow,
    })
  }
}
