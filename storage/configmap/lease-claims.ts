// Leases and presence on Lease objects, all followed by one watch from the first one on. Knows nothing of renewals: see claims.ts.
import type {
  CollectionFacts,
  CollectionFollower,
  KubernetesCluster,
  KubernetesObjects,
} from '../../clients/kubernetes/cluster.ts'
import { NamingError } from '../../naming/errors.ts'
import type { Cancel, Clock } from '../../watch/clock.ts'
import type { Claim, ClaimTable } from '../claims.ts'
import type { PresenceFollower } from '../shared/shared-backend.ts'
import { type ClaimObject, decodeClaim, encodeClaim } from './claim-object.ts'
import { labels } from './facts.ts'
import { claimName } from './object-names.ts'
import { SeenClaims } from './seen-claims.ts'
import { isExisting, isForbidden, isLost, storeError } from './store-error.ts'

const maxRaces = 5
const maxClaims = 100_000
/** A sign of life is taken for gone after so many of its lives without a change, and removed. */
const presenceLives = 1.5
/** A record that could not be removed is tried again after so long. */
const removeAgainMs = 5_000

export interface LeaseClaimsOptions {
  readonly cluster: KubernetesCluster
  readonly objects: KubernetesObjects
  readonly clock: Clock
  readonly kubernetesNamespace: string
}

/** Ends with `close`. */
export class LeaseClaims implements ClaimTable, CollectionFollower<ClaimObject> {
  readonly #options: LeaseClaimsOptions
  readonly #path: string
  readonly #seen: SeenClaims
  /** As the watch has told them, by their keys. */
  readonly #claims = new Map<string, ClaimObject>()
  #follower: PresenceFollower | undefined
  #unfollow: (() => void) | undefined
  #isKnown = false
  #isClosed = false
  #expiry: Cancel | undefined

  constructor(options: LeaseClaimsOptions) {
    this.#options = options
    this.#path = `/apis/coordination.k8s.io/v1/namespaces/${options.kubernetesNamespace}/leases`
    this.#seen = new SeenClaims(options.clock)
  }

  async claim(claim: Claim): Promise<boolean> {
    if (claim.kind === 'lease') this.#begin()
    try {
      for (let race = 0; race < maxRaces; race++) {
        const outcome = await this.#tryClaim(claim)
        if (outcome !== 'lost') return outcome === 'taken'
      }
    } catch (error) {
      throw storeError(error)
    }
    throw new NamingError('store-unavailable', `Others change the ${claim.kind} '${claim.name}' each time.`)
  }

  async unclaim(kind: Claim['kind'], name: string, owner: string): Promise<void> {
    const path = this.#at(kind, name)
    try {
      for (let race = 0; race < maxRaces; race++) {
        const found = await this.#find(path)
        if (found === undefined || found.owner !== owner || (await this.#remove(found))) return
      }
    } catch (error) {
      throw storeError(error)
    }
  }

  followPresence(follower: PresenceFollower): () => void {
    this.#follower = follower
    this.#begin()
    if (this.#isKnown) this.#tell()
    return () => {
      if (this.#follower === follower) this.#follower = undefined
    }
  }

  /** The watch ends; what is claimed stays until it runs out. */
  close(): void {
    this.#isClosed = true
    this.#follower = undefined
    this.#unfollow?.()
    this.#expiry?.()
  }

  changed(objects: ReadonlyMap<string, ClaimObject>, changed: ReadonlySet<string>, facts: CollectionFacts): void {
    for (const key of changed) {
      const claim = objects.get(key)
      if (claim !== undefined) this.#note(key, claim, facts.receivedAt)
      else this.#forget(key)
    }
    this.#isKnown = true
    this.#tell()
  }

  /** The records are as they were; who follows may have been told of a failure. */
  contact(): void {
    if (this.#isKnown) this.#tell()
  }

  failed(error: Error, retryAt: number): void {
    this.#follower?.failed(error, retryAt)
  }

  #begin(): void {
    const collection = { path: this.#path, labelSelector: labels.claim, maxObjects: maxClaims, strip: decodeClaim }
    this.#unfollow ??= this.#options.cluster.follow(collection, this)
  }

  async #tryClaim(claim: Claim): Promise<'taken' | 'held' | 'lost'> {
    const { objects } = this.#options
    const path = this.#at(claim.kind, claim.name)
    const found = await this.#find(path)
    try {
      if (found === undefined) await objects.create(this.#path, encodeClaim(claim))
      else if (found.owner !== claim.owner && !claim.force && this.#seen.leftMs(found) > 0) return 'held'
      else await objects.patch(path, over(found, encodeClaim(claim)))
      return 'taken'
    } catch (error) {
      // A Kubernetes namespace that is not there is no race.
      if (found === undefined ? isExisting(error) : isLost(error)) return 'lost'
      throw error
    }
  }

  async #find(path: string): Promise<ClaimObject | undefined> {
    const found = await this.#options.objects.find(path)
    return found === undefined ? undefined : decodeClaim(found)
  }

  /** False when it has changed since. */
  async #remove({ kind, name, uid, resourceVersion }: ClaimObject): Promise<boolean> {
    try {
      await this.#options.objects.remove(this.#at(kind, name), { uid, resourceVersion })
      return true
    } catch (error) {
      if (isLost(error)) return false
      throw error
    }
  }

  #at(kind: Claim['kind'], name: string): string {
    return `${this.#path}/${claimName(kind, name)}`
  }

  #note(key: string, claim: ClaimObject, receivedAt: number): void {
    this.#seen.see(claim, receivedAt)
    this.#claims.set(key, claim)
  }

  #forget(key: string): void {
    const claim = this.#claims.get(key)
    this.#claims.delete(key)
    if (claim !== undefined) this.#seen.forget(claim)
  }

  #present(): readonly (readonly [string, ClaimObject])[] {
    return [...this.#claims].filter(([, { kind }]) => kind === 'presence')
  }

  #tell(): void {
    const now = this.#options.clock.now()
    const records = this.#present().map(([, claim]) => ({
      id: claim.name,
      data: claim.data,
      expiresAt: now + Math.max(0, this.#seen.leftMs(claim, presenceLives)),
    }))
    this.#follower?.changed(records)
    this.#expireLater(1)
  }

  #expireLater(minMs: number): void {
    this.#expiry?.()
    this.#expiry = undefined
    if (this.#isClosed) return
    const left = this.#present().map(([, claim]) => this.#seen.leftMs(claim, presenceLives))
    if (left.length === 0) return
    const soonest = left.reduce((a, b) => Math.min(a, b))
    this.#expiry = this.#options.clock.after(Math.max(minMs, soonest), () => void this.#expire())
  }

  /** The server's word counts, not ours: it removes a record only when that has not changed. Never rejects. */
  async #expire(): Promise<void> {
    let areAllGone = true
    for (const [key, claim] of this.#present()) {
      if (this.#seen.leftMs(claim, presenceLives) > 0) continue
      // Where we may not remove it, our own clock is all there is to go by.
      const isGone = await this.#remove(claim).catch(isForbidden)
      if (isGone && this.#claims.get(key) === claim) this.#forget(key)
      areAllGone &&= isGone
    }
    this.#tell()
    // What has changed or ended since is told by the watch, which may be away.
    if (!areAllGone) this.#expireLater(removeAgainMs)
  }
}

function over({ resourceVersion }: ClaimObject, claim: object): object {
  const { metadata, spec } = claim as { metadata: object; spec: object } // as encodeClaim makes it
  return { metadata: { ...metadata, resourceVersion }, spec }
}
