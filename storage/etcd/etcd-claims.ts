// Leases and presence on etcd's own leases: etcd's leader counts the time, so no clock of another machine is looked at.
import { z } from 'zod'
import type { EtcdCluster, Operation, RangeFollower } from '../../clients/etcd/cluster.ts'
import type { Clock } from '../../watch/clock.ts'
import type { Claim, ClaimTable } from '../claims.ts'
import { recordCodec } from '../shared/record-codec.ts'
import type { PresenceFollower } from '../shared/shared-backend.ts'
import type { PresenceRecord } from '../store.ts'
import { asking, etcdFailure } from './etcd-failure.ts'
import type { Layout } from './layout.ts'

/** etcd's lease outlives the holder's own belief by half a ttl. */
const lifeInTtls = 1.5

const claimCodec = recordCodec(
  'a claim',
  z.object({ name: z.string(), owner: z.string(), data: z.string(), ttlMs: z.number() }),
)

/** One of ours: the lease in etcd that its key is on. */
interface Held {
  readonly lease: string
  /** In ms of the clock's `monotonic`: by then it has run out. */
  readonly endsAt: number
}

export class EtcdClaims implements ClaimTable {
  readonly #cluster: EtcdCluster
  readonly #layout: Layout
  readonly #clock: Clock
  /** By the claim's key and owner. */
  readonly #held = new Map<string, Held>()

  constructor(cluster: EtcdCluster, layout: Layout, clock: Clock) {
    this.#cluster = cluster
    this.#layout = layout
    this.#clock = clock
  }

  claim(claim: Claim): Promise<boolean> {
    return asking(() => this.#claim(claim))
  }

  async unclaim(kind: Claim['kind'], name: string, owner: string): Promise<void> {
    const id = idOf({ kind, name, owner })
    const held = this.#held.get(id)
    this.#held.delete(id)
    if (held !== undefined) await asking(() => this.#cluster.revokeLease(held.lease))
  }

  async #claim(claim: Claim): Promise<boolean> {
    this.#forgetOver()
    const key = this.#layout.claim(claim.kind, claim.name)
    const renewed = await this.#renew(claim)
    if (renewed !== undefined && !claim.force && (await this.#isOn(key, renewed))) return true
    const lease = renewed ?? (await this.#grant(claim, key))
    const isTaken = lease !== undefined && (await this.#take(claim, key, lease))
    if (!isTaken) this.#held.delete(idOf(claim))
    return isTaken
  }

  async #renew(claim: Claim): Promise<string | undefined> {
    const lease = this.#held.get(idOf(claim))?.lease
    if (lease === undefined || !(await this.#cluster.renewLease(lease))) return undefined
    this.#hold(claim, lease)
    return lease
  }

  /** Asked by itself, for an etcd without room refuses whatever might write. */
  async #isOn(key: string, lease: string): Promise<boolean> {
    const { succeeded } = await this.#cluster.txn({ compare: [{ kind: 'leased-to', key, lease }], success: [] })
    return succeeded
  }

  /** Undefined when the key is another's and stays so: then a lease would be of no use. */
  async #grant(claim: Claim, key: string): Promise<string | undefined> {
    if (!claim.force) {
      const { entries } = await this.#cluster.range({ key, keysOnly: true })
      if (entries.length > 0) return undefined
    }
    const lease = await this.#cluster.grantLease(Math.ceil((claim.ttlMs * lifeInTtls) / 1000))
    this.#hold(claim, lease)
    return lease
  }

  /** Puts the key on the lease unless it is there already, or is on another's. A second time it finds what the first did. */
  async #take(claim: Claim, key: string, lease: string): Promise<boolean> {
    const { name, owner, data, ttlMs, force } = claim
    const value = claimCodec.encode({ name, owner, data, ttlMs })
    const put: Operation = { kind: 'put', key, value, lease }
    const putIfFree: Operation = {
      kind: 'txn',
      txn: { compare: [{ kind: 'modified-at', key, revision: 0 }], success: [put] },
    }
    const { succeeded, results } = await this.#cluster.txn({
      compare: [{ kind: 'leased-to', key, lease }],
      success: force ? [put] : [],
      failure: [force ? put : putIfFree],
    })
    const [result] = results
    return succeeded || force || (result?.kind === 'txn' && result.succeeded)
  }

  #hold(claim: Claim, lease: string): void {
    this.#held.set(idOf(claim), { lease, endsAt: this.#clock.monotonic() + 2 * claim.ttlMs })
  }

  /** Those that were lost and never given up. */
  #forgetOver(): void {
    const now = this.#clock.monotonic()
    for (const [id, { endsAt }] of this.#held) if (endsAt < now) this.#held.delete(id)
  }
}

function idOf({ kind, name, owner }: Pick<Claim, 'kind' | 'name' | 'owner'>): string {
  return `${kind} ${owner} ${name}`
}

/** Reports to `follower` what the range of presence says. A record is there for as long as etcd holds it. */
export function createPresenceFollow(clock: Clock, follower: PresenceFollower): RangeFollower {
  const records = new Map<string, PresenceRecord>()
  /** What somebody has scribbled over stands for nobody. */
  const learn = (key: string, value: Buffer): void => {
    const claim = claimCodec.read(value)
    if (claim === undefined) records.delete(key)
    else records.set(key, { id: claim.name, data: claim.data, expiresAt: clock.now() + claim.ttlMs })
  }
  return {
    began: () => records.clear(),
    read: entries => {
      for (const { key, value } of entries) learn(key, value)
    },
    reset: () => follower.changed([...records.values()]),
    changed: events => {
      for (const { kind, entry } of events) {
        if (kind === 'delete') records.delete(entry.key)
        else learn(entry.key, entry.value)
      }
      follower.changed([...records.values()])
    },
    contact: () => {},
    failed: (error, retryAt) => follower.failed(etcdFailure(error), retryAt),
  }
}
