// What all Watch streams of a server share: the frames, the work queue, one message buffer, limits and counters.
import type { Interpreter } from '../../interpreters/interpreter.ts'
import type { BoundTree } from '../../naming/bound-tree.ts'
import type { ReplicaSet } from '../../naming/replica-set.ts'
import { encodeReplicaContent, encodeTreeContent } from '../../proto/updates.ts'
import type { Log } from '../../runtime/log.ts'
import type { Metrics } from '../../runtime/metrics.ts'
import { RecentFrames } from '../frames.ts'
import type { ApiPorts } from '../ports.ts'
import { ResponseBuilder } from './response-builder.ts'
import { WorkQueue } from './work-queue.ts'

export interface WatchLimits {
  /** Subscriptions (names, and replica sets subscribed by themselves) that one stream may hold. */
  readonly perStream: number
  /** Subscriptions that all streams of the server may hold together. */
  readonly perServer: number
}

/** Live counts, for tests and /state. */
export interface WatchCounts {
  readonly streams: number
  readonly subscriptions: number
}

export class WatchContext {
  readonly interpreter: Interpreter
  readonly log: Log
  readonly limits: WatchLimits
  readonly queue: WorkQueue
  readonly builder = new ResponseBuilder()
  readonly treeFrames = new RecentFrames<BoundTree>(encodeTreeContent)
  readonly replicaFrames = new RecentFrames<ReplicaSet>(encodeReplicaContent)
  readonly counters: ReturnType<typeof createCounters>
  streams = 0
  subscriptions = 0

  constructor(ports: ApiPorts, limits: WatchLimits) {
    this.interpreter = ports.interpreter
    this.log = ports.log
    this.limits = limits
    this.queue = new WorkQueue(ports.clock)
    this.counters = createCounters(ports.metrics)
    createGauges(ports.metrics, () => this.counts())
  }

  counts(): WatchCounts {
    return { streams: this.streams, subscriptions: this.subscriptions }
  }
}

function createCounters(metrics: Metrics) {
  return {
    messages: metrics.counter({ name: 'nameplane_watch_messages_total', help: 'Messages sent on Watch streams.' }),
    updates: metrics.counter({ name: 'nameplane_watch_updates_total', help: 'Updates sent on Watch streams.' }),
    conflated: metrics.counter({
      name: 'nameplane_watch_conflated_total',
      help: 'States that were replaced by a newer one before a Watch stream could send them.',
    }),
  }
}

function createGauges(metrics: Metrics, counts: () => WatchCounts): void {
  metrics.gauge({
    name: 'nameplane_watch_streams',
    help: 'Watch streams that are open.',
    collect: () => counts().streams,
  })
  metrics.gauge({
    name: 'nameplane_watch_subscriptions',
    help: 'Subscriptions of all Watch streams.',
    collect: () => counts().subscriptions,
  })
}
