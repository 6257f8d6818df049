// One watch of a whole Kubernetes namespace, told on to those of its services that are followed through it.
import type {
  Collection,
  CollectionFacts,
  CollectionFollower,
  KubernetesCluster,
} from '../../clients/kubernetes/cluster.ts'
import type { FollowedService } from './followed-service.ts'
import { ServiceIndex } from './service-index.ts'

export interface WideWatchOptions<T> {
  readonly cluster: KubernetesCluster
  readonly collection: Collection<T>
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
  }

  get hasAnswered(): boolean {
    return this.#version !== undefined
  }

  /** What is known of a service. While the watch fails, not to hold anything of a service does not mean that there is nothing. */
  tell(service: string, followed: FollowedService<T>): void {
    const objects = this.#index.of(service)
    const isKnown = this.#failure === undefined || objects.size > 0
    if (this.#version !== undefined && isKnown) followed.changed(objects, { version: this.#version })
    if (this.#failure !== undefined) followed.failed(this.#failure.error, this.#failure.retryAt)
  }

  changed(objects: ReadonlyMap<string, T>, changed: ReadonlySet<string>, facts: CollectionFacts): void {
    const concerned = this.#index.update(objects, changed)
    const isFirst = !this.hasAnswered
    const tellsAll = isFirst || this.#failure !== undefined
    this.#heard(facts.version)
    if (isFirst) this.#options.onFirstAnswer()
    if (tellsAll)
      for (const [service, followed] of this.#options.fed()) followed.changed(this.#index.of(service), facts)
    else for (const service of concerned) this.#options.fedAt(service)?.changed(this.#index.of(service), facts)
  }

  contact(version: string): void {
    const tellsAll = this.#failure !== undefined
    this.#heard(version)
    for (const [service, followed] of this.#options.fed()) {
      if (tellsAll) followed.changed(this.#index.of(service), { version })
      else followed.contact(version)
    }
  }

  failed(error: Error, retryAt: number): void {
    this.#failure = { error, retryAt }
    for (const [, followed] of this.#options.fed()) followed.failed(error, retryAt)
  }

  #heard(version: string): void {
    this.#version = version
    this.#failure = undefined
  }
}
