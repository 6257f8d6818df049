// A cluster without HTTP: objects that a test puts and removes, told to follows in the next turn of a clock that stands still.
import {
  type ClusterLoad,
  type Collection,
  type CollectionFollower,
  type KubernetesCluster,
  KubernetesStatusError,
} from '../../clients/kubernetes/cluster.ts'
import type { FakeClock } from './clock.fake.ts'

/** An object as the API server sends it; `kind` says in which collection it is. */
export interface ClusterObject {
  readonly kind: 'EndpointSlice' | 'Endpoints' | 'Service'
  readonly metadata: {
    readonly name: string
    readonly namespace: string
    readonly labels?: Readonly<Record<string, string>>
    readonly annotations?: Readonly<Record<string, string>>
  }
  readonly [field: string]: unknown
}

const collections = {
  EndpointSlice: ['/apis/discovery.k8s.io/v1', 'endpointslices'],
  Endpoints: ['/api/v1', 'endpoints'],
  Service: ['/api/v1', 'services'],
} as const

function pathOf(kind: ClusterObject['kind'], namespace: string): string {
  const [root, plural] = collections[kind]
  return `${root}/namespaces/${namespace}/${plural}`
}

const none: ReadonlyMap<string, ClusterObject> = new Map<string, ClusterObject>()

export class FakeCluster implements KubernetesCluster {
  readonly #clock: FakeClock
  readonly #objects = new Map<string, Map<string, ClusterObject>>()
  readonly #follows = new Set<FakeFollow<unknown>>()
  readonly #refusals = new Map<string, Error>()
  #version = 0
  /** Path and selectors of every follow so far, in order. */
  readonly opened: string[] = []
  /** Paths that were asked for once, in order. */
  readonly asked: string[] = []
  /** The most follows at one time. */
  mostOpen = 0
  /** While true the watches hear nothing; `relist` finds what they missed. */
  isDeaf = false
  isClosed = false

  constructor(clock: FakeClock) {
    this.#clock = clock
  }

