// A store that notes which namespaces reach it, and fails on demand.
import type { NamingError } from '../../../naming/errors.ts'
import type { Store } from '../../../storage/store.ts'

export class SpiedStore {
  /** Every namespace that the store below was asked for or told of. */
  readonly namespaces: string[] = []
  /** Texts that were written. */
  readonly texts: string[] = []
  /** While set, every read and write of a namespace rejects with it. */
  failure: NamingError | undefined

  wrap = (store: Store): Store => ({
    kind: store.kind,
    maxDtabBytes: store.maxDtabBytes,
    head: namespace => this.#ask(namespace, () => store.head(namespace)),
    version: (namespace, version) => this.#ask(namespace, () => store.version(namespace, version)),
    history: (namespace, query) => this.#ask(namespace, () => store.history(namespace, query)),
    recall: (namespace, idempotency) => this.#ask(namespace, () => store.recall(namespace, idempotency)),
    write: request =>
      this.#ask(request.namespace, () => {
        this.texts.push(request.text ?? '')
        return store.write(request)
      }),
    observe: namespace => {
      this.namespaces.push(namespace)
      return store.observe(namespace)
    },
    list: () => store.list(),
    refusals: () => store.refusals(),
    noticed: (namespace, version) => store.noticed(namespace, version),
    forget: (namespace, versions) => this.#ask(namespace, () => store.forget(namespace, versions)),
    importHistory: (namespace, versions) => this.#ask(namespace, () => store.importHistory(namespace, versions)),
    lease: (name, ttlMs) => store.lease(name, ttlMs),
    announce: (id, data, ttlMs) => store.announce(id, data, ttlMs),
    presence: () => store.presence(),
    close: () => store.close(),
  })

  async #ask<T>(namespace: string, run: () => Promise<T>): Promise<T> {
    this.namespaces.push(namespace)
    if (this.failure !== undefined) throw this.failure
    return run()
  }
}
