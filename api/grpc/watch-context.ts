// What all Watch streams of a thread share beside what all push streams share: the frames and one message buffer.
import type { BoundTree } from '../../naming/bound-tree.ts'
import type { ReplicaSet } from '../../naming/replica-set.ts'
import { encodeReplicaContent, encodeTreeContent } from '../../proto/updates.ts'
import type { Metrics } from '../../runtime/metrics.ts'
import { RecentFrames } from '../frames.ts'
import type { PushContext } from '../push/push-context.ts'
import type { GrpcPorts } from './grpc-ports.ts'
import { ResponseBuilder } from './response-builder.ts'

export class WatchContext {
  readonly ports: GrpcPorts
  readonly push: PushContext
  readonly builder = new ResponseBuilder()
  readonly treeFrames = new RecentFrames<BoundTree>(encodeTreeContent)
  readonly replicaFrames = new RecentFrames<ReplicaSet>(encodeReplicaContent)
  /** Streams that are open, and what they are subscribed to. */
  streams = 0
  subscriptions = 0

  constructor(ports: GrpcPorts, push: PushContext) {
    this.ports = ports
    this.push = push
    createGauges(ports.metrics, this)
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
