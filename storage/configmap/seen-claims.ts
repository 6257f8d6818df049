// When each claim changed last, by our own clock: clocks of machines are never compared. A holder is gone when its claim has
// not changed before our eyes for as long as it lasts.
import type { Clock } from '../../watch/clock.ts'
import type { ClaimObject } from './claim-object.ts'

interface SeenClaim {
  readonly claim: ClaimObject
  /** Of the clock's `monotonic`. */
  readonly at: number
}

export class SeenClaims {
  readonly #clock: Clock
  readonly #seen = new Map<string, SeenClaim>()

  constructor(clock: Clock) {
    this.#clock = clock
  }

  /** The claim is as it was seen before, or new from `at` on. */
  see(claim: ClaimObject, at = this.#clock.monotonic()): void {
    const known = this.#seen.get(keyOf(claim))
    if (known?.claim.resourceVersion !== claim.resourceVersion) this.#seen.set(keyOf(claim), { claim, at })
  }

  forget(claim: Pick<ClaimObject, 'kind' | 'name'>): void {
    this.#seen.delete(keyOf(claim))
  }

  /** Ms until the claim has not changed for its life times `factor`; 0 or less when it is over. Sees it. */
  leftMs(claim: ClaimObject, factor = 1): number {
    this.see(claim)
    const at = this.#seen.get(keyOf(claim))?.at ?? this.#clock.monotonic()
    return at + claim.lifeMs * factor - this.#clock.monotonic()
  }
}

const keyOf = ({ kind, name }: Pick<ClaimObject, 'kind' | 'name'>): string => `${kind} ${name}`
