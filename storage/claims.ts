// Leases and presence on top of a table of claims with an expiry, renewed while they are wanted.
// Knows the table only by two calls, so that each store brings its own.
import { randomUUID } from 'node:crypto'
import { NamingError } from '../naming/errors.ts'
import type { Input, Kernel } from '../watch/cell.ts'
import type { Cancel, Clock } from '../watch/clock.ts'
import type { Lease, Presence } from './store.ts'

/** A row: `name` belongs to `owner` until `expiresAt` (ms since 1970). */
export interface Claim {
  readonly kind: 'lease' | 'presence'
  readonly name: string
  readonly owner: string
  readonly data: string
  readonly now: number
  readonly expiresAt: number
  /** The owner goes by it for so long: what lets claims run out by itself ends it not before, and by twice that. */
  readonly ttlMs: number
  /** Take it from whoever has it. */
  readonly force: boolean
}

export interface ClaimTable {
  /** Takes or renews; false when another owner's claim has not run out. */
  claim(claim: Claim): Promise<boolean>
  /** Gives it up when it is still the owner's. */
  unclaim(kind: Claim['kind'], name: string, owner: string): Promise<void>
}

export interface ClaimsOptions {
  readonly kernel: Kernel
  readonly clock: Clock
  readonly table: ClaimTable
  /** Told of a renewal that failed; it is tried again by itself. */
  readonly onError: (error: unknown, what: string) => void
}

const minLeaseTtlMs = 10_000
const renewalsPerTtl = 3
/** A row outlives the holder's own belief by half a ttl, so that a stepped wall clock makes no two holders. */
const rowLifeInTtls = 1.5

/** What is held through this process; `close` gives all of it up. */
export class Claims {
  readonly #options: ClaimsOptions
  readonly #held = new Set<HeldClaim>()
  #isClosed = false

  constructor(options: ClaimsOptions) {
    this.#options = options
  }

  async lease(name: string, ttlMs: number): Promise<Lease | undefined> {
    if (!(ttlMs >= minLeaseTtlMs))
      throw new NamingError('bad-request', `A lease lasts at least ${minLeaseTtlMs} ms; ${ttlMs} were asked for.`)
    const held = this.#create({ kind: 'lease', name, ttlMs, lifeMs: ttlMs * rowLifeInTtls, data: '', force: false })
    if (!(await this.#begin(held))) return undefined
    return { name, held: held.isHeld, release: () => held.end() }
  }

  async announce(id: string, data: string, ttlMs: number): Promise<Presence> {
    const held = this.#create({ kind: 'presence', name: id, ttlMs, lifeMs: ttlMs, data, force: true })
    await this.#begin(held)
    return { update: next => held.update(next), withdraw: () => held.end() }
  }

  /** Never rejects: what cannot be given up runs out. */
  async close(): Promise<void> {
    this.#isClosed = true
    const { onError } = this.#options
    const end = (held: HeldClaim): Promise<void> => held.end().catch((error: unknown) => onError(error, held.what))
    await Promise.all([...this.#held].map(end))
  }

  /** False too when all was given up meanwhile: then this is given up as well. */
  async #begin(held: HeldClaim): Promise<boolean> {
    const isTaken = await held.begin()
    if (isTaken && this.#isClosed) await held.end()
    return isTaken && !this.#isClosed
  }

  #create(terms: ClaimTerms): HeldClaim {
    return new HeldClaim(terms, this.#options, this.#held)
  }
}

interface ClaimTerms {
  readonly kind: Claim['kind']
  readonly name: string
  readonly ttlMs: number
  readonly lifeMs: number
  readonly data: string
  readonly force: boolean
}

class HeldClaim {
  readonly isHeld: Input<boolean>
  readonly #terms: ClaimTerms
  readonly #options: ClaimsOptions
  readonly #all: Set<HeldClaim>
  readonly #owner = randomUUID()
  #data: string
  #isOver = false
  /** Settles when no claim is under way. */
  #underWay: Promise<unknown> = Promise.resolve()
  #renewal: Cancel | undefined
  #loss: Cancel | undefined

  constructor(terms: ClaimTerms, options: ClaimsOptions, all: Set<HeldClaim>) {
    this.#terms = terms
    this.#options = options
    this.#all = all
    this.#data = terms.data
    this.isHeld = options.kernel.input(`${terms.kind} ${terms.name}`, { initial: false })
  }

  async begin(): Promise<boolean> {
    if (!(await this.#take(this.#terms.force))) return false
    this.#all.add(this)
    this.#scheduleRenewal()
    return true
  }

  async update(data: string): Promise<void> {
    if (this.#isOver) throw new NamingError('not-found', `The ${this.what} was withdrawn or taken over.`)
    this.#data = data
    await this.#take(true)
  }

  async end(): Promise<void> {
    if (this.#isOver) return
    this.#lose()
    // What is claimed after it was given up would stand until it runs out.
    await this.#underWay
    await this.#options.table.unclaim(this.#terms.kind, this.#terms.name, this.#owner)
  }

  get what(): string {
    return `${this.#terms.kind} '${this.#terms.name}'`
  }

  async #take(force: boolean): Promise<boolean> {
    const { kind, name, lifeMs, ttlMs } = this.#terms
    const { clock, table } = this.#options
    const now = clock.now()
    const startedAt = clock.monotonic()
    const expiresAt = Math.ceil(now + lifeMs)
    const claiming = table.claim({ kind, name, owner: this.#owner, data: this.#data, now, expiresAt, ttlMs, force })
    this.#underWay = Promise.allSettled([this.#underWay, claiming])
    const isTaken = await claiming
    if (isTaken && !this.#isOver) this.#hold(startedAt + ttlMs - clock.monotonic())
    return isTaken
  }

  #hold(forMs: number): void {
    this.#loss?.()
    this.isHeld.set(forMs > 0)
    this.#loss =
      this.#terms.kind === 'lease' ? this.#options.clock.after(Math.max(0, forMs), () => this.#lose()) : undefined
  }

  #scheduleRenewal(): void {
    this.#renewal = this.#options.clock.after(Math.floor(this.#terms.ttlMs / renewalsPerTtl), () => {
      this.#scheduleRenewal()
      this.#renew().catch((error: unknown) => this.#options.onError(error, this.what))
    })
  }

  async #renew(): Promise<void> {
    const isTaken = await this.#take(false)
    if (!isTaken) this.#lose()
  }

  #lose(): void {
    this.#isOver = true
    this.#all.delete(this)
    this.#renewal?.()
    this.#loss?.()
    this.#renewal = this.#loss = undefined
    this.isHeld.set(false)
  }
}