  /** Path and selectors of the open follows. */
  get open(): readonly string[] {
    return [...this.#follows].map(({ shown }) => shown)
  }

  put(object: ClusterObject): void {
    const path = pathOf(object.kind, object.metadata.namespace)
    const held = this.#objects.get(path) ?? new Map<string, ClusterObject>()
    this.#objects.set(path, held)
    held.set(`${object.metadata.namespace}/${object.metadata.name}`, object)
    this.#tell(path, object.metadata)
  }

  remove(kind: ClusterObject['kind'], namespace: string, name: string): void {
    const path = pathOf(kind, namespace)
    this.#objects.get(path)?.delete(`${namespace}/${name}`)
    this.#tell(path, { namespace, name })
  }

  at(path: string): ReadonlyMap<string, ClusterObject> {
    return this.#objects.get(path) ?? none
  }

  /** Every follow lists anew. */
  relist(): void {
    for (const follow of this.#follows) follow.relist()
  }

  /** A bookmark for every follow. */
  bookmark(): void {
    for (const follow of this.#follows) follow.bookmark(`${this.#version}`)
  }

  /** Follows whose path and selectors have `part`, and gets whose path has it, fail from now on, with a status or for want of a server. */
  refuse(part: string, status?: number): void {
    const message = `${part}: ${status ?? 'connection refused'}`
    this.#refusals.set(part, status === undefined ? new Error(message) : new KubernetesStatusError(message, status))
    for (const follow of this.#follows) follow.relist()
  }

  /** Undoes `refuse`; the follows list anew. */
  allow(part: string): void {
    this.#refusals.delete(part)
    for (const follow of this.#follows) follow.relist()
  }

  follow<T>(collection: Collection<T>, follower: CollectionFollower<T>): () => void {
    const { path } = collection
    const follow: FakeFollow<T> = new FakeFollow(collection, follower, {
      clock: this.#clock,
      objects: () => this.at(path),
      version: () => `${this.#version}`,
      refusal: () => this.#refusalOf(follow.shown),
    })
    this.opened.push(follow.shown)
    this.#follows.add(follow as FakeFollow<unknown>) // It is only told to list, never given a T.
    this.mostOpen = Math.max(this.mostOpen, this.#follows.size)
    follow.relist()
    return () => {
      this.#follows.delete(follow as FakeFollow<unknown>)
      follow.close()
    }
  }

  async get(path: string): Promise<unknown> {
    this.asked.push(path)
    const refusal = this.#refusalOf(path)
    if (refusal !== undefined) throw refusal
    return path === '/apis/discovery.k8s.io/v1' ? { resources: [{ name: 'endpointslices' }] } : { items: [] }
  }

  load(): ClusterLoad {
    let objects = 0
    for (const follow of this.#follows) objects += follow.held
    return { collections: this.#follows.size, objects, lists: 0, watches: this.opened.length, drift: 0 }
  }

  close(): void {
    this.isClosed = true
    for (const follow of this.#follows) follow.close()
    this.#follows.clear()
  }

  #tell(path: string, { namespace, name }: { readonly namespace: string; readonly name: string }): void {
    this.#version++
    if (this.isDeaf) return
    for (const follow of this.#follows) if (follow.path === path) follow.changed(`${namespace}/${name}`)
  }

  #refusalOf(asked: string): Error | undefined {
    for (const [part, error] of this.#refusals) if (asked.includes(part)) return error
    return undefined
  }
}

interface Server {
  readonly clock: FakeClock
  objects(): ReadonlyMap<string, ClusterObject>
  version(): string
  refusal(): Error | undefined
}

class FakeFollow<T> {
  readonly #collection: Collection<T>
  readonly #follower: CollectionFollower<T>
  readonly #server: Server
  readonly #held = new Map<string, T>()
  /** The objects of which something is held, as they were heard. */
  readonly #heard = new Map<string, ClusterObject>()
  readonly #dirty = new Set<string>()
  #isScheduled = false
  #mustList = false
  #hasListed = false
  #isFailing = false
  #isClosed = false

  constructor(collection: Collection<T>, follower: CollectionFollower<T>, server: Server) {
    this.#collection = collection
    this.#follower = follower
    this.#server = server
  }

  get path(): string {
    return this.#collection.path
  }

  get held(): number {
    return this.#held.size
  }

  get shown(): string {
    const { path, labelSelector = '', fieldSelector = '' } = this.#collection
    return [path, labelSelector, fieldSelector].filter(part => part !== '').join(' ')
  }

  changed(key: string): void {
    this.#dirty.add(key)
    this.#schedule()
  }

  relist(): void {
    this.#mustList = true
    this.#schedule()
  }

  bookmark(version: string): void {
    if (!this.#isClosed && this.#hasListed && !this.#isFailing) this.#follower.contact(version)
  }

  close(): void {
    this.#isClosed = true
  }

  #schedule(): void {
    if (this.#isScheduled) return
    this.#isScheduled = true
    this.#server.clock.defer(() => {
      this.#isScheduled = false
      if (!this.#isClosed) this.#deliver()
    })
  }

  #deliver(): void {
    const { clock } = this.#server
    const refusal = this.#server.refusal()
    if (refusal !== undefined) {
      this.#fail(refusal)
      return
    }
    const isFirst = !this.#hasListed
    const keys = this.#mustList || this.#isFailing ? this.#allKeys() : this.#dirty
    const changed = this.#take(keys)
    if (changed === undefined) {
      this.#fail(new Error(`more than ${this.#collection.maxObjects} objects`))
      return
    }
    this.#dirty.clear()
    this.#mustList = this.#isFailing = false
    this.#hasListed = true
    const facts = { version: this.#server.version(), receivedAt: clock.monotonic() }
    if (changed.size > 0 || isFirst) this.#follower.changed(this.#held, changed, facts)
    else this.#follower.contact(facts.version)
  }

  #allKeys(): Set<string> {
    return new Set([...this.#held.keys(), ...this.#server.objects().keys()])
  }

  /** The keys that changed; undefined, and nothing changes, when there would be too many objects. */
  #take(keys: Iterable<string>): Set<string> | undefined {
    const news = new Map<string, ClusterObject | undefined>()
    let size = this.#heard.size
    for (const key of keys) {
      const object = this.#server.objects().get(key)
      const selected = object !== undefined && this.#selects(object) ? object : undefined
      if (selected === this.#heard.get(key)) continue
      size += (selected === undefined ? 0 : 1) - (this.#heard.has(key) ? 1 : 0)
      news.set(key, selected)
    }
    if (size > this.#collection.maxObjects) return undefined
    for (const [key, object] of news) this.#put(key, object)
    return new Set(news.keys())
  }

  #put(key: string, object: ClusterObject | undefined): void {
    const kept = object === undefined ? undefined : this.#collection.strip(object)
    if (kept === undefined) this.#held.delete(key)
    else this.#held.set(key, kept)
    if (object === undefined) this.#heard.delete(key)
    else this.#heard.set(key, object)
  }

  #fail(error: Error): void {
    this.#isFailing = true
    this.#follower.failed(error, this.#server.clock.now() + 1_000)
  }

  #selects({ metadata }: ClusterObject): boolean {
    const { labelSelector = '', fieldSelector = '' } = this.#collection
    if (fieldSelector !== '' && fieldSelector !== `metadata.name=${metadata.name}`) return false
    return labelSelector
      .split(',')
      .filter(term => term !== '')
      .every(term => {
        const [key = '', value] = term.split('=')
        const label = metadata.labels?.[key]
        return label !== undefined && (value === undefined || value === label)
      })
  }
}
