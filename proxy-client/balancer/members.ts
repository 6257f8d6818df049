// The endpoints of one balancer by address, kept over updates; which of them is picked is not known here. On probation an
// endpoint that left the set stays until it fails or a minute passes in which nobody used it, so that a discovery that loses
// endpoints by mistake takes away none that work.
import type { Endpoint } from '../../naming/replica-set.ts'
import type { Cancel, Clock } from '../../watch/clock.ts'
import { showEndpoint } from '../endpoint-address.ts'
import type { Member } from './member.ts'

const probationIdleMs = 60_000

export interface MembersOptions<T> {
  readonly clock: Clock
  readonly isProbationEnabled: boolean
  /** An address that was not there has joined. */
  readonly join: (key: string, endpoint: Endpoint) => Member<T>
  /** What stands in the set at a member's address now; the member still has the former. */
  readonly change: (member: Member<T>, endpoint: Endpoint) => void
  /** It is not a member any more. */
  readonly leave: (member: Member<T>) => void
}

export class Members<T> {
  readonly #options: MembersOptions<T>
  readonly #byKey = new Map<string, Member<T>>()
  #updates = 0
  #sweep: Cancel | undefined

  constructor(options: MembersOptions<T>) {
    this.#options = options
  }

  get size(): number {
    return this.#byKey.size
  }

  all(): Iterable<Member<T>> {
    return this.#byKey.values()
  }

  /** Takes the new set; an address that stands twice counts once, as it stands first. */
  update(endpoints: readonly Endpoint[]): void {
    this.#updates++
    let named = 0
    for (const endpoint of endpoints) {
      const key = showEndpoint(endpoint)
      const member = this.#byKey.get(key)
      if (member === undefined) {
        const joined = this.#options.join(key, endpoint)
        joined.seenIn = this.#updates
        this.#byKey.set(key, joined)
        named++
      } else if (member.seenIn !== this.#updates) {
        member.seenIn = this.#updates
        member.isLeaving = false
        this.#options.change(member, endpoint)
        named++
      }
    }
    if (named < this.#byKey.size) this.#dismissUnnamed()
  }

  remove(member: Member<T>): void {
    if (member.isGone) return
    member.isGone = true
    this.#byKey.delete(member.key)
    this.#options.leave(member)
  }

  close(): void {
    this.#sweep?.()
    this.#sweep = undefined
    for (const member of this.#byKey.values()) this.remove(member)
  }

  #dismissUnnamed(): void {
    for (const member of this.#byKey.values()) {
      if (member.seenIn === this.#updates || member.isLeaving) continue
      if (!this.#options.isProbationEnabled || member.state !== 'open') {
        this.remove(member)
        continue
      }
      member.isLeaving = true
      member.wasUsed = true
      this.#sweep ??= this.#options.clock.after(probationIdleMs, this.#removeUnused)
    }
  }

  readonly #removeUnused = (): void => {
    this.#sweep = undefined
    let remain = false
    for (const member of this.#byKey.values()) {
      if (!member.isLeaving) continue
      if (!member.wasUsed && member.load === 0) {
        this.remove(member)
        continue
      }
      member.wasUsed = false
      remain = true
    }
    if (remain) this.#sweep = this.#options.clock.after(probationIdleMs, this.#removeUnused)
  }
}
