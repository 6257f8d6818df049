// What is followed in each Kubernetes namespace, made when it is first asked for and let go when nobody follows anything there.

export interface WatchedNamespace {
  readonly isFollowed: boolean
  close(): void
}

export class Namespaces<N extends WatchedNamespace> {
  readonly #create: (namespace: string) => N
  readonly #open = new Map<string, N>()

  constructor(create: (namespace: string) => N) {
    this.#create = create
  }

  /** Does what `follow` does in a namespace; the returned function undoes it. */
  follow(namespace: string, follow: (watched: N) => () => void): () => void {
    const watched = this.#open.get(namespace) ?? this.#create(namespace)
    this.#open.set(namespace, watched)
    const leave = follow(watched)
    return () => {
      leave()
      if (watched.isFollowed || this.#open.get(namespace) !== watched) return
      this.#open.delete(namespace)
      watched.close()
    }
  }

  all(): Iterable<N> {
    return this.#open.values()
  }

  close(): void {
    for (const watched of this.#open.values()) watched.close()
    this.#open.clear()
  }
}
