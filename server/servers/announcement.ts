// This server's own record in the store: there while it runs, again after it was lost, gone when it stops. A store that is
// away is no reason to stop.
import type { Log } from '../../runtime/log.ts'
import type { Presence, Store } from '../../storage/store.ts'
import type { Cancel, Clock, Random } from '../../watch/clock.ts'
import { pause } from '../../watch/pause.ts'
import { runSourceLoop } from '../../watch/source-loop.ts'

export interface AnnouncementOptions {
  readonly store: Pick<Store, 'announce' | 'presence'>
  readonly clock: Clock
  readonly random: Random
  readonly log: Log
  readonly id: string
  readonly data: string
}

/** The others forget this server at the latest twice this long after its end. */
const ttlMs = 10_000
const withdrawMs = 2_000

/** Announces until closed; `close` waits a little for the record to go. */
export function announce(options: AnnouncementOptions): { close(): Promise<void> } {
  return new Announcement(options)
}

class Announcement {
  readonly #options: AnnouncementOptions
  readonly #endLoop: () => void
  #running: Promise<void> = Promise.resolve()
  #isFailing = false

  constructor(options: AnnouncementOptions) {
    this.#options = options
    const { clock, random } = options
    this.#endLoop = runSourceLoop({
      clock,
      random,
      attempt: (signal, succeeded) => {
        this.#running = this.#announce(signal, succeeded)
        return this.#running
      },
      backoff: { minMs: 500, maxMs: 10_000 },
      onError: (error, retryAt) => this.#failed(error, retryAt),
    })
  }

  async close(): Promise<void> {
    const { clock } = this.#options
    this.#endLoop()
    const done = new AbortController()
    const settled = this.#running.catch(() => {}).then(() => done.abort()) // what failed was said by the loop
    await Promise.race([settled, pause(clock, withdrawMs, done.signal)])
  }

  async #announce(signal: AbortSignal, succeeded: () => void): Promise<void> {
    const { store, log, id, data } = this.#options
    const presence = await store.announce(id, data, ttlMs)
    succeeded()
    if (this.#isFailing) log.info({ server: id }, 'this server is announced in its store again')
    this.#isFailing = false
    await this.#untilLost(signal)
    await this.#withdraw(presence)
  }

  /** Resolves when the signal aborts, or when the store has not had our record for as long as it lasts. */
  #untilLost(signal: AbortSignal): Promise<void> {
    const { store, clock, log, id, data } = this.#options
    const { promise, resolve } = Promise.withResolvers<void>()
    let absence: Cancel | undefined
    let hasTwin = false
    const unwatch = store.presence().watch(state => {
      if (state.kind !== 'ok' || state.stale !== undefined) return
      const record = state.value.find(each => each.id === id)
      const isTwin = record !== undefined && record.data !== data
      if (isTwin && !hasTwin)
        log.error({ server: id, other: record.data }, 'another server has the same server.id; give each its own')
      hasTwin = isTwin
      if (record !== undefined) absence?.()
      absence = record === undefined ? (absence ?? clock.after(ttlMs, resolve)) : undefined
    })
    signal.addEventListener('abort', () => resolve(), { once: true })
    if (signal.aborted) resolve()
    return promise.finally(() => {
      absence?.()
      unwatch()
    })
  }

  async #withdraw(presence: Presence): Promise<void> {
    const { log, id } = this.#options
    try {
      await presence.withdraw()
    } catch (error) {
      log.debug({ err: error, server: id }, 'the record of this server could not be withdrawn; it runs out by itself')
    }
  }

  #failed(error: unknown, retryAt: number): void {
    const { log, id, clock } = this.#options
    const facts = { err: error, server: id, retryInMs: Math.round(retryAt - clock.now()) }
    if (this.#isFailing) log.debug(facts, 'this server still cannot be announced in its store')
    else log.warn(facts, 'this server cannot be announced in its store; the others do not know of it')
    this.#isFailing = true
  }
}
