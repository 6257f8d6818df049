// The objects of a whole Kubernetes namespace by the service they belong to. Work is in proportion to what changed.

const none: ReadonlyMap<string, never> = new Map<string, never>()

/** Kept in step by keys alone, so that a removal cannot fail. */
export class ServiceIndex<T extends { readonly service: string }> {
  readonly #objects = new Map<string, Map<string, T>>()
  readonly #serviceOf = new Map<string, string>()

  /** Takes the present objects for the changed keys; gives the services concerned. */
  update(objects: ReadonlyMap<string, T>, changed: Iterable<string>): ReadonlySet<string> {
    const concerned = new Set<string>()
    for (const key of changed) {
      const before = this.#serviceOf.get(key)
      const object = objects.get(key)
      if (before !== undefined) concerned.add(before)
      if (before !== undefined && before !== object?.service) this.#remove(key, before)
      if (object === undefined) continue
      concerned.add(object.service)
      this.#put(key, object)
    }
    return concerned
  }

  /** The objects of one service, by key: a live map, until it is empty. */
  of(service: string): ReadonlyMap<string, T> {
    return this.#objects.get(service) ?? none
  }

  #put(key: string, object: T): void {
    const { service } = object
    this.#serviceOf.set(key, service)
    const held = this.#objects.get(service)
    if (held === undefined) this.#objects.set(service, new Map([[key, object]]))
    else held.set(key, object)
  }

  #remove(key: string, service: string): void {
    this.#serviceOf.delete(key)
    const held = this.#objects.get(service)
    held?.delete(key)
    if (held?.size === 0) this.#objects.delete(service)
  }
}
