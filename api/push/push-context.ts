// What all push streams of a thread share: the work queue, the pace, limits, admission, counters, and who is open. It resets
// the streams whose peers do not read. Knows no protocol.

import type { Metrics } from '../../runtime/metrics.ts'
import type { Cancel, Clock } from '../../watch/clock.ts'
import type { GrpcPorts } from '../grpc/grpc-ports.ts'
import { WarmCells, type WarmCellsOptions } from '../warm-cells.ts'
import { Admission } from './admission.ts'
import { Connections } from './connections.ts'
import { Mailbox } from './mailbox.ts'
import { Pace } from './pace.ts'
import type { PushStream } from './push-stream.ts'
import { SubscriptionLimits, type SubscriptionLimitsOptions, subscriptionLimitDefaults } from './subscription-limits.ts'
import { WorkQueue } from './work-queue.ts'

export interface PushContextOptions {
  readonly limits?: Partial<SubscriptionLimitsOptions> | undefined
  /** How long a peer may take nothing while there is something for it; milliseconds. */
  readonly unsentDeadlineMs: number
  readonly warm?: Partial<Omit<WarmCellsOptions, 'clock'>> | undefined
}

/** One client takes at most a quarter of the room, so that others keep theirs whatever it asks for. */
const warmLimits = { lingerMs: 10_000, maxCells: 4_096, maxCellsPerClient: 1_024 }

export class PushContext {
  readonly clock: Clock
  readonly queue: WorkQueue
  readonly pace: Pace
  readonly limits: SubscriptionLimits
  readonly admission: Admission
  readonly connections: Connections
  /** What unary calls asked for of late. */
  readonly warm: WarmCells
  readonly counters: ReturnType<typeof createCounters>
  readonly #options: PushContextOptions
  readonly #changedAt: () => number
  readonly #streams = new Set<PushStream>()
  #cancelSweep: Cancel | undefined
  #unsentBytes = 0

  constructor({ clock, kernel, metrics }: GrpcPorts, options: PushContextOptions) {
    this.clock = clock
    this.#options = options
    this.queue = new WorkQueue(clock)
    this.pace = new Pace({ clock, load: () => this.queue.load })
    this.limits = new SubscriptionLimits({ ...subscriptionLimitDefaults, ...options.limits }, metrics)
    this.admission = new Admission({ clock })
    this.connections = new Connections(clock)
    this.warm = new WarmCells({ clock, ...warmLimits, ...options.warm })
    this.counters = createCounters(metrics)
    this.#changedAt = () => kernel.changedAt()
  }

  /** Streams that are open. */
  get streams(): number {
    return this.#streams.size
  }

  /** Bytes handed to transports that have not taken them. */
  get unsentBytes(): number {
    return this.#unsentBytes
  }

  mailbox(onMail: () => void): Mailbox {
    const { pace, counters } = this
    return new Mailbox({ pace, onMail, onConflated: () => counters.conflated.inc(), changedAt: this.#changedAt })
  }

  /** For PushStream alone, as the three below. */
  opened(stream: PushStream): void {
    this.#streams.add(stream)
    if (stream.transport !== undefined) this.connections.opened(stream, stream.transport.session)
    this.#cancelSweep ??= this.clock.after(this.#sweepMs, this.#sweep)
  }

  closed(stream: PushStream): void {
    this.#streams.delete(stream)
    if (stream.transport !== undefined) this.connections.closed(stream, stream.transport.session)
  }

  sending(bytes: number): void {
    this.#unsentBytes += bytes
    this.counters.messages.inc()
  }

  taken(bytes: number): void {
    this.#unsentBytes -= bytes
  }

  /** Ends all streams and forgets what was to be done. */
  close(): void {
    this.#cancelSweep?.()
    this.#cancelSweep = undefined
    this.queue.close()
  }

  get #sweepMs(): number {
    return this.#options.unsentDeadlineMs / 4
  }

  readonly #sweep = (): void => {
    this.#cancelSweep = this.#streams.size === 0 ? undefined : this.clock.after(this.#sweepMs, this.#sweep)
    const since = this.clock.monotonic() - this.#options.unsentDeadlineMs
    for (const stream of this.#streams) {
      if (stream.unsentBytes === 0 || stream.unsentSince > since) continue
      this.counters.resets.inc()
      stream.reset()
    }
  }
}

function createCounters(metrics: Metrics) {
  return {
    messages: metrics.counter({ name: 'nameplane_push_messages_total', help: 'Messages sent on push streams.' }),
    updates: metrics.counter({ name: 'nameplane_push_updates_total', help: 'States sent on push streams.' }),
    conflated: metrics.counter({
      name: 'nameplane_push_conflated_total',
      help: 'States that were replaced by a newer one before a push stream could send them.',
    }),
    resets: metrics.counter({
      name: 'nameplane_push_resets_total',
      help: 'Push streams that were reset because their peer took nothing for too long.',
    }),
  }
}
