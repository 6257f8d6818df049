// A backend in memory that several stores share, with a switch for everything that can go wrong. Calls answer at the next
// microtask, sightings at the next turn of the clock.
import { NamingError } from '../../naming/errors.ts'
import type { Claim, ClaimTable } from '../../storage/claims.ts'
import { realVersions } from '../../storage/configmap/real-versions.ts'
import type {
  Commit,
  CommitOutcome,
  HeadFollower,
  HeadRecord,
  HeadSighting,
  PresenceFollower,
  SharedBackend,
  StoredHead,
} from '../../storage/shared/shared-backend.ts'
import type { HistoryQuery, Version, VersionSummary } from '../../storage/store.ts'
import { dtabBytes, type KeyRecord } from '../../storage/write-rules.ts'
import type { Cancel, Clock } from '../../watch/clock.ts'

/** What stands in place of a head. `writtenAt` is the revision of our last write, `changedAt` that of anybody's. */
interface Place {
  readonly content?: Uint8Array
  readonly record?: HeadRecord
  readonly writtenAt: number
  readonly changedAt: number
}

/** What becomes of a commit: lost is written without an answer, dropped is neither, cut-off takes its number and no more. */
export type CommitFault = 'lost' | 'dropped' | 'cut-off' | 'full'

interface Ground {
  places: Map<string, Place>
  /** What was written last, which the old versions still tell when somebody has removed it from its place. */
  records: Map<string, HeadRecord>
  versions: Map<string, Map<number, Version>>
  keys: Map<string, KeyRecord>
  /** What imports have put and no commit has made count, by namespace. */
  leftOvers: Map<string, Set<number>>
}

const encoder = new TextEncoder()
/** How long a call to a backend that hangs takes. */
export const hangMs = 3_000

/** The ground that `connect` gives stores access to. Its own methods are people with other tools, and misfortune. */
export class FakeSharedBackend {
  readonly maxDtabBytes: number
  readonly clock: Clock
  /** Calls by name, refused ones too. */
  readonly calls = new Map<string, number>()
  /** What happens to the next commits, in order. */
  readonly faults: CommitFault[] = []
  /** What happens to commits for which `faults` says nothing. */
  misfortune: () => CommitFault | undefined = () => undefined
  readonly claims = new Map<string, Claim>()
  readonly connections = new Set<Connection>()
  revision = 0
  isDown = false
  isHanging = false
  /** How long an answer is under way, in ms: what it says is by then so much older. */
  delayMs = 0
  /** Somebody is faster each time. */
  isAlwaysMoved = false
  /** Sightings are kept back while true; `deliver` hands them out. */
  isWatchHeld = false
  ground: Ground = { places: new Map(), records: new Map(), versions: new Map(), keys: new Map(), leftOvers: new Map() }
  readonly #takenNumbers = new Set<string>()

  constructor(clock: Clock, options: { readonly maxDtabBytes?: number } = {}) {
    this.clock = clock
    this.maxDtabBytes = options.maxDtabBytes ?? 700 * 1024
  }

  /** One server's way in. */
  connect(): Connection {
    const connection = new Connection(this)
    this.connections.add(connection)
    return connection
  }

  /** Follows that are open. */
  get follows(): number {
    return [...this.connections].filter(connection => connection.isFollowing).length
  }

  count(call: string): number {
    return this.calls.get(call) ?? 0
  }

  /** What somebody puts where the text of a namespace stands. */
  put(namespace: string, content: string | Uint8Array): void {
    const place = this.ground.places.get(namespace)
    const bytes = typeof content === 'string' ? encoder.encode(content) : content
    this.#change(namespace, { writtenAt: 0, ...place, content: bytes, changedAt: this.revision + 1 })
  }

  /** Somebody deletes the text; what we wrote of it stays. */
  remove(namespace: string): void {
    const { content: _, ...rest } = this.ground.places.get(namespace) ?? { writtenAt: 0 }
    this.#change(namespace, { ...rest, changedAt: this.revision + 1 })
  }

