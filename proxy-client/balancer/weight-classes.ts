// Weights as in Finagle: endpoints of equal weight form a class; a class is drawn by the weight of its open members, and
// chooses among them. So every kind of balancer knows weights; endpoints that are alone in their class get just their share,
// whatever their load.
import type { Random } from '../../watch/clock.ts'
import type { Chooser, CreateChooser } from './chooser.ts'
import type { Member } from './member.ts'

export interface WeightClass<T> {
  readonly weight: number
  readonly chooser: Chooser<T>
}

export class WeightClasses<T> {
  readonly #random: Random
  readonly #createChooser: CreateChooser<T>
  readonly #byWeight = new Map<number, WeightClass<T>>()
  /** Those with open members, as of the last look. */
  #inUse: WeightClass<T>[] = []
  /** For each of them the weight of all up to it. */
  #upTo: number[] = []
  #isOutdated = false
  #size = 0

  constructor(random: Random, createChooser: CreateChooser<T>) {
    this.#random = random
    this.#createChooser = createChooser
  }

  /** Open members. */
  get size(): number {
    return this.#size
  }

  /** Made when it is not there. */
  of(weight: number): WeightClass<T> {
    let found = this.#byWeight.get(weight)
    if (found === undefined) {
      found = { weight, chooser: this.#createChooser() }
      this.#byWeight.set(weight, found)
    }
    return found
  }

  /** Takes an open member in, or again, by the weight that it has now. */
  add(member: Member<T>): void {
    member.weightClass = this.of(member.endpoint.weight)
    member.weightClass.chooser.add(member)
    this.#size++
    this.#isOutdated = true
  }

  remove(member: Member<T>): void {
    member.weightClass.chooser.remove(member)
    this.#size--
    this.#isOutdated = true
  }

  choose(): Member<T> | undefined {
    if (this.#isOutdated) this.#weigh()
    const last = this.#inUse.length - 1
    return this.#inUse[last <= 0 ? 0 : this.#draw(last)]?.chooser.choose()
  }

  /** The first class whose sum is above a ticket. */
  #draw(last: number): number {
    const ticket = this.#random() * (this.#upTo[last] ?? 0)
    let from = 0
    let to = last
    while (from < to) {
      const middle = (from + to) >> 1
      if (ticket < (this.#upTo[middle] ?? 0)) to = middle
      else from = middle + 1
    }
    return from
  }

  #weigh(): void {
    this.#isOutdated = false
    for (const { weight, chooser } of this.#byWeight.values()) if (chooser.size === 0) this.#byWeight.delete(weight)
    this.#inUse = [...this.#byWeight.values()]
    let sum = 0
    this.#upTo = this.#inUse.map(({ weight, chooser }) => {
      sum += weight * chooser.size
      return sum
    })
  }
}
