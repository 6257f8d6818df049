// A follower that records what it is told, and waits for it.
import type { Collection, CollectionFacts, CollectionFollower } from '../../../clients/kubernetes/cluster.ts'

/** Where the tests' objects live. */
export const slicesPath = '/apis/discovery.k8s.io/v1/namespaces/prod/endpointslices'

/** Of each object only its field `size`; one without is malformed, one of size 0 is left out. */
export const slices: Collection<number> = {
  path: slicesPath,
  strip: object => {
    if (typeof object !== 'object' || object === null || !('size' in object)) throw new Error('no size')
    return object.size === 0 ? undefined : Number(object.size)
  },
  maxObjects: 10_000,
}

export class Followed implements CollectionFollower<number> {
  /** The objects by name as last told; the namespace is cut off. */
  objects: Record<string, number> = {}
  /** Each call of `changed`, as the sorted names of what had changed. */
  readonly changes: string[][] = []
  readonly facts: CollectionFacts[] = []
  readonly versions: string[] = []
  readonly failures: { readonly error: Error; readonly retryAt: number }[] = []
  contacts = 0
  /** Failed, and neither contact nor change since. */
  isFailing = false
  /** Thrown by the next `changed`. */
  throwOnce: Error | undefined
  readonly #waiting = new Set<() => void>()

  changed(objects: ReadonlyMap<string, number>, changed: ReadonlySet<string>, facts: CollectionFacts): void {
    const error = this.throwOnce
    this.throwOnce = undefined
    if (error !== undefined) throw error
    this.objects = Object.fromEntries([...objects].map(([key, size]) => [nameOf(key), size]))
    this.changes.push([...changed].map(nameOf).sort())
    this.facts.push(facts)
    this.versions.push(facts.version)
    this.#told(false)
  }

  contact(version: string): void {
    this.contacts++
    this.versions.push(version)
    this.#told(false)
  }

  failed(error: Error, retryAt: number): void {
    this.failures.push({ error, retryAt })
    this.#told(true)
  }

  /** Resolves once the condition holds; it is looked at after each call. The test's limit ends a wait in vain. */
  async until(condition: () => boolean): Promise<void> {
    while (!condition()) await new Promise<void>(resolve => this.#waiting.add(resolve))
  }

  async untilObjects(wanted: Readonly<Record<string, number>>): Promise<void> {
    await this.until(() => this.holds(wanted))
  }

  holds(wanted: Readonly<Record<string, number>>): boolean {
    return this.changes.length > 0 && sorted(this.objects) === sorted(wanted)
  }

  #told(isFailing: boolean): void {
    this.isFailing = isFailing
    const waiting = [...this.#waiting]
    this.#waiting.clear()
    for (const resolve of waiting) resolve()
  }
}

function nameOf(key: string): string {
  return key.slice(key.indexOf('/') + 1)
}

function sorted(objects: Readonly<Record<string, number>>): string {
  return JSON.stringify(Object.entries(objects).sort(([a], [b]) => (a < b ? -1 : 1)))
}
