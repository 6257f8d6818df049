// What one Watch stream has of each namespace, counted: its names, and those with something that is not confirmed. Tells the
// proxy's record. Knows no names and no messages.
import type { NamespaceProgress, ProxyRecord } from '../push/proxy-registry.ts'

/** One stream and one namespace, for as long as it has names there or something unconfirmed. */
export class NamespaceUse {
  readonly namespace: string
  /** Names in the message in the making; for SentMessages. */
  written = 0
  readonly #progress: NamespaceProgress
  readonly #uses: NamespaceUses
  #weight = 0

  constructor(namespace: string, progress: NamespaceProgress, uses: NamespaceUses) {
    this.namespace = namespace
    this.#progress = progress
    this.#uses = uses
  }

  addNames(change: number): void {
    this.#progress.addNames(change)
    this.#weigh(change)
  }

  /** So many more states that are to be sent or confirmed, or so many less. */
  addUnsettled(change: number): void {
    this.#progress.addUnsettled(change)
    this.#weigh(change)
  }

  /** So many more names of which the client goes on with an old tree, since the newest is not known; or so many less. */
  addWaiting(change: number): void {
    this.#uses.waiting += change
    this.addUnsettled(change)
  }

  #weigh(change: number): void {
    this.#weight += change
    if (this.#weight === 0) this.#uses.delete(this.namespace)
  }
}

export class NamespaceUses {
  /** Names of which the client goes on with an old tree; for NamespaceUse. */
  waiting = 0
  readonly #proxy: ProxyRecord
  readonly #uses = new Map<string, NamespaceUse>()

  constructor(proxy: ProxyRecord) {
    this.#proxy = proxy
  }

  /** The same object while it is in use. */
  at(namespace: string): NamespaceUse {
    const known = this.#uses.get(namespace)
    if (known !== undefined) return known
    const made = new NamespaceUse(namespace, this.#proxy.namespace(namespace), this)
    this.#uses.set(namespace, made)
    return made
  }
  /** For NamespaceUse: it is in use no more. */
  delete(namespace: string): void {
    this.#uses.delete(namespace)
  }
}
