// A follower that can be moved to another source of the same objects: it stays with the old one until the new one has answered.
import type { ObjectFacts, ObjectsFollower } from './followed-service.ts'
import type { ServiceObjects } from './service-objects.ts'

export interface MovableOptions<T extends { readonly service: string }> {
  readonly service: string
  readonly follower: ObjectsFollower<T>
  /** Whether a failure is looked into first; one that is stays untold while nothing better is known. */
  looksInto(source: ServiceObjects<T>, error: Error): boolean
}

interface Attachment<T extends { readonly service: string }> {
  readonly source: ServiceObjects<T>
  leave: () => void
}

interface Failure {
  readonly error: Error
  readonly retryAt: number
}

/** Whoever made it calls `leave`. */
export class MovableFollower<T extends { readonly service: string }> {
  readonly #options: MovableOptions<T>
  #current: Attachment<T> | undefined
  #next: Attachment<T> | undefined
  #hasAnswered = false
  #withheld: Failure | undefined

  constructor(options: MovableOptions<T>) {
    this.#options = options
  }

  /** Takes its objects from `source` as soon as that has answered. */
  move(source: ServiceObjects<T>): void {
    this.#next?.leave()
    this.#next = undefined
    if (this.#current?.source === source) return
    const attachment: Attachment<T> = { source, leave: () => {} }
    if (this.#current === undefined) this.#current = attachment
    else this.#next = attachment
    attachment.leave = source.follow(this.#options.service, {
      changed: (objects, facts) => this.#changed(attachment, objects, facts),
      contact: version => {
        if (attachment === this.#current) this.#options.follower.contact(version)
      },
      failed: (error, retryAt) => this.#failed(attachment, { error, retryAt }),
    })
  }

  /** The failure that was looked into is what there is to tell. */
  tellWithheld(): void {
    const failure = this.#withheld
    this.#withheld = undefined
    if (failure !== undefined) this.#options.follower.failed(failure.error, failure.retryAt)
  }

  /** Harmless when called twice. */
  leave(): void {
    this.#next?.leave()
    this.#current?.leave()
    this.#next = this.#current = undefined
  }

  #changed(attachment: Attachment<T>, objects: ReadonlyMap<string, T>, facts: ObjectFacts): void {
    if (attachment === this.#next) {
      this.#current?.leave()
      this.#current = attachment
      this.#next = undefined
    }
    this.#hasAnswered = true
    this.#withheld = undefined
    this.#options.follower.changed(objects, facts)
  }

  #failed(attachment: Attachment<T>, failure: Failure): void {
    const isLookedInto = this.#options.looksInto(attachment.source, failure.error)
    if (this.#hasAnswered) {
      if (attachment === this.#current) this.#options.follower.failed(failure.error, failure.retryAt)
    } else if (isLookedInto) this.#withheld = failure
    else this.#options.follower.failed(failure.error, failure.retryAt)
  }
}
