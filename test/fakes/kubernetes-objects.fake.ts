// What a cluster's etcd holds: objects with resourceVersions, and the history of their changes. Knows nothing of HTTP.

export interface FakeMetadata {
  readonly name: string
  readonly namespace?: string
  readonly labels?: Readonly<Record<string, string>>
  readonly [field: string]: unknown
}

export interface FakeObject {
  readonly metadata: FakeMetadata
  readonly [field: string]: unknown
}

/** A path cut into what is addressed: `resource` is the path without namespace and name. */
export interface Address {
  readonly resource: string
  readonly namespace?: string
  readonly name?: string
}

export interface Change {
  readonly revision: number
  readonly resource: string
  /** The object as it became; of a removed one the last state with the revision of the removal. */
  readonly object: FakeObject
  readonly before: FakeObject | undefined
  readonly isRemoved: boolean
}

export class FakeObjects {
  #revision = 1_000
  #compactedTo = 0
  readonly #live = new Map<string, { readonly resource: string; readonly object: FakeObject }>()
  readonly #history: Change[] = []
  readonly #watchers = new Set<(change: Change) => void>()

  get revision(): number {
    return this.#revision
  }

  get compactedTo(): number {
    return this.#compactedTo
  }

  /** Creates or replaces the object in the collection at `path`; gives its resourceVersion. */
  put(path: string, object: FakeObject): string {
    const { resource, namespace } = parseAddress(path)
    const revision = ++this.#revision
    const metadata = {
      ...(namespace !== undefined && { namespace }),
      ...object.metadata,
      resourceVersion: `${revision}`,
    }
    this.#change(resource, { ...object, metadata }, revision, false)
    return `${revision}`
  }

  /** Harmless when there is no such object. */
  remove(path: string, name: string): void {
    const { resource, namespace } = parseAddress(path)
    const held = this.#live.get(keyOf(resource, { name, ...(namespace !== undefined && { namespace }) }))
    if (held === undefined) return
    const revision = ++this.#revision
    const metadata = { ...held.object.metadata, resourceVersion: `${revision}` }
    this.#change(resource, { ...held.object, metadata }, revision, true)
  }

  /** Forgets the history up to now: whoever continues from before it meets 410. */
  compact(): void {
    this.#compactedTo = this.#revision
  }

  /** All objects of a collection as of a revision, in the order of their names. */
  at(address: Address, revision: number): readonly FakeObject[] {
    const objects = revision >= this.#revision ? this.#current() : this.#past(revision)
    return objects
      .filter(([resource, { metadata }]) => resource === address.resource && isWithin(address, metadata))
      .map(([, object]) => object)
      .sort((a, b) => (keyOf('', a.metadata) < keyOf('', b.metadata) ? -1 : 1))
  }

  /** The changes of a collection after a revision. */
  since(address: Address, revision: number): readonly Change[] {
    return this.#history.filter(change => change.revision > revision && isOf(address, change))
  }

  watch(onChange: (change: Change) => void): () => void {
    this.#watchers.add(onChange)
    return () => this.#watchers.delete(onChange)
  }

  #change(resource: string, object: FakeObject, revision: number, isRemoved: boolean): void {
    const key = keyOf(resource, object.metadata)
    const change = { revision, resource, object, before: this.#live.get(key)?.object, isRemoved }
    if (isRemoved) this.#live.delete(key)
    else this.#live.set(key, { resource, object })
    this.#history.push(change)
    for (const watcher of this.#watchers) watcher(change)
  }

  #current(): (readonly [string, FakeObject])[] {
    return [...this.#live.values()].map(({ resource, object }) => [resource, object] as const)
  }

  #past(revision: number): (readonly [string, FakeObject])[] {
    const past = new Map<string, readonly [string, FakeObject]>()
    for (const { revision: at, resource, object, isRemoved } of this.#history) {
      if (at > revision) break
      const key = keyOf(resource, object.metadata)
      if (isRemoved) past.delete(key)
      else past.set(key, [resource, object])
    }
    return [...past.values()]
  }
}

/** `/api/v1/namespaces/prod/services/web` and the like; the collection of namespaces itself has no namespace. */
export function parseAddress(path: string): Address {
  const parts = path.split('/').filter(part => part !== '')
  const root = parts.splice(0, parts[0] === 'api' ? 2 : 3)
  const isNamespaced = parts[0] === 'namespaces' && parts.length > 2
  const [, namespace] = isNamespaced ? parts.splice(0, 2) : []
  const [resource = '', name] = parts
  return {
    resource: `/${[...root, resource].join('/')}`,
    ...(namespace !== undefined && { namespace }),
    ...(name !== undefined && { name }),
  }
}

export function isOf(address: Address, { resource, object }: Change): boolean {
  return resource === address.resource && isWithin(address, object.metadata)
}

function isWithin({ namespace }: Address, metadata: FakeMetadata): boolean {
  return namespace === undefined || metadata.namespace === namespace
}

function keyOf(resource: string, { namespace, name }: FakeMetadata): string {
  return `${resource} ${namespace ?? ''}/${name}`
}

/** Label and field selectors as an API server reads them, as far as our client uses them. */
export function selectorMatches(parameters: URLSearchParams, { metadata }: FakeObject): boolean {
  const labels = metadata.labels ?? {}
  const hasLabels = termsOf(parameters.get('labelSelector')).every(term => termMatches(term, name => labels[name]))
  const fields: Record<string, unknown> = {
    'metadata.name': metadata.name,
    'metadata.namespace': metadata.namespace,
  }
  return hasLabels && termsOf(parameters.get('fieldSelector')).every(term => termMatches(term, name => fields[name]))
}

function termsOf(selector: string | null): string[] {
  return (selector ?? '').split(/,(?![^(]*\))/).filter(term => term !== '')
}

function termMatches(term: string, read: (name: string) => unknown): boolean {
  const within = /^(\S+) in \((.*)\)$/.exec(term)
  if (within !== null) return (within[2] ?? '').split(',').includes(String(read(within[1] ?? '')))
  const [, name = '', operator, value] = /^([^=!]+)(!=|==?)(.*)$/.exec(term) ?? []
  if (operator === undefined) return term.startsWith('!') ? read(term.slice(1)) === undefined : read(term) !== undefined
  return operator === '!=' ? read(name) !== value : read(name) === value
}
