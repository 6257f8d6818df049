// A name's place with its guard, and the ordered groups that such places stand in. Joining, leaving and finding the oldest
// take constant time: with a Set or a Map, one name that comes and goes among 10,000 costs tens of microseconds each time.
import { append, type Chained, remove } from '../watch/chain.ts'

/** A name as its guard sees it. None of these may throw. */
export interface GuardedName {
  readonly name: string
  /** The loss that waited is believed. */
  pass(): void
  /**
   * The loss is not believed: the last good endpoints are shown, stale for this reason, also when the loss was shown. The
   * name stays followed, watched or not, until it has endpoints, is let go or leaves.
   */
  hold(reason: Error): void
  /** The operator says that the loss is real. */
  letGo(): void
  /** The loss is final: the last good endpoints will not be asked for any more. */
  forget(): void
}

/** Who is told what befalls the names. */
export interface SeatKeeper {
  gained(seat: Seat): void
  lost(seat: Seat): boolean
  leave(seat: Seat): void
}

/** One name's place. The guard alone moves it. */
export class Seat implements Chained<Seat> {
  readonly name: GuardedName
  /** Absent when the name's endpoints are of no interest: never seen, or lost long ago. */
  group: SeatGroup | undefined
  /** When it lost its endpoints, monotonic; when it is held, since when, in ms since 1970. */
  since = 0
  previous: Seat | undefined
  next: Seat | undefined
  readonly #keeper: SeatKeeper

  constructor(name: GuardedName, keeper: SeatKeeper) {
    this.name = name
    this.#keeper = keeper
  }

  /** A well-formed answer gave the name endpoints. */
  gained(): void {
    this.#keeper.gained(this)
  }

  /** A well-formed answer gave the name no endpoint. Whether that must not be shown now. */
  lost(): boolean {
    return this.#keeper.lost(this)
  }

  /** Nobody follows the name any more; harmless when called twice. */
  leave(): void {
    this.#keeper.leave(this)
  }

  /** Moves to the end of a group, out of the one it is in; out of all without one. */
  moveTo(group: SeatGroup | undefined): void {
    this.group?.drop(this)
    this.group = group
    group?.take(this)
  }
}

/** Seats in the order in which they came. */
export class SeatGroup {
  #first: Seat | undefined
  #size = 0

  get size(): number {
    return this.#size
  }

  get first(): Seat | undefined {
    return this.#first
  }

  /** A copy, so that seats may move while it is read. */
  all(): readonly Seat[] {
    const seats: Seat[] = []
    for (let seat = this.#first; seat !== undefined; seat = seat.next) seats.push(seat)
    return seats
  }

  /** For Seat.moveTo. */
  take(seat: Seat): void {
    this.#first = append(this.#first, seat)
    this.#size++
  }

  /** For Seat.moveTo. */
  drop(seat: Seat): void {
    this.#first = remove(this.#first, seat)
    this.#size--
  }
}
