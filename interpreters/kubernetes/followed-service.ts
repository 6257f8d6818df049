// What is known of one service's objects, and who is told. Knows not which watch the objects come from.

/** What came with an answer. */
export interface ObjectFacts {
  readonly version: string
  /** In ms of the clock's `monotonic`; absent when nothing came and what is held is told again. */
  readonly receivedAt?: number
}

/** Told of all objects of one service. */
export interface ObjectsFollower<T> {
  /** Every object, by key; also told after a failure when nothing has changed. The map is live. */
  changed(objects: ReadonlyMap<string, T>, facts: ObjectFacts): void
  contact(version: string): void
  /** What was told before stays good as far as anyone knows. */
  failed(error: Error, retryAt: number): void
}

/** One service for all who follow it. */
export class FollowedService<T> {
  #objects: ReadonlyMap<string, T> | undefined
  #version = ''
  #failure: { readonly error: Error; readonly retryAt: number } | undefined
  readonly #followers = new Set<ObjectsFollower<T>>()

  get isFollowed(): boolean {
    return this.#followers.size > 0
  }

  /** Tells the newcomer what is known. */
  join(follower: ObjectsFollower<T>): void {
    this.#followers.add(follower)
    if (this.#objects !== undefined) follower.changed(this.#objects, { version: this.#version })
    if (this.#failure !== undefined) follower.failed(this.#failure.error, this.#failure.retryAt)
  }

  leave(follower: ObjectsFollower<T>): void {
    this.#followers.delete(follower)
  }

  changed(objects: ReadonlyMap<string, T>, facts: ObjectFacts): void {
    this.#objects = objects
    this.#version = facts.version
    this.#failure = undefined
    for (const follower of this.#followers) follower.changed(objects, facts)
  }

  contact(version: string): void {
    this.#version = version
    if (this.#failure !== undefined && this.#objects !== undefined) this.changed(this.#objects, { version })
    else for (const follower of this.#followers) follower.contact(version)
  }

  failed(error: Error, retryAt: number): void {
    this.#failure = { error, retryAt }
    for (const follower of this.#followers) follower.failed(error, retryAt)
  }
}