  /** Somebody deletes the text and what we wrote of it. */
  wipe(namespace: string): void {
    this.#change(namespace, undefined)
  }

  /** Every call is refused and every watch breaks, until `up`. */
  down(): void {
    this.isDown = true
    for (const connection of this.connections) connection.breakWatch()
  }

  up(): void {
    this.isDown = this.isHanging = false
    for (const connection of this.connections) connection.mendWatch(false)
  }

  /** A copy that `restore` goes back to. */
  copy(): Ground {
    return structuredClone(this.ground)
  }

  /** The backend is as it was, with a revision to match. */
  restore(copy: Ground, revision: number): void {
    this.ground = structuredClone(copy)
    this.revision = revision
    for (const connection of this.connections) connection.mendWatch(true)
  }

  /** Hands out what was kept back, in another order where asked. */
  deliver(order: (sightings: readonly HeadSighting[]) => readonly HeadSighting[] = sightings => sightings): void {
    for (const connection of this.connections) connection.deliver(order)
  }

  sighting(namespace: string): HeadSighting {
    const place = this.ground.places.get(namespace)
    const record = place?.record
    const hasText = place?.content !== undefined
    const asWritten = place === undefined || place.writtenAt === place.changedAt
    return {
      namespace,
      ...(record && { record }),
      isOurs: asWritten || (!hasText && record === undefined),
      token: `${place?.changedAt ?? `none since ${this.ground.records.get(namespace)?.version}`}`,
      order: this.revision,
    }
  }

  /** With the record that somebody has removed. */
  wholeSighting(namespace: string): HeadSighting {
    const sighting = this.sighting(namespace)
    const lost = sighting.record === undefined ? this.ground.records.get(namespace) : undefined
    const hasText = this.ground.places.get(namespace)?.content !== undefined
    return lost === undefined ? sighting : { ...sighting, record: lost, isOurs: lost.deleted && !hasText }
  }

  /** Called by connections. */
  async answer<T>(call: string, give: () => T): Promise<T> {
    this.calls.set(call, this.count(call) + 1)
    await Promise.resolve()
    if (this.isHanging) await new Promise<void>(resolve => void this.clock.after(hangMs, resolve))
    if (this.isDown || this.isHanging) throw unavailable()
    const given = give()
    const { delayMs } = this
    if (delayMs > 0) await new Promise<void>(resolve => void this.clock.after(delayMs, resolve))
    return given
  }

