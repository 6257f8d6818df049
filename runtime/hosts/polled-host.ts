// Asks DNS for one host for as long as its source is open: again when the answer runs out, sooner after a failure.
import { isIP } from 'node:net'
import type { Sink } from '../../watch/cell.ts'
import type { Cancel, Clock } from '../../watch/clock.ts'
import type { HostAddresses } from './host-cells.ts'
import type { HostAnswer, HostResolver } from './resolver.ts'

/** An answer is used at least and at most so long, in milliseconds, whatever its time to live says. */
const shortestUseMs = 2_000
const longestUseMs = 60_000
/** How soon DNS is asked again for a host that it does not know. */
const unknownUseMs = 5_000
const firstRetryMs = 500
const longestRetryMs = 30_000

export interface PolledHostOptions {
  readonly host: string
  readonly sink: Sink<HostAddresses>
  readonly clock: Clock
  readonly resolver: HostResolver
}

/** Begins asking; the returned function ends it. */
export function openPolledHost(options: PolledHostOptions): () => void {
  const polled = new PolledHost(options)
  polled.ask()
  return () => polled.close()
}

class PolledHost {
  readonly #options: PolledHostOptions
  #isOpen = true
  #failures = 0
  #known: readonly string[] = []
  #cancel: Cancel | undefined

  constructor(options: PolledHostOptions) {
    this.#options = options
  }

  ask(): void {
    const { host, resolver } = this.#options
    resolver.resolve(host).then(
      answer => this.#take(answer),
      (error: unknown) => this.#fail(error instanceof Error ? error : new Error(String(error))),
    )
  }

  close(): void {
    this.#isOpen = false
    this.#cancel?.()
  }

  #take(answer: HostAnswer): void {
    if (!this.#isOpen) return
    this.#failures = 0
    const kept = this.#known.filter(address => isIP(address) === answer.unanswered)
    this.#known = [...new Set([...answer.addresses, ...kept])].sort()
    if (this.#known.length === 0) {
      this.#options.sink.set('unknown')
      this.#askAfter(unknownUseMs)
      return
    }
    this.#options.sink.set(this.#known)
    this.#askAfter(Math.min(Math.max(answer.ttlSeconds * 1000, shortestUseMs), longestUseMs))
  }

  #fail(error: Error): void {
    if (!this.#isOpen) return
    const delayMs = Math.min(firstRetryMs * 2 ** this.#failures++, longestRetryMs)
    this.#options.sink.fail(error, this.#options.clock.now() + delayMs)
    this.#askAfter(delayMs)
  }

  #askAfter(delayMs: number): void {
    this.#cancel = this.#options.clock.after(delayMs, () => this.ask())
  }
}
