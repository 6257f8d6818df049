// Least loaded of two within an aperture: a part of the endpoints that is just large enough for the load of this process,
// so that a large set is not held open by a small client. As Finagle's: one wider above `highLoad` requests in progress for
// each endpoint in it, one narrower below `lowLoad`, by an average over `smoothWindowMs`.
import type { Clock, Random } from '../../watch/clock.ts'
import type { BalancerConfigOf } from './balancer-config.ts'
import type { Chooser } from './chooser.ts'
import type { Member } from './member.ts'
import { MemberList } from './member-list.ts'
import { chooseLessLoaded } from './p2c.ts'

type ApertureConfig = Pick<BalancerConfigOf<'aperture'>, 'smoothWindowMs' | 'lowLoad' | 'highLoad' | 'minAperture'>

class Aperture<T> implements Chooser<T> {
  readonly #config: ApertureConfig
  readonly #clock: Clock
  /** The first of them are the aperture. */
  readonly #list: MemberList<T>
  #width: number
  /** Requests in progress at all of its members. */
  #load = 0
  #averageLoad = 0
  #averagedAt: number

  constructor(config: ApertureConfig, random: Random, clock: Clock) {
    this.#config = config
    this.#clock = clock
    this.#list = new MemberList(random)
    this.#width = config.minAperture
    this.#averagedAt = clock.monotonic()
  }

  get size(): number {
    return this.#list.size
  }

  add(member: Member<T>): void {
    this.#list.addSomewhere(member)
    this.#load += member.load
  }

  remove(member: Member<T>): void {
    this.#list.remove(member)
    this.#load -= member.load
  }

  choose(): Member<T> | undefined {
    return chooseLessLoaded(this.#list, Math.min(this.#width, this.#list.size))
  }

  began(): void {
    this.#load++
    this.#adjust()
  }

  ended(): void {
    this.#load--
    this.#adjust()
  }

  #adjust(): void {
    const now = this.#clock.monotonic()
    const kept = Math.exp((this.#averagedAt - now) / this.#config.smoothWindowMs)
    this.#averageLoad = this.#load * (1 - kept) + this.#averageLoad * kept
    this.#averagedAt = now
    const width = Math.min(this.#width, this.#list.size)
    const loadOfEach = this.#averageLoad / width
    if (loadOfEach >= this.#config.highLoad && width < this.#list.size) this.#width = width + 1
    else if (loadOfEach <= this.#config.lowLoad && width > this.#config.minAperture) this.#width = width - 1
  }
}

export function createAperture<T>(config: ApertureConfig, random: Random, clock: Clock): Chooser<T> {
  return new Aperture(config, random, clock)
}
