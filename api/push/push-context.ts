// What all push streams of a thread share: the work queue, the pace, limits, admission, what is unsent, counters. Knows no
// protocol.
import type { status } from '@grpc/grpc-js'
import type { Metrics } from '../../runtime/metrics.ts'
import type { Clock } from '../../watch/clock.ts'
import type { GrpcPorts } from '../grpc/grpc-ports.ts'
import { WarmCells, type WarmCellsOptions } from '../warm-cells.ts'
import { Admission } from './admission.ts'
import { Connections } from './connections.ts'
import { Mailbox } from './mailbox.ts'
import { Pace } from './pace.ts'
import type { PushStream } from './push-stream.ts'
import { SubscriptionLimits, type SubscriptionLimitsOptions, subscriptionLimitDefaults } from './subscription-limits.ts'
import { type UnsentLimits, UnsentWatch } from './unsent-watch.ts'
import { WorkQueue } from './work-queue.ts'

export interface PushContextOptions {
  readonly limits?: Partial<SubscriptionLimitsOptions> | undefined
  /** How long a peer may take nothing while there is something for it; milliseconds. */
  readonly unsentDeadlineMs: number
  /** Bytes on their way over one connection, and in all; more wait. */
  readonly unsent?: Partial<Omit<UnsentLimits, 'deadlineMs'>> | undefined
  readonly warm?: Partial<Omit<WarmCellsOptions, 'clock'>> | undefined
}

/** A stalled connection leaves room for fifteen others; a healthy one fills neither. */
const unsentLimits = { perConnection: 16 * 1024 * 1024, perThread: 256 * 1024 * 1024 }

/** One client takes at most a quarter of the room, so that others keep theirs whatever it asks for. */
const warmLimits = { lingerMs: 10_000, maxCells: 4_096, maxCellsPerClient: 1_024 }

/** To end a stream takes some 15 microseconds. */
const endsPerPiece = 64

export class PushContext {
  readonly clock: Clock
  readonly queue: WorkQueue
  readonly pace: Pace
  readonly limits: SubscriptionLimits
  readonly admission: Admission
  /** Looks after what peers do not take. */
  readonly unsent: UnsentWatch
  readonly connections: Connections
  /** What unary calls asked for of late. */
  readonly warm: WarmCells
  readonly counters: ReturnType<typeof createCounters>
  readonly #changedAt: () => number
  readonly #onConflated = (): void => this.counters.conflated.inc()
  #streams = 0

  constructor(
    { clock, kernel, metrics }: Pick<GrpcPorts, 'clock' | 'kernel' | 'metrics'>,
    options: PushContextOptions,
  ) {
    this.clock = clock
    this.queue = new WorkQueue(clock)
    this.pace = new Pace({ clock, load: () => this.queue.load })
    this.limits = new SubscriptionLimits({ ...subscriptionLimitDefaults, ...options.limits }, metrics)
    this.admission = new Admission({ clock, queue: this.queue, onTurnAway: () => this.counters.turnedAway.inc() })
    this.unsent = new UnsentWatch({
      clock,
      queue: this.queue,
      limits: { ...unsentLimits, ...options.unsent, deadlineMs: options.unsentDeadlineMs },
      onReset: reason => this.counters.resets.inc({ reason }),
    })
    this.connections = new Connections(clock)
    this.warm = new WarmCells({ clock, ...warmLimits, ...options.warm })
    this.counters = createCounters(metrics)
    this.#changedAt = () => kernel.changedAt()
    createGauges(metrics, this)
  }

  /** Streams that are open. */
  get streams(): number {
    return this.#streams
  }

  mailbox(onMail: () => void): Mailbox {
    return new Mailbox({ pace: this.pace, onMail, onConflated: this.#onConflated, changedAt: this.#changedAt })
  }

  /** For PushStream alone, as the one below. */
  opened(stream: PushStream): void {
    this.#streams++
    this.unsent.add(stream)
    if (stream.transport !== undefined) this.connections.opened(stream, stream.transport.session)
  }

  closed(stream: PushStream): void {
    this.#streams--
    if (stream.transport !== undefined) this.connections.closed(stream, stream.transport.session)
  }

  /** Ends every stream with a status: as many as take a millisecond before it returns, the others in the next turns. */
  endStreams(code: status, details: string): void {
    const work = (): boolean => this.connections.endSome(endsPerPiece, code, details)
    if (work()) this.queue.add({ work })
  }

  /** Forgets what was to be done. */
  close(): void {
    this.unsent.close()
    this.queue.close()
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
    turnedAway: metrics.counter({
      name: 'nameplane_push_turned_away_total',
      help: 'New push streams that were sent away for a while because the line was too long.',
    }),
    resets: metrics.counter({
      name: 'nameplane_push_resets_total',
      help: 'Push streams that were ended here: their peer took or confirmed nothing for too long, or others waited for room in the budget.',
      labels: ['reason'],
    }),
  }
}

function createGauges(metrics: Metrics, { admission, pace, queue, unsent }: PushContext): void {
  metrics.gauge({
    name: 'nameplane_push_waiting',
    help: 'New push streams that wait in line for their first states.',
    collect: () => admission.waiting,
  })
  metrics.gauge({
    name: 'nameplane_push_admitted_names',
    help: 'Names of new push streams whose first states are being sent.',
    collect: () => admission.admitted,
  })
  metrics.gauge({
    name: 'nameplane_push_unsent_bytes',
    help: 'Bytes on their way to peers that have not taken them.',
    collect: () => unsent.bytes,
  })
  metrics.gauge({
    name: 'nameplane_push_load',
    help: 'Share of the time, 0 to 1, in which there was something to push, over about the last second.',
    across: 'max',
    collect: () => queue.load,
  })
  metrics.gauge({
    name: 'nameplane_push_spaced',
    help: 'States that wait because the one before them went out too recently for the load.',
    collect: () => pace.resting,
  })
}
