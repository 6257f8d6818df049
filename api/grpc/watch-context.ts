// What all Watch streams of a thread share beside what all push streams share: the frames, one message buffer, and the look
// that is taken at each of them every second.
import type { BoundTree } from '../../naming/bound-tree.ts'
import type { ReplicaSet } from '../../naming/replica-set.ts'
import { encodeReplicaContent, encodeTreeContent } from '../../proto/updates.ts'
import type { Metrics } from '../../runtime/metrics.ts'
import type { Cancel } from '../../watch/clock.ts'
import { RecentFrames } from '../frames.ts'
import type { PushContext } from '../push/push-context.ts'
import type { GrpcPorts } from './grpc-ports.ts'
import { ResponseBuilder } from './response-builder.ts'

/** How often each stream is looked at, in milliseconds. */
const lookMs = 1_000
/** In seconds. */
const lagBuckets = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30]

/** A stream as its context knows it. */
export interface CheckedStream {
  /** Looks whether something should have come and has not. */
  check(): void
}

export class WatchContext {
  readonly ports: GrpcPorts
  readonly push: PushContext
  readonly builder = new ResponseBuilder()
  readonly treeFrames = new RecentFrames<BoundTree>(encodeTreeContent)
  readonly replicaFrames = new RecentFrames<ReplicaSet>(encodeReplicaContent)
  readonly counters: ReturnType<typeof createCounters>
  /** A change was in use at a client so many ms after it was made. */
  readonly observeLag: (ms: number) => void
  /** What the streams are subscribed to. */
  subscriptions = 0
  readonly #streams = new Set<CheckedStream>()
  #cancelLook: Cancel | undefined

  constructor(ports: GrpcPorts, push: PushContext) {
    this.ports = ports
    this.push = push
    this.counters = createCounters(ports.metrics)
    const lag = createLag(ports.metrics)
    this.observeLag = ms => lag.observe(ms / 1000)
    createGauges(ports.metrics, this)
  }

  /** Streams that are open. */
  get streams(): number {
    return this.#streams.size
  }

  opened(stream: CheckedStream): void {
    this.#streams.add(stream)
    this.#cancelLook ??= this.push.clock.after(lookMs, this.#look)
  }

  closed(stream: CheckedStream): void {
    this.#streams.delete(stream)
    if (this.#streams.size > 0) return
    this.#cancelLook?.()
    this.#cancelLook = undefined
  }

  readonly #look = (): void => {
    this.#cancelLook = this.push.clock.after(lookMs, this.#look)
    for (const stream of this.#streams) stream.check()
  }
}

function createGauges(metrics: Metrics, context: WatchContext): void {
  metrics.gauge({
    name: 'nameplane_watch_streams',
    help: 'Watch streams that are open.',
    collect: () => context.streams,
  })
  metrics.gauge({
    name: 'nameplane_watch_subscriptions',
    help: 'Subscriptions of all Watch streams.',
    collect: () => context.subscriptions,
  })
}

function createLag(metrics: Metrics) {
  return metrics.histogram({
    name: 'nameplane_push_lag_seconds',
    help: 'From a change of a backend or of rules to the word of a proxy that it is in use; one for each message.',
    buckets: lagBuckets,
  })
}

function createCounters(metrics: Metrics) {
  return {
    mismatches: metrics.counter({
      name: 'nameplane_watch_digest_mismatches_total',
      help: 'Times a proxy confirmed something else than it had been sent.',
    }),
    questions: metrics.counter({
      name: 'nameplane_watch_questions_total',
      help: 'Times a proxy was asked what it holds.',
    }),
    drift: metrics.counter({
      name: 'nameplane_watch_drift_total',
      help: 'Names and replica sets that a proxy did not have as they had been sent, and that were repaired.',
    }),
  }
}
