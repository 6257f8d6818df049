// One service's own watch, told on to those who follow the service.
import type {
  Collection,
  CollectionFacts,
  CollectionFollower,
  KubernetesCluster,
} from '../../clients/kubernetes/cluster.ts'
import type { FollowedService } from './followed-service.ts'

export interface OwnWatchOptions<T> {
  readonly cluster: KubernetesCluster
  readonly collection: Collection<T>
  readonly followed: FollowedService<T>
  /** Whether someone else answers for the service until this watch does. */
  hasOtherSource(): boolean
  onFirstAnswer(): void
}

/** Whoever made it ends it. */
export class OwnWatch<T> implements CollectionFollower<T> {
  readonly #options: OwnWatchOptions<T>
  #stop: (() => void) | undefined
  #hasAnswered = false

  constructor(options: OwnWatchOptions<T>) {
    this.#options = options
  }

  open(): void {
    this.#stop = this.#options.cluster.follow(this.#options.collection, this)
  }

  end(): void {
    this.#stop?.()
  }

  get hasAnswered(): boolean {
    return this.#hasAnswered
  }

  changed(objects: ReadonlyMap<string, T>, _changed: ReadonlySet<string>, facts: CollectionFacts): void {
    const isFirst = !this.#hasAnswered
    this.#hasAnswered = true
    this.#options.followed.changed(new Map(objects), facts)
    if (isFirst) this.#options.onFirstAnswer()
  }

  contact(version: string): void {
    if (this.#hasAnswered) this.#options.followed.contact(version)
  }

  failed(error: Error, retryAt: number): void {
    if (this.#hasAnswered || !this.#options.hasOtherSource()) this.#options.followed.failed(error, retryAt)
  }
}
