// Services that do not exist although somebody asks for them: few of them are asked for one by one, many share the list of
// the services that do exist. So a scanner that tries very many names costs one question, not one for each.
import type { Cancel, Clock } from '../../watch/clock.ts'
import { TurnQueue } from '../../watch/turn-queue.ts'
import type { Listener } from './relay.ts'
import type { Leave, ServiceLists, Services } from './service-list.ts'

/** So many absent services of one datacenter are asked for each by itself; one more, and they share the list. */
export const maxAskedAlone = 32
/** The list stays followed for so long after the last of them has gone, for a scanner comes back; in milliseconds. */
export const listLingerMs = 60_000

/** One service of a datacenter that is asked for. */
export interface AbsentName {
  readonly service: string
  /** The list lacks it too: it need no longer be asked for. */
  park(): void
  /** Parked, and now on the list. */
  appeared(): void
  /** Parked, and the list is as it was. */
  same(version?: string): void
  /** Parked, and the list cannot be read. */
  failed(error: Error, retryAt?: number): void
}

/** The absent services of every datacenter. */
export class AbsentNames {
  readonly #lists: Pick<ServiceLists, 'join'>
  readonly #clock: Clock
  readonly #turns: TurnQueue
  readonly #byDatacenter = new Map<string, DatacenterAbsentNames>()

  constructor(lists: Pick<ServiceLists, 'join'>, clock: Clock) {
    this.#lists = lists
    this.#clock = clock
    this.#turns = new TurnQueue(clock)
  }

  /** Whether the shared list is followed, fresh, and without the service. */
  isKnownAbsent(datacenter: string, service: string): boolean {
    return this.#byDatacenter.get(datacenter)?.lacks(service) ?? false
  }

  /** Its own question said that it does not exist; it goes on being asked for until it is told to park. */
  add(datacenter: string, name: AbsentName): void {
    this.#at(datacenter).add(name)
  }

  /** It no longer asks for itself, and is told by the list. */
  park(datacenter: string, name: AbsentName): void {
    this.#at(datacenter).park(name)
  }

  /** It exists, or nobody wants it any more; harmless for one that is not here. */
  remove(datacenter: string, name: AbsentName): void {
    this.#byDatacenter.get(datacenter)?.remove(name)
  }

  /** Forgets everything; the caller is done with it. */
  close(): void {
    for (const names of this.#byDatacenter.values()) names.close()
    this.#byDatacenter.clear()
  }

  #at(datacenter: string): DatacenterAbsentNames {
    const known = this.#byDatacenter.get(datacenter)
    if (known !== undefined) return known
    const names = new DatacenterAbsentNames({
      join: listener => this.#lists.join(datacenter, listener),
      clock: this.#clock,
      turns: this.#turns,
      onIdle: () => this.#byDatacenter.delete(datacenter),
    })
    this.#byDatacenter.set(datacenter, names)
    return names
  }
}

interface DatacenterOptions {
  readonly join: (listener: Listener<Services>) => Leave
  readonly clock: Clock
  readonly turns: TurnQueue
  /** None is left, and has not been for a while when there were many. */
  readonly onIdle: () => void
}

class DatacenterAbsentNames {
  readonly #options: DatacenterOptions
  readonly #asking = new Set<AbsentName>()
  readonly #parked = new Set<AbsentName>()
  #leave: Leave | undefined
  /** What the list says; nothing while it cannot be read. */
  #fresh: Services | undefined
  #cancelEnd: Cancel | undefined
  #round = 0

  constructor(options: DatacenterOptions) {
    this.#options = options
  }

  lacks(service: string): boolean {
    return this.#fresh !== undefined && !this.#fresh.has(service)
  }

  add(name: AbsentName): void {
    if (this.lacks(name.service)) {
      name.park()
      return
    }
    this.#stay()
    this.#asking.add(name)
    if (this.#leave === undefined && this.#asking.size > maxAskedAlone) this.#share()
  }

  park(name: AbsentName): void {
    this.#stay()
    this.#asking.delete(name)
    this.#parked.add(name)
  }

  remove(name: AbsentName): void {
    const wasHere = this.#asking.delete(name) || this.#parked.delete(name)
    if (!wasHere || this.#asking.size + this.#parked.size > 0) return
    if (this.#leave === undefined) this.#options.onIdle()
    else this.#cancelEnd ??= this.#options.clock.after(listLingerMs, () => this.#end())
  }

  close(): void {
    this.#stay()
    this.#leave?.()
  }

  #stay(): void {
    this.#cancelEnd?.()
    this.#cancelEnd = undefined
  }

  #end(): void {
    this.close()
    this.#options.onIdle()
  }

  #share(): void {
    this.#leave = () => {} // so that what is told while joining does not join again
    this.#leave = this.#options.join({
      changed: services => this.#take(services),
      same: version => this.#tell(name => name.same(version)),
      failed: (error, retryAt) => {
        this.#fresh = undefined
        this.#tell(name => name.failed(error, retryAt))
      },
    })
  }

  #take(services: Services): void {
    this.#fresh = services
    const { turns } = this.#options
    for (const name of this.#parked) {
      if (!services.has(name.service)) continue
      turns.run(() => {
        if (this.#parked.has(name)) name.appeared()
      })
    }
    for (const name of this.#asking) {
      turns.run(() => {
        if (this.#asking.has(name) && this.lacks(name.service)) name.park()
      })
    }
    this.#tell(name => {
      if (!services.has(name.service)) name.same()
    })
  }

  /** Tells all who wait for the list, over several turns when they are many. Newer word takes the place of what is not told yet. */
  #tell(word: (name: AbsentName) => void): void {
    const round = ++this.#round
    for (const name of this.#parked)
      this.#options.turns.run(() => {
        if (round === this.#round && this.#parked.has(name)) word(name)
      })
  }
}
