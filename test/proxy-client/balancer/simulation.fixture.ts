// A balancer before simulated replicas: events in the order of their time, the same in every run. For tests that count, and
// for the benchmark.
import { accrualConfig } from '../../../proxy-client/accrual/accrual-config.ts'
import { createAccrual } from '../../../proxy-client/accrual/create-accrual.ts'
import type { Outcome } from '../../../proxy-client/balancer/balancer.ts'
import { balancerConfig } from '../../../proxy-client/balancer/balancer-config.ts'
import { createBalancer } from '../../../proxy-client/balancer/create-balancer.ts'
import type { Cancel, Clock } from '../../../watch/clock.ts'
import { seededRandom } from '../seeded-random.fixture.ts'

/** A replica works on so many requests at a time; the others wait in turn. */
export interface Replica {
  readonly slots: number
  /** Mean of an exponential distribution. */
  readonly meanMs: number
  /** Answers each request so, after `meanMs`. */
  readonly outcome?: Outcome
  readonly pause?: Pause
  /** From then on it answers nothing. */
  readonly hangsAfterMs?: number
}

/** Every `everyMs` something stands still for `forMs`. */
interface Pause {
  readonly everyMs: number
  readonly forMs: number
}

function pauseLeft(pause: Pause | undefined, clock: Clock): number {
  return pause === undefined ? 0 : Math.max(0, pause.forMs - (clock.monotonic() % pause.everyMs))
}

export interface Load {
  readonly kind: string
  readonly replicas: readonly Replica[]
  readonly requestsPerSecond: number
  readonly seconds: number
  /** Of the proxy itself: what comes in the meantime, requests and answers, it sees afterwards. */
  readonly pause?: Pause
}

export interface SimulationResult {
  /** Milliseconds of each request that succeeded, from when it came. */
  readonly latencies: readonly number[]
  readonly failures: number
  /** Requests that were never answered. */
  readonly unanswered: number
  /** Requests that went to each replica. */
  readonly sent: readonly number[]
}

interface Event {
  readonly at: number
  readonly run: () => void
}

class SimulatedClock implements Clock {
  #now = 0
  readonly #events: Event[] = []

  now = (): number => this.#now
  monotonic = (): number => this.#now

  after = (ms: number, run: () => void): Cancel => {
    const event = { at: this.#now + ms, run }
    let index = this.#events.push(event) - 1
    while (index > 0) {
      const above = (index - 1) >> 1
      const other = this.#events[above]
      if (other === undefined || other.at <= event.at) break
      this.#events[index] = other
      this.#events[above] = event
      index = above
    }
    return () => {
      throw new Error('nothing is cancelled here')
    }
  }

  defer = (run: () => void): Cancel => this.after(0, run)

  /** Runs everything there is, and what comes of it. */
  run(): void {
    for (let next = this.#takeFirst(); next !== undefined; next = this.#takeFirst()) {
      this.#now = next.at
      next.run()
    }
  }

  #takeFirst(): Event | undefined {
    const [first] = this.#events
    const last = this.#events.pop()
    if (last === undefined || this.#events.length === 0) return first
    let index = 0
    for (;;) {
      const left = 2 * index + 1
      const [a, b] = [this.#events[left], this.#events[left + 1]]
      const below = b !== undefined && a !== undefined && b.at < a.at ? left + 1 : left
      const event = this.#events[below]
      if (event === undefined || event.at >= last.at) break
      this.#events[index] = event
      index = below
    }
    this.#events[index] = last
    return first
  }
}

class SimulatedReplica {
  readonly #replica: Replica
  readonly #clock: Clock
  readonly #random: () => number
  readonly #waiting: (() => void)[] = []
  #busy = 0
  sent = 0

  constructor(replica: Replica, clock: Clock, random: () => number) {
    this.#replica = replica
    this.#clock = clock
    this.#random = random
  }

  send(done: (outcome: Outcome) => void): void {
    this.sent++
    const start = (): void => {
      this.#busy++
      if (this.#clock.monotonic() >= (this.#replica.hangsAfterMs ?? Number.POSITIVE_INFINITY)) return
      this.#clock.after(pauseLeft(this.#replica.pause, this.#clock) + this.#serviceMs(), () => {
        this.#busy--
        done(this.#replica.outcome ?? 'success')
        this.#waiting.shift()?.()
      })
    }
    if (this.#busy < this.#replica.slots) start()
    else this.#waiting.push(start)
  }

  #serviceMs(): number {
    const { meanMs, outcome } = this.#replica
    return outcome === undefined ? -Math.log(1 - this.#random()) * meanMs : meanMs
  }
}

/** Requests come by chance (Poisson), whether or not earlier ones have ended. Failures are not tried again. */
export function simulate({ kind, replicas, requestsPerSecond, seconds, pause }: Load): SimulationResult {
  const random = seededRandom(42)
  const clock = new SimulatedClock()
  const servers = replicas.map(replica => new SimulatedReplica(replica, clock, random))
  const balancer = createBalancer<SimulatedReplica | undefined>(balancerConfig.parse({ kind }), {
    random,
    clock,
    accrual: createAccrual(accrualConfig.parse({ kind: 'io.l5d.consecutiveFailures' }), { random, clock }),
    open: ({ port }) => servers[port],
    close: () => {},
  })
  balancer.update(replicas.map((_, port) => ({ address: '10.0.0.1', port, weight: 1 })))
  const latencies: number[] = []
  let failures = 0
  const whenAwake = (run: () => void): void => {
    const left = pauseLeft(pause, clock)
    if (left === 0) run()
    else clock.after(left, run)
  }
  const send = (startedAt: number): void => {
    const pick = balancer.pick()
    pick?.target?.send(outcome =>
      whenAwake(() => {
        pick.release(outcome)
        if (outcome === 'success') latencies.push(clock.monotonic() - startedAt)
        else failures++
      }),
    )
  }
  const request = (): void => {
    const startedAt = clock.monotonic()
    if (startedAt > seconds * 1_000) return
    clock.after((-Math.log(1 - random()) / requestsPerSecond) * 1_000, request)
    whenAwake(() => send(startedAt))
  }
  clock.after(0, request)
  clock.run()
  const sent = servers.map(server => server.sent)
  const unanswered = sent.reduce((sum, count) => sum + count, 0) - latencies.length - failures
  return { latencies, failures, unanswered, sent }
}
