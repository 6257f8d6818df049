// What the watch client counts, for /state and for metrics alike.
import type { Metrics } from '../../runtime/metrics.ts'

const counted = {
  messagesSent: ['messages_sent', 'Messages sent to the naming server that say more than what has been received.'],
  messagesReceived: ['messages_received', 'Messages received from the naming server.'],
  updatesReceived: ['updates_received', 'Updates received from the naming server.'],
  connections: ['connections', 'Streams that a naming server has answered.'],
  messagesIgnored: ['messages_ignored', 'Messages from the naming server that had come before, or out of order.'],
  acksSent: ['acks_sent', 'Acknowledgements sent to the naming server.'],
  driftAnswers: ['drift_answers', 'How often the naming server asked what is held, to repair what differs.'],
  updatesRefused: ['updates_refused', 'Updates that could not be used; what was known before stands.'],
  moves: ['moves', 'How often one stream was left for another that stood already.'],
} as const

export type CountName = keyof typeof counted

export class ClientCounts {
  readonly #counts: Record<CountName, number>
  readonly #counters: Partial<Record<CountName, { inc(by: number): void }>> = {}

  constructor(metrics: Metrics | undefined) {
    this.#counts = countsOf(() => 0)
    if (metrics === undefined) return
    this.#counters = countsOf(name => {
      const [metric, help] = counted[name]
      return metrics.counter({ name: `nameplane_watch_client_${metric}_total`, help })
    })
  }

  add(name: CountName, by = 1): void {
    this.#counts[name] += by
    this.#counters[name]?.inc(by)
  }

  all(): Readonly<Record<CountName, number>> {
    return { ...this.#counts }
  }
}

function countsOf<T>(make: (name: CountName) => T): Record<CountName, T> {
  const names = Object.keys(counted) as CountName[] // the keys of a literal are those of its type
  return Object.fromEntries(names.map(name => [name, make(name)])) as Record<CountName, T> // one for each of them
}
