// Whether the agent is there at all. While it is not, one probe asks for all, and they go on when it answers anything.
// Knows nothing of what they ask.
import type { Cancel, Clock, Random } from '../../watch/clock.ts'
import { asError } from './consul-error.ts'

/** The nth wait for the next probe is drawn evenly from the first up to min(the second, the first * 2^n), in milliseconds. */
const firstWaitMs = 100
const longestWaitMs = 5000
/** With requests under way and no word of the agent for so long, it is asked whether it is there; in milliseconds. */
export const quietMs = 10_000
/** A request that has been under way for so long holds a connection that the agent took; in milliseconds. */
const takenAfterMs = 500
/** So many of those who wait are told or let go on in one turn of the event loop. */
const atOnce = 500

/** Why the agent is thought to be away, and when it is asked next, in ms since 1970. */
interface Outage {
  readonly error: Error
  readonly retryAt: number
}

/** Somebody who waits for the agent; told why at once, and after each probe in vain. */
interface Waiter {
  readonly tell: (error: Error, retryAt: number) => void
  readonly goOn: () => void
}

interface UnderWay {
  readonly since: number
  readonly end: (reason: Error) => void
}

export interface AgentReachOptions {
  readonly clock: Clock
  readonly random: Random
  /** Asks something that the agent can say by itself; settles soon after the signal aborts. Its answer goes to `answered` too. */
  readonly probe: (signal: AbortSignal) => Promise<unknown>
  /** A probe got no answer. */
  readonly onFailure: (error: Error) => void
}

/** Whoever made it closes it. */
export class AgentReach {
  readonly #options: AgentReachOptions
  readonly #waiters = new Set<Waiter>()
  /** Oldest first. */
  readonly #underWay = new Set<UnderWay>()
  #outage: Outage | undefined
  #failures = 0
  #quietSince = Number.NEGATIVE_INFINITY
  #probing: AbortController | undefined
  #cancelTimer: Cancel | undefined
  #cancelTelling: Cancel | undefined

  constructor(options: AgentReachOptions) {
    this.#options = options
  }

  /** Whether nothing should be asked now. */
  get isAway(): boolean {
    return this.#outage !== undefined
  }

  get isProbing(): boolean {
    return this.#probing !== undefined
  }

  /** The agent answered something, be it an error. */
  answered(): void {
    this.#quietSince = this.#options.clock.monotonic()
    if (this.#outage === undefined) return
    this.#outage = undefined
    this.#failures = 0
    this.#stopTimer()
    this.#watchSilence()
    this.#inTurns([...this.#waiters], waiter => {
      if (this.#waiters.delete(waiter)) waiter.goOn()
    })
  }

  /** No connection to the agent could be made. */
  unreachable(error: Error): void {
    if (this.#outage === undefined) this.#goAway(error)
  }

  /** A connection broke. That is the agent's end, unless it keeps one of somebody else. */
  broke(error: Error): void {
    const [oldest] = this.#underWay
    if (oldest === undefined || this.#options.clock.monotonic() - oldest.since < takenAfterMs) this.unreachable(error)
  }

  /** A request is sent; `end` is called when the agent is found to be silent. The returned function says that it is over. */
  began(end: (reason: Error) => void): () => void {
    const { clock } = this.#options
    const request: UnderWay = { since: clock.monotonic(), end }
    if (this.#underWay.size === 0) this.#quietSince = request.since
    this.#underWay.add(request)
    this.#watchSilence()
    return () => {
      this.#underWay.delete(request)
      if (this.#underWay.size === 0 && this.#outage === undefined) this.#stopAsking()
    }
  }

  /** Resolves once the agent answers, or the signal aborts. */
  wait(tell: (error: Error, retryAt: number) => void, signal: AbortSignal): Promise<void> {
    const outage = this.#outage
    if (signal.aborted || outage === undefined) return Promise.resolve()
    return new Promise(resolve => {
      const leave = (): void => {
        this.#waiters.delete(waiter)
        resolve()
      }
      const goOn = (): void => {
        signal.removeEventListener('abort', leave)
        resolve()
      }
      const waiter: Waiter = { tell, goOn }
      this.#waiters.add(waiter)
      signal.addEventListener('abort', leave, { once: true })
      tell(outage.error, outage.retryAt)
    })
  }

  /** Nobody asks anything: what was known of the agent is forgotten. Harmless when called twice. */
  rest(): void {
    this.#outage = undefined
    this.#failures = 0
    this.#stopAsking()
    this.#cancelTelling?.()
    this.#cancelTelling = undefined
  }

  #stopAsking(): void {
    this.#stopTimer()
    this.#probing?.abort()
    this.#probing = undefined
  }

  #stopTimer(): void {
    this.#cancelTimer?.()
    this.#cancelTimer = undefined
  }

  #goAway(error: Error): void {
    const { clock, random } = this.#options
    this.#failures++
    const mostMs = Math.min(longestWaitMs, firstWaitMs * 2 ** this.#failures)
    const waitMs = firstWaitMs + random() * (mostMs - firstWaitMs)
    const outage = { error, retryAt: clock.now() + waitMs }
    this.#outage = outage
    this.#stopAsking()
    this.#cancelTimer = clock.after(waitMs, () => this.#probe())
    this.#inTurns([...this.#waiters], waiter => {
      if (this.#waiters.has(waiter)) waiter.tell(outage.error, outage.retryAt)
    })
  }

  #watchSilence(): void {
    if (this.#underWay.size === 0 || this.#cancelTimer !== undefined || this.#probing !== undefined) return
    const { clock } = this.#options
    const leftMs = this.#quietSince + quietMs - clock.monotonic()
    this.#cancelTimer = clock.after(Math.max(0, leftMs), () => {
      this.#cancelTimer = undefined
      if (clock.monotonic() - this.#quietSince < quietMs) this.#watchSilence()
      else this.#probe()
    })
  }

  #probe(): void {
    const probing = new AbortController()
    this.#cancelTimer = undefined
    this.#probing = probing
    this.#options.probe(probing.signal).then(
      () => this.#probed(probing),
      error => this.#probed(probing, asError(error)),
    )
  }

  /** An answer, be it an error, has gone to `answered` before: what fails here after that is only the rest of it. */
  #probed(probing: AbortController, error?: Error): void {
    if (this.#probing !== probing) return
    this.#probing = undefined
    const isQuiet = this.#options.clock.monotonic() - this.#quietSince >= quietMs
    if (error === undefined || (this.#outage === undefined && !isQuiet)) {
      this.#watchSilence()
      return
    }
    this.#options.onFailure(error)
    const isNew = this.#outage === undefined
    this.#goAway(error)
    if (isNew) for (const { end } of [...this.#underWay]) end(error)
  }

  /** The newest call takes the place of one that is not done. */
  #inTurns(waiters: readonly Waiter[], act: (waiter: Waiter) => void): void {
    this.#cancelTelling?.()
    this.#cancelTelling = undefined
    for (const waiter of waiters.slice(0, atOnce)) act(waiter)
    if (waiters.length > atOnce)
      this.#cancelTelling = this.#options.clock.defer(() => this.#inTurns(waiters.slice(atOnce), act))
  }
}
