// Single objects of an API server in memory, each call one atomic step: what an API server does with resourceVersions, uids,
// labels and the notes of who changed what. Knows neither HTTP nor watches.
import {
  type KubernetesObjects,
  KubernetesStatusError,
  type MetadataListing,
  type MetadataQuery,
  type Preconditions,
} from '../../clients/kubernetes/cluster.ts'
import { fieldManager } from '../../clients/kubernetes/objects.ts'
import { selectorMatches } from './kubernetes-objects.fake.ts'

type Json = Readonly<Record<string, unknown>>

export class FakeKubernetesStore {
  readonly #objects = new Map<string, Json>()
  #revision = 0

  /** As one who connects sees it; `step` is awaited before each call and after it, and may throw. */
  connect(step: (when: 'before' | 'after', call: string) => Promise<void>, manager = fieldManager): KubernetesObjects {
    const stepped = async <T>(call: string, run: () => T): Promise<T> => {
      await step('before', call)
      const result = run()
      await step('after', call)
      return result
    }
    return {
      find: path => stepped('find', () => this.#objects.get(path)),
      findMetadata: path => stepped('find', () => withoutData(this.#objects.get(path))),
      create: (collection, object) => stepped('create', () => this.#create(collection, object as Json, manager)),
      patch: (path, change) => stepped('patch', () => this.#patch(path, change as Json, manager)),
      remove: (path, preconditions) => stepped('remove', () => this.#remove(path, preconditions)),
      listMetadata: (collection, query) => stepped('list', () => this.#list(collection, query)),
    }
  }

  #create(collection: string, object: Json, manager: string): Json {
    const path = `${collection}/${String(metadataOf(object).name)}`
    if (this.#objects.has(path)) throw refusal(409, 'AlreadyExists')
    return this.#put(path, { ...object, metadata: { ...metadataOf(object), uid: `uid-${this.#revision}` } }, manager)
  }

  #patch(path: string, change: Json, manager: string): Json {
    const present = this.#present(path, metadataOf(change))
    if (present.immutable === true && 'data' in change) throw refusal(422, 'Invalid')
    return this.#put(path, merged(present, change), manager)
  }

  #remove(path: string, preconditions: Preconditions = {}): boolean {
    if (!this.#objects.has(path)) return false
    this.#present(path, preconditions as Json)
    this.#revision++
    return this.#objects.delete(path)
  }

  #list(collection: string, { labelSelector }: MetadataQuery): MetadataListing {
    const parameters = new URLSearchParams({ labelSelector })
    const items = [...this.#objects]
      .filter(([path]) => path.startsWith(`${collection}/`))
      .map(([, object]) => withoutData(object))
      // The selector looks at metadata only.
      .filter(object => selectorMatches(parameters, object as Parameters<typeof selectorMatches>[1]))
    return { version: String(this.#revision), items }
  }

  /** The object, which must be the expected one. */
  #present(path: string, expected: Json): Json {
    const present = this.#objects.get(path)
    if (present === undefined) throw refusal(404, 'NotFound')
    for (const field of ['uid', 'resourceVersion'])
      if (expected[field] !== undefined && expected[field] !== metadataOf(present)[field])
        throw refusal(409, 'Conflict')
    return present
  }

  #put(path: string, object: Json, manager: string): Json {
    const metadata = metadataOf(object)
    const known = Array.isArray(metadata.managedFields) ? metadata.managedFields : []
    // Some changes share a second, as they do in life.
    const time = String(Math.floor(++this.#revision / 3)).padStart(9, '0')
    const managedFields = [...known.filter(entry => entry.manager !== manager), { manager, time }]
    const stored = { ...object, metadata: { ...metadata, managedFields, resourceVersion: String(this.#revision) } }
    this.#objects.set(path, stored)
    return stored
  }
}

function metadataOf(object: Json): Json {
  return (object.metadata ?? {}) as Json // an object of the API
}

function withoutData(object: Json | undefined): Json | undefined {
  return object === undefined ? undefined : { metadata: object.metadata }
}

function refusal(status: number, reason: string): KubernetesStatusError {
  return new KubernetesStatusError(`made to say ${reason}`, status, { reason })
}

/** RFC 7386. */
function merged(target: unknown, change: unknown): Json {
  const result: Record<string, unknown> = { ...(isJson(target) ? target : {}) }
  for (const [field, value] of Object.entries(isJson(change) ? change : {})) {
    if (value === null) delete result[field]
    else result[field] = isJson(value) ? merged(result[field], value) : value
  }
  return result
}

function isJson(value: unknown): value is Json {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
