// Leases and presence as keys that sessions hold: Consul itself ends a session that is not renewed, and deletes its key. Knows
// nothing of who renews when.
import { type ConsulKv, type KvEntry, type KvOperation, sessionTtlMs } from '../../clients/consul/kv.ts'
import type { Claim, ClaimTable } from '../claims.ts'
import { type Layout, ourFolder } from './layout.ts'
import { presenceRecord } from './records.ts'

/** So often a claim by force is tried against others that do the same. */
const forcedTries = 5

type Held = Pick<Claim, 'kind' | 'name' | 'owner'>

/** One session for each claim, so that the end of one harms no other. */
export class ConsulClaims implements ClaimTable {
  readonly #kv: ConsulKv
  readonly #layout: Layout
  /** By claim and owner. */
  readonly #sessions = new Map<string, string>()

  constructor(kv: ConsulKv, layout: Layout) {
    this.#kv = kv
    this.#layout = layout
  }

  async claim(claim: Claim): Promise<boolean> {
    const isTaken = await this.#take(claim, await this.#liveSession(claim))
    if (!isTaken) await this.#end(claim)
    return isTaken
  }

  async unclaim(kind: Claim['kind'], name: string, owner: string): Promise<void> {
    await this.#end({ kind, name, owner })
  }

  /** The owner's, renewed; a new one when Consul has ended that, as after a restart. */
  async #liveSession({ kind, name, owner, ttlMs }: Claim): Promise<string> {
    const holder = holderOf({ kind, name, owner })
    const known = this.#sessions.get(holder)
    if (known !== undefined && (await this.#kv.renewSession(known))) return known
    const wantedMs = Math.min(sessionTtlMs.max, Math.max(sessionTtlMs.min, ttlMs))
    const session = await this.#kv.createSession(`${ourFolder} ${kind} ${name}`, wantedMs)
    this.#sessions.set(holder, session)
    return session
  }

  async #take(claim: Claim, session: string): Promise<boolean> {
    const key = this.#layout.claim(claim.kind, claim.name)
    const value = presenceRecord.encode({ id: claim.name, data: claim.data })
    for (let tries = 0; tries < forcedTries; tries++) {
      const [entry] = await this.#kv.read([key])
      if (isHeldWith(entry, session, value)) return true
      const isOthers = entry?.session !== undefined && entry.session !== session
      if (isOthers && !claim.force) return false
      const steps: KvOperation[] = [{ kind: 'lock', key, value, session }]
      if (isOthers) steps.unshift({ kind: 'delete-cas', key, index: entry.modifyIndex })
      const { kind } = await this.#kv.transact(steps)
      if (kind === 'done') return true
      if (!claim.force) return false
    }
    return false
  }

  async #end(held: Held): Promise<void> {
    const holder = holderOf(held)
    const session = this.#sessions.get(holder)
    if (session === undefined) return
    await this.#kv.destroySession(session)
    this.#sessions.delete(holder)
  }
}

function holderOf({ kind, name, owner }: Held): string {
  return JSON.stringify([kind, name, owner])
}

function isHeldWith(entry: KvEntry | undefined, session: string, value: Uint8Array): boolean {
  return entry?.session === session && Buffer.compare(entry.value, value) === 0
}