  commit({ over, version, fingerprint, endsImport }: Commit): CommitOutcome {
    const { namespace } = version
    const fault = this.faults.shift() ?? this.misfortune()
    if (fault === 'dropped') throw unavailable()
    if (fault === 'full') throw new NamingError('store-full', 'The fake has no room.')
    const number = `${namespace} ${version.version}`
    if (this.isAlwaysMoved || this.sighting(namespace).token !== over.token) return { kind: 'moved' }
    const isLeftOver = endsImport !== true && this.ground.leftOvers.get(namespace)?.has(version.version) === true
    const isKept = !isLeftOver && this.ground.versions.get(namespace)?.has(version.version) === true
    if (isKept || this.#takenNumbers.has(number)) return { kind: 'taken' }
    if (fault === 'cut-off') {
      this.#takenNumbers.add(number)
      throw unavailable()
    }
    if (endsImport === true) this.ground.leftOvers.delete(namespace)
    else this.dropLeftOvers(namespace)
    this.#write(version, fingerprint)
    if (fault === 'lost') throw unavailable()
    return { kind: 'written', sighting: this.sighting(namespace) }
  }

  keep(version: Version): void {
    const versions = this.ground.versions.get(version.namespace) ?? new Map<number, Version>()
    this.ground.versions.set(version.namespace, versions)
    versions.set(version.version, version)
  }

  leaveOver(version: Version): void {
    this.keep(version)
    const { leftOvers } = this.ground
    leftOvers.set(version.namespace, new Set(leftOvers.get(version.namespace)).add(version.version))
  }

  dropLeftOvers(namespace: string): void {
    this.drop(namespace, [...(this.ground.leftOvers.get(namespace) ?? [])])
    this.ground.leftOvers.delete(namespace)
  }

  drop(namespace: string, versions: readonly number[]): void {
    for (const version of versions) {
      this.ground.versions.get(namespace)?.delete(version)
      this.#takenNumbers.delete(`${namespace} ${version}`)
    }
  }

  /** Only what became a head once. */
  versions(namespace: string): readonly Version[] {
    const newest = this.ground.records.get(namespace)
    const versions = [...(this.ground.versions.get(namespace)?.values() ?? [])]
    return newest === undefined ? [] : realVersions(versions, newest)
  }

  changedPresence(): void {
    for (const connection of this.connections) connection.tellPresence()
  }

  #write(version: Version, fingerprint: string | undefined): void {
    const { namespace, text, meta } = version
    const changedAt = this.revision + 1
    const record = { version: version.version, meta, deleted: text === undefined, bytes: dtabBytes(text) }
    const content = text === undefined ? {} : { content: encoder.encode(text) }
    this.keep(version)
    this.ground.records.set(namespace, record)
    if (fingerprint !== undefined && meta.idempotencyKey !== undefined)
      this.ground.keys.set(`${namespace} ${meta.idempotencyKey}`, {
        fingerprint,
        version: version.version,
        time: meta.time,
      })
    this.#change(namespace, { ...content, record, writtenAt: changedAt, changedAt })
  }

  #change(namespace: string, place: Place | undefined): void {
    this.revision++
    if (place === undefined) this.ground.places.delete(namespace)
    else this.ground.places.set(namespace, place)
    for (const connection of this.connections) connection.saw(this.sighting(namespace))
  }
}

export function unavailable(): NamingError {
  return new NamingError('store-unavailable', 'The fake backend is away.')
}

function summaryOf({ namespace, version, text, meta }: Version): VersionSummary {
  return { namespace, version, deleted: text === undefined, bytes: dtabBytes(text), meta }
}

export class Connection implements SharedBackend {
  readonly kind = 'fake'
  readonly #backend: FakeSharedBackend
  #follower: HeadFollower | undefined
  #presence: PresenceFollower | undefined
  #seen: HeadSighting[] = []
  #cancels = new Set<Cancel>()
  #expiry: Cancel | undefined

  constructor(backend: FakeSharedBackend) {
    this.#backend = backend
  }

  get maxDtabBytes(): number {
    return this.#backend.maxDtabBytes
  }

  get isFollowing(): boolean {
    return this.#follower !== undefined
  }

