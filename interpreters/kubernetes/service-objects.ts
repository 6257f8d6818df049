// The objects of followed services in one Kubernetes namespace: a watch for each service while they are few, one watch of
// the namespace when they are many. A new watch has answered before an old one ends. Knows nothing of ports and endpoints.
import type { Collection, KubernetesCluster } from '../../clients/kubernetes/cluster.ts'
import type { TurnQueue } from '../../watch/turn-queue.ts'
import { FollowedService, type ObjectsFollower } from './followed-service.ts'
import { OwnWatch } from './own-watch.ts'
import { WideWatch } from './wide-watch.ts'

export interface ServiceObjectsOptions<T> {
  readonly cluster: KubernetesCluster
  /** Shared by all of a namer. */
  readonly turns: TurnQueue
  /** The objects of one service, or those of every service of the namespace. */
  collectionOf(service?: string): Collection<T>
}

/** More services than this are followed by one watch of the namespace. */
const mostOwnWatches = 10
/** As few as this have their own again: far enough below that nothing goes to and fro. */
const fewServices = 5

/** Whoever follows also leaves; when the last one has left nothing stays open. */
export class ServiceObjects<T extends { readonly service: string }> {
  readonly #options: ServiceObjectsOptions<T>
  readonly #services = new Map<string, FollowedService<T>>()
  readonly #own = new Map<string, OwnWatch<T>>()
  #wide: WideWatch<T> | undefined
  #isNarrowing = false

  constructor(options: ServiceObjectsOptions<T>) {
    this.#options = options
  }

  get isFollowed(): boolean {
    return this.#services.size > 0
  }

  /** Whether the namespace is followed as a whole. */
  get isWide(): boolean {
    return this.#wide !== undefined
  }

  /** Tells what is known before it returns, then every change, until the returned function is called (harmless twice). */
  follow(service: string, follower: ObjectsFollower<T>): () => void {
    const followed = this.#services.get(service) ?? this.#admit(service)
    followed.join(follower)
    return () => this.#leave(service, followed, follower)
  }

  #admit(service: string): FollowedService<T> {
    const followed = new FollowedService<T>()
    this.#services.set(service, followed)
    if (this.#services.size > mostOwnWatches) this.#widen()
    this.#wide?.tell(service, followed)
    if (this.#wide === undefined || this.#isNarrowing) this.#openOwn(service, followed)
    return followed
  }

  #leave(service: string, followed: FollowedService<T>, follower: ObjectsFollower<T>): void {
    followed.leave(follower)
    if (followed.isFollowed || this.#services.get(service) !== followed) return
    this.#services.delete(service)
    this.#endOwn(service)
    if (this.#services.size === 0) this.#closeWide()
    else if (this.#services.size <= fewServices) this.#narrow()
  }

  #widen(): void {
    if (this.#wide === undefined) this.#openWide()
    else if (this.#isNarrowing) this.#stayWide(this.#wide)
  }

  #openWide(): void {
    const { cluster, turns, collectionOf } = this.#options
    this.#wide = new WideWatch<T>({
      cluster,
      turns,
      collection: collectionOf(),
      fed: () => this.#fedByWide(),
      fedAt: service => (this.#own.get(service)?.hasAnswered === true ? undefined : this.#services.get(service)),
      onFirstAnswer: () => {
        if (!this.#isNarrowing) this.#endAllOwn()
      },
    })
    this.#wide.open()
  }

  *#fedByWide(): Iterable<readonly [string, FollowedService<T>]> {
    for (const entry of this.#services) if (this.#own.get(entry[0])?.hasAnswered !== true) yield entry
  }

  /** The namespace's watch was about to end, and there are many services again. */
  #stayWide(wide: WideWatch<T>): void {
    this.#isNarrowing = false
    if (!wide.hasAnswered) return
    const answered = [...this.#own].filter(([, own]) => own.hasAnswered).map(([service]) => service)
    this.#endAllOwn()
    for (const service of answered) {
      const followed = this.#services.get(service)
      if (followed !== undefined) wide.tell(service, followed)
    }
  }

  /** Every service gets a watch of its own; when all have answered the namespace's ends. */
  #narrow(): void {
    if (this.#wide === undefined) return
    this.#isNarrowing = true
    for (const [service, followed] of this.#services) this.#openOwn(service, followed)
    this.#endWideWhenNarrow()
  }

  #endWideWhenNarrow(): void {
    if (!this.#isNarrowing) return
    for (const service of this.#services.keys()) if (this.#own.get(service)?.hasAnswered !== true) return
    this.#closeWide()
  }

  #closeWide(): void {
    this.#isNarrowing = false
    this.#wide?.end()
    this.#wide = undefined
  }

  #openOwn(service: string, followed: FollowedService<T>): void {
    if (this.#own.has(service)) return
    const { cluster, collectionOf } = this.#options
    const own = new OwnWatch<T>({
      cluster,
      collection: collectionOf(service),
      followed,
      hasOtherSource: () => this.#wide?.hasAnswered === true,
      onFirstAnswer: () => this.#endWideWhenNarrow(),
    })
    this.#own.set(service, own)
    own.open()
  }

  #endOwn(service: string): void {
    this.#own.get(service)?.end()
    this.#own.delete(service)
  }

  #endAllOwn(): void {
    for (const own of this.#own.values()) own.end()
    this.#own.clear()
  }
}
