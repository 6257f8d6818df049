// Heads that were read from the backend or written there within the last second, so that a write which follows need not read
// them again: its commit finds out whether they still stand. Knows no backend.
import type { Clock } from '../../watch/clock.ts'
import { dtabBytes } from '../write-rules.ts'
import type { SettledHead } from './settled-heads.ts'
import type { SharedHeads } from './shared-heads.ts'

/** Shorter than a backend takes to be restored: after that its tokens may stand for other heads. */
const keptMs = 1_000
const maxBytes = 8 * 1024 * 1024
/** What a head weighs beside its text. */
const entryBytes = 1_000

interface RecentHead {
  readonly settled: SettledHead
  readonly epoch: number
  readonly endsAt: number
  readonly bytes: number
}

export class RecentHeads {
  readonly #clock: Clock
  readonly #heads: SharedHeads
  /** The oldest first. */
  readonly #recent = new Map<string, RecentHead>()
  #bytes = 0

  constructor(clock: Clock, heads: SharedHeads) {
    this.#clock = clock
    this.#heads = heads
  }

  /** Takes what was asked for in this epoch, unless something newer is here. */
  keep(settled: SettledHead, epoch: number): void {
    const { namespace, order } = settled.over
    const known = this.at(namespace)
    if (epoch !== this.#heads.epoch || (known !== undefined && known.over.order > order)) return
    this.forget(namespace)
    const bytes = entryBytes + dtabBytes(settled.head?.text)
    this.#recent.set(namespace, { settled, epoch, endsAt: this.#clock.monotonic() + keptMs, bytes })
    this.#bytes += bytes
    this.#trim()
  }

  /** Undefined where nothing is known, or where something else was seen of it since. */
  at(namespace: string): SettledHead | undefined {
    const recent = this.#recent.get(namespace)
    if (recent === undefined || !this.#counts(recent)) return undefined
    const seen = this.#heads.sighting(namespace)
    const { over } = recent.settled
    return seen === undefined || seen.order < over.order || seen.token === over.token ? recent.settled : undefined
  }

  forget(namespace: string): void {
    this.#bytes -= this.#recent.get(namespace)?.bytes ?? 0
    this.#recent.delete(namespace)
  }

  #trim(): void {
    for (const [namespace, recent] of this.#recent) {
      if (this.#counts(recent) && this.#bytes <= maxBytes) return
      this.forget(namespace)
    }
  }

  #counts({ epoch, endsAt }: RecentHead): boolean {
    return epoch === this.#heads.epoch && this.#clock.monotonic() < endsAt
  }
}