  readHead(namespace: string): Promise<StoredHead> {
    return this.#backend.answer('readHead', () => {
      const content = this.#backend.ground.places.get(namespace)?.content
      return { ...this.#backend.wholeSighting(namespace), ...(content && { content }) }
    })
  }

  readVersion(namespace: string, version: number): Promise<Version | undefined> {
    return this.#backend.answer('readVersion', () =>
      this.#backend.versions(namespace).find(found => found.version === version),
    )
  }

  readHistory(namespace: string, { before, limit }: HistoryQuery): Promise<readonly VersionSummary[]> {
    const isAsked = ({ version }: Version): boolean => before === undefined || version < before
    return this.#backend.answer('readHistory', () =>
      this.#backend.versions(namespace).filter(isAsked).slice(0, limit).map(summaryOf),
    )
  }

  readKey(namespace: string, key: string): Promise<KeyRecord | undefined> {
    return this.#backend.answer('readKey', () => this.#backend.ground.keys.get(`${namespace} ${key}`))
  }

  commit(commit: Commit): Promise<CommitOutcome> {
    return this.#backend.answer('commit', () => this.#backend.commit(commit))
  }

  putVersion(version: Version): Promise<void> {
    return this.#backend.answer('putVersion', () => {
      if (this.#backend.sighting(version.namespace).record !== undefined)
        throw new NamingError('dtab-exists', `'${version.namespace}' has a head.`)
      this.#backend.leaveOver(version)
    })
  }

  dropLeftOvers(namespace: string): Promise<void> {
    return this.#backend.answer('dropLeftOvers', () => this.#backend.dropLeftOvers(namespace))
  }

  dropVersions(namespace: string, versions: readonly number[]): Promise<void> {
    return this.#backend.answer('dropVersions', () => this.#backend.drop(namespace, versions))
  }

  dropKeys(before: number): Promise<void> {
    return this.#backend.answer('dropKeys', () => {
      for (const [key, { time }] of this.#backend.ground.keys) if (time < before) this.#backend.ground.keys.delete(key)
    })
  }

  followHeads(follower: HeadFollower): () => void {
    this.#follower = follower
    this.#later(() => (this.#backend.isDown ? this.breakWatch() : this.mendWatch(false)))
    return () => {
      if (this.#follower === follower) this.#follower = undefined
      this.#seen = []
    }
  }

  followPresence(follower: PresenceFollower): () => void {
    this.#presence = follower
    this.#later(() => this.tellPresence())
    return () => {
      if (this.#presence !== follower) return
      this.#presence = undefined
      this.#expiry?.()
      this.#expiry = undefined
    }
  }

  readonly claims: ClaimTable = {
    claim: claim =>
      this.#backend.answer('claim', () => {
        const key = `${claim.kind} ${claim.name}`
        const known = this.#backend.claims.get(key)
        const isOthers = known !== undefined && known.owner !== claim.owner && known.expiresAt > claim.now
        if (isOthers && !claim.force) return false
        this.#backend.claims.set(key, claim)
        this.#backend.changedPresence()
        return true
      }),
    unclaim: (kind, name, owner) =>
      this.#backend.answer('unclaim', () => {
        const key = `${kind} ${name}`
        if (this.#backend.claims.get(key)?.owner === owner) this.#backend.claims.delete(key)
        this.#backend.changedPresence()
      }),
  }

  async close(): Promise<void> {
    for (const cancel of this.#cancels) cancel()
    this.#backend.connections.delete(this)
  }

  saw(sighting: HeadSighting): void {
    if (this.#follower === undefined || this.#backend.isDown) return
    this.#seen.push(sighting)
    if (!this.#backend.isWatchHeld) this.#later(() => this.deliver(sightings => sightings))
  }

  deliver(order: (sightings: readonly HeadSighting[]) => readonly HeadSighting[]): void {
    const seen = this.#seen
    this.#seen = []
    if (seen.length > 0) this.#follower?.changed(order(seen))
  }

  breakWatch(): void {
    this.#seen = []
    this.#follower?.failed(unavailable(), this.#backend.clock.now() + 1_000)
  }

  mendWatch(isRewound: boolean): void {
    this.#seen = []
    const { ground, revision } = this.#backend
    const names = new Set([...ground.places.keys(), ...ground.records.keys()])
    const heads = [...names].map(namespace => this.#backend.wholeSighting(namespace))
    this.#follower?.reset(heads, revision, isRewound)
  }

  tellPresence(): void {
    const follower = this.#presence
    if (follower === undefined) return
    const { clock, claims } = this.#backend
    const rows = [...claims.values()].filter(row => row.kind === 'presence' && row.expiresAt > clock.now())
    follower.changed(rows.map(({ name, data, expiresAt }) => ({ id: name, data, expiresAt })))
    this.#expiry?.()
    this.#expiry = undefined
    const next = rows.reduce((soonest, row) => Math.min(soonest, row.expiresAt), Number.POSITIVE_INFINITY)
    if (rows.length > 0) this.#expiry = clock.after(next - clock.now(), () => this.tellPresence())
  }

  #later(work: () => void): void {
    const cancel = this.#backend.clock.defer(() => {
      this.#cancels.delete(cancel)
      work()
    })
    this.#cancels.add(cancel)
  }
}
