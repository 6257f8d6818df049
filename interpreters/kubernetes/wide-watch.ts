// One watch of a whole Kubernetes namespace, told on to those of its services that are followed through it.
import type {
  Collection,
  CollectionFacts,
  CollectionFollower,
  KubernetesCluster,
} from '../../clients/kubernetes/cluster.ts'
import type { TurnQueue } from '../../watch/turn-queue.ts'
import type { FollowedService, ObjectFacts } from './followed-service.ts'
import { ServiceIndex } from './service-index.ts'

export interface WideWatchOptions<T> {
  readonly cluster: KubernetesCluster
  readonly collection: Collection<T>
  readonly turns: TurnQueue
  /** The followed services that have no better source than this watch, now. */
  fed(): Iterable<readonly [string, FollowedService<T>]>
  /** The same for one service. */
  fedAt(service: string): FollowedService<T> | undefined
  /** The first answer has come; told before it is passed on. */
  onFirstAnswer(): void
}

/** Whoever made it ends it. A change costs work only for the services it concerns. */
export class WideWatch<T extends { readonly service: string }> implements CollectionFollower<T> {
  readonly #options: WideWatchOptions<T>
  readonly #index = new ServiceIndex<T>()
  /** Services that are still to be told, one by one over the turns to come: all that a list has changed may be thousands. */
  readonly #owed = new Map<string, ObjectFacts>()
  #stop: (() => void) | undefined
  #version: string | undefined
  #failure: { readonly error: Error; readonly retryAt: number } | undefined

  constructor(options: WideWatchOptions<T>) {
    this.#options = options
  }

  open(): void {
    this.#stop = this.#options.cluster.follow(this.#options.collection, this)
  }

  end(): void {
    this.#stop?.()
    this.#owed.clear()
  }

  get hasAnswered(): boolean {
    return this.#version !== undefined
  }

  /** What is known of a service. While the watch fails, not to hold anything of a service does not mean that there is nothing. */
  tell(service: string, followed: FollowedService<T>, facts?: ObjectFacts): void {
    const objects = this.#index.of(service)
    const isKnown = this.#failure === undefined || objects.size > 0
    if (this.#version !== undefined && isKnown) followed.changed(objects, { ...facts, version: this.#version })
    if (this.#failure !== undefined) followed.failed(this.#failure.error, this.#failure.retryAt)
  }

  changed(objects: ReadonlyMap<string, T>, changed: ReadonlySet<string>, facts: CollectionFacts): void {
    const concerned = this.#index.update(objects, changed)
    const isFirst = !this.hasAnswered
    const tellsAll = isFirst || this.#failure !== undefined
    this.#heard(facts.version)
    if (isFirst) this.#options.onFirstAnswer()
    if (tellsAll) this.#tellAll(facts)
    else for (const service of concerned) if (this.#options.fedAt(service) !== undefined) this.#tellSoon(service, facts)
  }

  contact(version: string): void {
    const tellsAll = this.#failure !== undefined
    this.#heard(version)
    if (tellsAll) this.#tellAll({ version })
    else for (const [service, followed] of this.#options.fed()) if (!this.#owed.has(service)) followed.contact(version)
  }

  failed(error: Error, retryAt: number): void {
    this.#failure = { error, retryAt }
    for (const [service, followed] of this.#options.fed()) if (!this.#owed.has(service)) followed.failed(error, retryAt)
  }

  #tellAll(facts: ObjectFacts): void {
    for (const [service] of [...this.#options.fed()]) this.#tellSoon(service, facts)
  }

  /** What a service is owed is told with the facts of the first change, as things are by then. */
  #tellSoon(service: string, facts: ObjectFacts): void {
    if (this.#owed.has(service)) return
    this.#owed.set(service, facts)
    this.#options.turns.run(() => this.#tellOwed(service))
  }

  #tellOwed(service: string): void {
    const facts = this.#owed.get(service)
    this.#owed.delete(service)
    const followed = this.#options.fedAt(service)
    if (facts !== undefined && followed !== undefined) this.tell(service, followed, facts)
  }

  #heard(version: string): void {
    this.#version = version
    this.#failure = undefined
  }
}
