// What every followed name must show, computed the slow way: no timers, no counters, every name looked at in every tick.
import type { DiscoveryRule, MassEmptyRule } from '../../interpreters/discovery.ts'
import { settleMs } from '../../interpreters/mass-empty-guard.ts'

/** What the backend said last: an address, exists with nothing, or does not exist. */
type Truth = string | 'none' | 'gone'

interface ModelName {
  truth: Truth | undefined
  lastGood: string | undefined
  lostAt: number | undefined
  loss: 'none' | 'settling' | 'passed' | 'held'
  missingSince: number | undefined
  isShownBound: boolean
  isFailing: boolean
  isWatched: boolean
}

/** Every time that passes must be a multiple of this, and so must the rule's; milliseconds. */
export const tickMs = 50

export class DiscoveryModel {
  #now = 0
  readonly #rule: DiscoveryRule
  readonly #names = new Map<string, ModelName>()

  constructor(rule: DiscoveryRule) {
    this.#rule = rule
  }

  /** Watched again as it is when it was still followed. */
  open(name: string): void {
    const known = this.#names.get(name)
    if (known !== undefined) known.isWatched = true
    else this.#begin(name)
  }

  #begin(name: string): void {
    this.#names.set(name, {
      truth: undefined,
      lastGood: undefined,
      lostAt: undefined,
      loss: 'none',
      missingSince: undefined,
      isShownBound: false,
      isFailing: false,
      isWatched: true,
    })
  }

  /** Nobody watches it any more: it is forgotten, at once or when it is no longer held. */
  close(name: string): void {
    this.#of(name).isWatched = false
    this.#forget()
  }

  isFollowed(name: string): boolean {
    return this.#names.has(name)
  }

  say(name: string, truth: Truth): void {
    const model = this.#of(name)
    const wasFull = isFull(model)
    model.truth = truth
    model.isFailing = false
    model.missingSince = this.#isMissing(truth) ? (model.missingSince ?? this.#now) : undefined
    if (isFull(model)) {
      Object.assign(model, { lastGood: truth, lostAt: undefined, loss: 'none' })
    } else if (wasFull) {
      model.lostAt = this.#now
      model.loss = 'passed'
      if (this.#mustWait) model.loss = 'settling'
    }
    this.#look()
  }

  fail(name: string): void {
    this.#of(name).isFailing = true
  }

  contact(name: string): void {
    const model = this.#of(name)
    if (model.truth !== undefined) model.isFailing = false
  }

  release(): number {
    const held = this.#all.filter(({ loss }) => loss === 'held')
    for (const model of held) {
      model.loss = 'none'
      model.lostAt = undefined
      if (model.missingSince !== undefined) model.isShownBound = false
    }
    this.#look()
    return held.length
  }

  pass(ticks: number): void {
    for (let i = 0; i < ticks; i++) {
      this.#now += tickMs
      if (this.#rule.massEmpty !== false) this.#judge(this.#rule.massEmpty)
      this.#look()
    }
  }

  get held(): string[] {
    return [...this.#names].filter(([, { loss }]) => loss === 'held').map(([name]) => name)
  }

  shown(name: string): string {
    const model = this.#of(name)
    if (model.truth === undefined) return model.isFailing ? 'failed' : 'pending'
    const isStale = model.isFailing || model.loss === 'held'
    return `${this.#value(model)}${isStale ? ' stale' : ''}`
  }

  #value(model: ModelName): string {
    if (model.loss === 'settling' || model.loss === 'held') return model.lastGood ?? 'nothing good'
    if (isFull(model)) return model.truth ?? ''
    return model.isShownBound ? 'none' : 'neg'
  }

  #judge(massEmpty: MassEmptyRule): void {
    const due = this.#all.filter(({ loss, lostAt = 0 }) => loss === 'settling' && lostAt + settleMs <= this.#now)
    if (due.length === 0) return
    const gone = this.#gone(massEmpty)
    if (gone.length >= massEmpty.minNames && gone.length > massEmpty.maxShare * this.#observed(massEmpty))
      for (const model of gone) model.loss = 'held'
    else for (const model of due) model.loss = 'passed'
    for (const model of gone) if (model.loss === 'held') model.isShownBound = true
  }

  /** Names held, and those that lost their endpoints in the window before the oldest loss that is not judged. */
  #gone({ windowMs }: MassEmptyRule): ModelName[] {
    const settling = this.#all.filter(({ loss }) => loss === 'settling').map(({ lostAt = 0 }) => lostAt)
    const from = Math.min(this.#now, ...settling) - windowMs
    return this.#all.filter(({ loss, lostAt = -1 }) => loss === 'held' || (loss !== 'none' && lostAt >= from))
  }

  #observed(massEmpty: MassEmptyRule): number {
    return this.#all.filter(isFull).length + this.#gone(massEmpty).length
  }

  #forget(): void {
    for (const [name, { isWatched, loss }] of this.#names) if (!isWatched && loss !== 'held') this.#names.delete(name)
  }

  /** Hold-downs that are over; what is there is shown. */
  #look(): void {
    this.#forget()
    for (const model of this.#all) {
      if (model.truth === undefined || model.loss === 'settling' || model.loss === 'held') continue
      if (model.missingSince === undefined) model.isShownBound = true
      else if (this.#now - model.missingSince >= this.#rule.emptyHoldDownMs) model.isShownBound = false
    }
  }

  #isMissing(truth: Truth): boolean {
    return truth === 'gone' || (truth === 'none' && this.#rule.emptyIsNeg)
  }

  /** Whether so many names are observed that this loss may be one of many, or others wait already. */
  get #mustWait(): boolean {
    const { massEmpty } = this.#rule
    if (massEmpty === false) return false
    return this.#all.some(({ loss }) => loss === 'settling') || this.#observed(massEmpty) >= massEmpty.minNames
  }

  get #all(): ModelName[] {
    return [...this.#names.values()]
  }

  #of(name: string): ModelName {
    const model = this.#names.get(name)
    if (model === undefined) throw new Error(`${name} is not followed`)
    return model
  }
}

function isFull({ truth }: ModelName): boolean {
  return truth !== undefined && truth !== 'none' && truth !== 'gone'
}
