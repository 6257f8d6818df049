// Follows every head of a Kubernetes namespace by one watch, and the traces that tell which heads are missing. Of each object
// only a sighting is kept, no text.
import type { CollectionFacts, CollectionFollower, KubernetesCluster } from '../../clients/kubernetes/cluster.ts'
import { isOlder } from '../../clients/kubernetes/resource-version.ts'
import { parseNamespace } from '../../naming/namespace.ts'
import type { HeadFollower, HeadSighting } from '../shared/shared-backend.ts'
import { labels } from './facts.ts'
import { decodeHead, noHead, recordFrom, storedHead } from './head-object.ts'
import { headName, traceName } from './object-names.ts'
import { decodeObject, type StoredObject } from './stored-object.ts'

/** More heads and traces than this fail the watch, and what was known stays. */
const maxObjects = 400_000
/** Objects that are told to be no heads; more are told each time they are seen. */
const maxTold = 1_000

export interface HeadFollowOptions {
  readonly cluster: KubernetesCluster
  /** Of the ConfigMaps. */
  readonly path: string
  readonly follower: HeadFollower
  /** An object has the label of a head and cannot be one, for people. Told once for each reason. */
  readonly onMisplaced: (name: string, reason: string) => void
}

/** Ends with the returned function. */
export function followHeadObjects(options: HeadFollowOptions): () => void {
  const { cluster, path } = options
  const news = new HeadNews(options)
  const labelSelector = `${labels.dtab} in (head,trace)`
  const collection = { path, labelSelector, maxObjects, strip: (object: unknown) => news.strip(object) }
  return cluster.follow(collection, news)
}

/** A head, or a trace, which has no sighting. */
interface Found {
  readonly namespace: string
  readonly sighting?: HeadSighting
}

class HeadNews implements CollectionFollower<Found> {
  readonly #options: HeadFollowOptions
  readonly #misplaced = new Map<string, string>()
  /** What was told of each object, to tell of its end. */
  readonly #told = new Map<string, HeadSighting>()
  #version: string | undefined
  #mustReset = true

  constructor(options: HeadFollowOptions) {
    this.#options = options
  }

  strip(value: unknown): Found | undefined {
    const object = decodeObject(value)
    const { namespace } = object.data
    const isTrace = object.labels[labels.dtab] === 'trace'
    const reason = misplacement(object, isTrace ? traceName : headName)
    if (namespace !== undefined && reason === undefined) {
      this.#misplaced.delete(object.name)
      if (isTrace) return { namespace }
      const sighting = sightingFrom(object, namespace)
      return sighting && { namespace, sighting }
    }
    this.#tellMisplaced(object.name, reason ?? '')
    return undefined
  }

  changed(objects: ReadonlyMap<string, Found>, changed: ReadonlySet<string>, facts: CollectionFacts): void {
    const isRewound = this.#isRewound(objects, changed, facts)
    this.#version = facts.version
    const gone = [...changed].filter(key => !objects.has(key)).flatMap(key => this.#gone(key))
    for (const key of changed) {
      const sighting = objects.get(key)?.sighting
      if (sighting !== undefined) this.#told.set(key, sighting)
    }
    if (this.#mustReset || isRewound) this.#reset(isRewound)
    // What somebody has removed is news also beside a whole reading: something may be left of it.
    const news = [...changed].flatMap(key => objects.get(key)?.sighting ?? [])
    const heads = this.#mustReset || isRewound ? [...gone, ...this.#missing(objects)] : [...news, ...gone]
    this.#mustReset = false
    if (heads.length > 0) this.#options.follower.changed(heads)
  }

  contact(version: string): void {
    this.#version = version
    if (this.#mustReset) this.#reset(false)
    else this.#options.follower.contact()
    this.#mustReset = false
  }

  failed(error: Error, retryAt: number): void {
    this.#mustReset = true
    this.#options.follower.failed(error, retryAt)
  }

  /** By the version of all, or, when that has gone on past what was seen, by a head that is older than it was. */
  #isRewound(objects: ReadonlyMap<string, Found>, changed: ReadonlySet<string>, facts: CollectionFacts): boolean {
    if (this.#version !== undefined && isOlder(facts.version, this.#version)) return true
    return [...changed].some(key => (objects.get(key)?.sighting?.order ?? Infinity) < (this.#told.get(key)?.order ?? 0))
  }

  #reset(isRewound: boolean): void {
    this.#options.follower.reset([...this.#told.values()], Number(this.#version), isRewound)
  }

  #gone(key: string): readonly HeadSighting[] {
    const told = this.#told.get(key)
    if (told === undefined) return []
    this.#told.delete(key)
    const { namespace, record } = told
    const isOurs = record === undefined || record.deleted
    return [{ namespace, isOurs, token: noHead(record), order: Number(this.#version) }]
  }

  /** Namespaces of which there is a trace and no head: somebody may have deleted that while we did not look. */
  #missing(objects: ReadonlyMap<string, Found>): readonly HeadSighting[] {
    const found = [...objects.values()]
    const there = new Set(found.flatMap(({ sighting }) => sighting?.namespace ?? []))
    const missing = found.filter(({ namespace }) => !there.has(namespace))
    const order = Number(this.#version)
    return missing.map(({ namespace }) => ({ namespace, isOurs: false, token: noHead(undefined), order }))
  }

  #tellMisplaced(name: string, reason: string): void {
    if (this.#misplaced.get(name) === reason) return
    if (this.#misplaced.size < maxTold) this.#misplaced.set(name, reason)
    this.#options.onMisplaced(name, reason)
  }
}

/** Why an object cannot be a head, or a trace; undefined when it can. */
function misplacement({ name, data }: StoredObject, nameOf: (namespace: string) => string): string | undefined {
  const { namespace } = data
  if (namespace === undefined) return 'its data has no key "namespace"'
  const parsed = parseNamespace(namespace)
  if (!parsed.ok) return `data.namespace: ${parsed.error.message}`
  const right = nameOf(namespace)
  return name === right ? undefined : `the ConfigMap of the namespace '${namespace}' must be named ${right}`
}

/** What somebody else has touched last may be an old head put back: it is not taken for ours before it was read with care. */
function sightingFrom(object: StoredObject, namespace: string): HeadSighting | undefined {
  const head = decodeHead(object, namespace)
  // The first version is on its way, or was never finished.
  if (head.facts?.version === 0 && head.content === undefined) return undefined
  const isOurs = head.isWhole && !head.isTouched
  const { content, ...sighting } = storedHead(
    namespace,
    { ...head, content: undefined },
    recordFrom(head.facts),
    isOurs,
  )
  return sighting
}
