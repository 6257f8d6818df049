// A range that is followed: read whole, watched from there, and read whole again whenever the watch is not to be relied on.
// Knows nothing of what stands in it.
import { runSourceLoop } from '../../watch/source-loop.ts'
import type { Calls } from './calls.ts'
import type { EtcdMoment, FollowedRange, RangeFollower } from './cluster.ts'
import type { Endpoints } from './endpoints.ts'
import { asError, EtcdError, etcdError } from './etcd-error.ts'
import { rangeMethod } from './etcd-method.ts'
import type { Login } from './login.ts'
import { isBefore, laterOf } from './moment.ts'
import type { EtcdOptions } from './options.ts'
import { readAll } from './read-all.ts'
import { WatchSession } from './watch-session.ts'

const backoff = { minMs: 50, maxMs: 3000 }
/** All is read anew after so long, at random up to a fifth more or less, whatever the watch says. */
const readAgainMs = 300_000
const loginWithinMs = 1500
const momentWithinMs = 3000
/** Who has nothing yet is told soon that there is nothing; later a reading may take as long as an election. */
const firstPageWithinMs = 2000

export interface FollowContext extends Pick<EtcdOptions, 'clock' | 'random' | 'events'> {
  readonly calls: Calls
  readonly endpoints: Endpoints
  readonly login: Login
}

/** Follows until the signal aborts. */
export function followRange(
  range: FollowedRange,
  follower: RangeFollower,
  context: FollowContext,
  signal: AbortSignal,
): void {
  const followed = new Following(range, follower, context)
  runSourceLoop({
    clock: context.clock,
    random: context.random,
    signal,
    attempt: (ended, succeeded) => followed.attempt(ended, succeeded),
    backoff,
    onError: (error, retryAt) => follower.failed(asError(error), retryAt),
  })
}

class Following {
  readonly #range: FollowedRange
  readonly #follower: RangeFollower
  readonly #context: FollowContext
  /** The newest that is known of the cluster. */
  #last: EtcdMoment | undefined

  constructor(range: FollowedRange, follower: RangeFollower, context: FollowContext) {
    this.#range = range
    this.#follower = follower
    this.#context = context
  }

  /** One reading and the watch after it. A watch that was well before it failed is followed by the next at once, untold. */
  async attempt(signal: AbortSignal, succeeded: () => void): Promise<void> {
    this.#follower.began()
    const at = await readAll(this.#context.calls, this.#range, {
      onPage: page => {
        if (!signal.aborted) this.#follower.read(page)
      },
      ...(this.#last === undefined && { withinMs: firstPageWithinMs }),
    })
    if (signal.aborted) return
    const isRewound = this.#last !== undefined && isBefore(at, this.#last)
    this.#last = at
    this.#follower.reset(at.revision, isRewound)
    let wasWell = false
    try {
      await this.#watch(at, signal, () => {
        wasWell = true
        succeeded()
      })
    } catch (error) {
      this.#note(error)
      if (!wasWell) throw error
    }
  }

  async #watch(from: EtcdMoment, signal: AbortSignal, onWell: () => void): Promise<void> {
    const { endpoints, login, clock, random, events } = this.#context
    const inUse = endpoints.current
    const { address } = inUse
    const endpoint = { address, client: endpoints.connect(address) }
    const ended = events.onWatch?.()
    try {
      const session = new WatchSession({
        endpoint,
        metadata: await login.metadata(inUse, loginWithinMs),
        range: this.#range,
        from,
        clock,
        readMoment: () => this.#readMoment(),
        onEvents: changes => {
          this.#learn({ ...from, revision: changes.at(-1)?.entry.modRevision ?? from.revision })
          this.#follower.changed(changes)
        },
        onProgress: at => {
          // A server's own term may be of an election that it lost; what it has applied is true.
          this.#learn({ ...from, revision: at.revision })
          this.#follower.contact(at.revision)
          onWell()
        },
      })
      const end = (): void => session.end()
      const cancelTimer = clock.after(readAgainMs * (0.8 + 0.4 * random()), end)
      signal.addEventListener('abort', end, { once: true })
      if (signal.aborted) end()
      await session.run().finally(() => {
        cancelTimer()
        signal.removeEventListener('abort', end)
      })
    } catch (thrown) {
      const error = etcdError(thrown, address)
      if (error.isPassing || error.reason === 'silent') endpoints.leave(inUse)
      throw error
    } finally {
      endpoint.client.close()
      ended?.()
    }
  }

  #learn(at: EtcdMoment): void {
    this.#last = this.#last === undefined ? at : laterOf(this.#last, at)
  }

  #note(error: unknown): void {
    if (error instanceof EtcdError) this.#context.events.onFailure?.(error.reason)
  }

  async #readMoment(): Promise<EtcdMoment> {
    const answer = await this.#context.calls.call(rangeMethod, { key: this.#range.key, keysOnly: true }, momentWithinMs)
    return answer.at
  }
}
