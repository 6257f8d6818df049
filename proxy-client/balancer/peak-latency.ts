// The latency that an endpoint is expected to have: quick to see that it grows, slow to believe that it falls. An average
// whose weights fade with time, as Finagle's Peak EWMA (eckner.com/papers/ts_alg.pdf), and not with the number of requests.
import type { Outcome } from './balancer.ts'
import type { Member } from './member.ts'

/** Whatever is known of an endpoint is above 0, which stands for not knowing. */
const leastMs = 0.001
/** Of what the average of the others follows one request. */
const meanShare = 1 / 64
/** What failed counts at least as so many times the average of the others. */
const failureFactor = 2

export class PeakLatency {
  readonly #decayMs: number
  /** Of successes at all endpoints. */
  #meanMs = 0

  constructor(decayMs: number) {
    this.#decayMs = decayMs
  }

  /** A request goes to it at `now`. */
  began<T>(member: Member<T>, now: number): void {
    if (member.unanswered++ === 0) member.waitedForSince = now
  }

  /** One that began has been answered at `now`, after `ms`, or has ended without an answer. */
  ended<T>(member: Member<T>, now: number, ms: number, outcome: Outcome): void {
    this.#observe(member, now, ms, outcome)
    member.unanswered--
  }

  #observe<T>(member: Member<T>, now: number, ms: number, outcome: Outcome): void {
    if (outcome === 'success') {
      this.#meanMs += (ms - this.#meanMs) * (this.#meanMs === 0 ? 1 : meanShare)
      this.#learn(member, now, ms)
    } else if (outcome === 'aborted') {
      // The answer would have taken at least as long; of one that is not known that says little before it is more than usual.
      const least = member.latencyMs === 0 ? this.#meanMs : this.estimate(member, now)
      if (ms > least) this.#learn(member, now, ms)
    } else {
      // What fails fast must not draw requests for its speed.
      this.#learn(member, now, Math.max(ms, this.#meanMs * failureFactor, this.estimate(member, now)))
    }
  }

  /**
   * In ms at `now`; 0 while nothing is known. It fades, so that an endpoint that was slow once is tried again; not while it is
   * being tried, so that one that never answers draws no more and more requests.
   */
  estimate<T>(member: Member<T>, now: number): number {
    const fadedFor = (member.unanswered === 0 ? now : member.waitedForSince) - member.observedAt
    return fadedFor <= 0 ? member.latencyMs : member.latencyMs * Math.exp(-fadedFor / this.#decayMs)
  }

  /**
   * Whether a request should rather go to `a`: less latency times requests in progress, this one included. An endpoint that
   * nothing is known of gets one request, and no second until that is answered.
   */
  isCheaper<T>(a: Member<T>, b: Member<T>, now: number): boolean {
    if (a.latencyMs === 0 || b.latencyMs === 0) return isNewerOrIdler(a, b)
    return this.estimate(a, now) * (a.load + 1) < this.estimate(b, now) * (b.load + 1)
  }

  #learn<T>(member: Member<T>, now: number, ms: number): void {
    if (ms >= member.latencyMs) {
      member.latencyMs = Math.max(ms, leastMs)
    } else {
      const kept = Math.exp((member.observedAt - now) / this.#decayMs)
      member.latencyMs = Math.max(member.latencyMs * kept + ms * (1 - kept), leastMs)
    }
    member.observedAt = now
    member.waitedForSince = now
  }
}

/** One of them is not known yet. */
function isNewerOrIdler<T>(a: Member<T>, b: Member<T>): boolean {
  const isUntried = a.latencyMs === 0 && a.load === 0
  const isOtherUntried = b.latencyMs === 0 && b.load === 0
  if (isUntried || isOtherUntried) return isUntried && !isOtherUntried
  return a.latencyMs === 0 && b.latencyMs === 0 ? a.load < b.load : b.latencyMs === 0
}
