// What the product asks of a Kubernetes API server. Knows nothing of names or endpoints.

/** A collection to follow, and what is kept of each object. */
export interface Collection<T> {
  /** Such as /apis/discovery.k8s.io/v1/namespaces/prod/endpointslices. */
  readonly path: string
  readonly labelSelector?: string
  readonly fieldSelector?: string
  /** Called once per object at the door: gives only what is used, or undefined to leave the object out. A throw means a malformed answer. */
  strip(object: unknown): T | undefined
  /** More objects than this fail the collection, and what was held stays. */
  readonly maxObjects: number
}

/** What came with a change. */
export interface CollectionFacts {
  /** The collection's resourceVersion, for people and for older-than checks only. */
  readonly version: string
  /** When the first byte of the change came, in ms of the clock's `monotonic`. */
  readonly receivedAt: number
}

/** Where a followed collection reports. No call comes after the follow was ended. */
export interface CollectionFollower<T> {
  /**
   * The held objects by `namespace/name` after a list, or after all events that came in one turn. `changed` are the keys
   * added, changed or removed since the last call; after the first list all. Both are live: to be read now, not kept.
   */
  changed(objects: ReadonlyMap<string, T>, changed: ReadonlySet<string>, facts: CollectionFacts): void
  /** A bookmark, or a relist that found nothing new. */
  contact(version: string): void
  /** The list or watch failed; what is held stays, and the next try is at `retryAt`, in ms since 1970. */
  failed(error: Error, retryAt: number): void
}

/** Load on the API server. */
export interface ClusterLoad {
  /** Followed now, and the objects held of them. */
  readonly collections: number
  readonly objects: number
  /** Pages of lists and watches asked for since the start. */
  readonly lists: number
  readonly watches: number
  /** Objects that a slow relist found otherwise than the watch had told, since the start; must stay 0. */
  readonly drift: number
}

/** The API server answered with an error status. */
export class KubernetesStatusError extends Error {
  override readonly name = 'KubernetesStatusError'
  readonly status: number
  /** The API's own word, such as AlreadyExists or Conflict, both of status 409; empty when it gave none. */
  readonly reason: string

  constructor(message: string, status: number, options: ErrorOptions & { readonly reason?: string } = {}) {
    super(message, options)
    this.status = status
    this.reason = options.reason ?? ''
  }
}

/** What a change of an object must find. */
export interface Preconditions {
  readonly uid?: string
  readonly resourceVersion?: string
}

/** Objects of a collection without all but their metadata, as of one version. */
export interface MetadataListing {
  readonly version: string
  /** Each with `metadata`. */
  readonly items: readonly unknown[]
}

export interface MetadataQuery {
  readonly labelSelector: string
  /** A list at least as new as this; the newest when absent, for which a busy server may take 100 ms longer. */
  readonly notOlderThan?: string
  /** They fit one page. Older API servers read every object from etcd, with all its data, for a list in pages. */
  readonly areFew?: boolean
}

/**
 * Single objects. Every call ends within seconds and rejects with KubernetesStatusError for a refusal. A change is sent once:
 * after any other error nobody knows whether it was made. Paths are those of the API.
 */
export interface KubernetesObjects {
  /** Undefined when there is none. */
  find(path: string): Promise<unknown>
  /** The same without all but its metadata. */
  findMetadata(path: string): Promise<unknown>
  create(collection: string, object: object): Promise<unknown>
  /** A JSON merge patch; a metadata.resourceVersion in it must be the present one, or it is refused as Conflict. */
  patch(path: string, change: object): Promise<unknown>
  /** Whether there was such an object. */
  remove(path: string, preconditions?: Preconditions): Promise<boolean>
  listMetadata(collection: string, query: MetadataQuery): Promise<MetadataListing>
}

/** One API server. Whoever made it closes it. */
export interface KubernetesCluster {
  /** Lists, then watches, for ever, until the returned function is called (harmless twice). */
  follow<T>(collection: Collection<T>, follower: CollectionFollower<T>): () => void
  /** One plain GET; rejects with KubernetesStatusError for a status other than 200. */
  get(path: string): Promise<unknown>
  load(): ClusterLoad
  /** Ends every follow and every connection. */
  close(): void
}
