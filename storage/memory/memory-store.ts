// A store in this process's memory: for tests, trials and namerd's `io.l5d.inMemory`. Everything is gone at the end.
import { NamingError } from '../../naming/errors.ts'
import type { Cell, Kernel } from '../../watch/cell.ts'
import type { Clock } from '../../watch/clock.ts'
import { type Claim, Claims } from '../claims.ts'
import { hasVersions, importedVersions } from '../imported-versions.ts'
import { Listing } from '../listing.ts'
import { LocalCells, summaryOf } from '../local-cells.ts'
import type {
  HistoryQuery,
  Idempotency,
  Lease,
  NamespaceSummary,
  Presence,
  PresenceRecord,
  RefusedText,
  Store,
  Version,
  VersionSummary,
  WriteRequest,
  WriteResult,
} from '../store.ts'
import { dtabBytes, keyOutlivedVersion, nextVersion, recallKey, refuseHead, refuseText } from '../write-rules.ts'
import { Shelf } from './shelf.ts'

/** Bytes one dtab may have. */
export const maxMemoryDtabBytes = 16 * 1024 * 1024

export interface MemoryStoreOptions {
  readonly kernel: Kernel
  readonly clock: Clock
  /** The name in /state; `memory` when absent. */
  readonly kind?: string
  readonly maxDtabBytes?: number
  /** Namespaces to begin with, name to dtab text; each becomes version 1. */
  readonly namespaces?: Readonly<Record<string, string>>
  readonly onError?: (error: unknown, what: string) => void
}

/** A store that lives as long as the process. Texts in `namespaces` are taken as they are: check them before. */
export function createMemoryStore(options: MemoryStoreOptions): Store {
  return new MemoryStore(options)
}

class MemoryStore implements Store {
  readonly kind: string
  readonly maxDtabBytes: number
  readonly #clock: Clock
  readonly #shelves = new Map<string, Shelf>()
  readonly #listing = new Listing()
  readonly #rows = new Map<string, Claim>()
  readonly #cells: LocalCells
  readonly #claims: Claims
  #isClosed = false

  constructor(options: MemoryStoreOptions) {
    const { kernel, clock, namespaces = {}, onError = () => {} } = options
    this.kind = options.kind ?? 'memory'
    this.maxDtabBytes = options.maxDtabBytes ?? maxMemoryDtabBytes
    this.#clock = clock
    this.#cells = new LocalCells({
      kernel,
      clock,
      kind: this.kind,
      reads: {
        head: namespace => this.#headOf(namespace),
        summaries: () => this.#listing.sorted,
        presence: () => this.#presenceRecords(),
        refusals: () => [],
      },
    })
    const table = {
      claim: async (claim: Claim) => this.#claim(claim),
      unclaim: async (kind: Claim['kind'], name: string, owner: string) => this.#unclaim(kind, name, owner),
    }
    this.#claims = new Claims({ kernel, clock, table, onError })
    for (const [namespace, text] of Object.entries(namespaces)) this.#commit(initialWrite(namespace, text))
  }

  async head(namespace: string): Promise<Version | undefined> {
    return this.#headOf(namespace)
  }

  async version(namespace: string, version: number): Promise<Version | undefined> {
    return this.#shelves.get(namespace)?.version(version)
  }

  async history(namespace: string, query: HistoryQuery): Promise<readonly VersionSummary[]> {
    return (this.#shelves.get(namespace)?.page(query) ?? []).map(withoutText)
  }

  async write(request: WriteRequest): Promise<WriteResult> {
    this.#assertOpen()
    const refusal = refuseText(request, this.maxDtabBytes)
    if (refusal !== undefined) throw refusal
    const { namespace, idempotency } = request
    const recalled = idempotency === undefined ? undefined : this.#recall(namespace, idempotency)
    return recalled ?? this.#commit(request)
  }

  async recall(namespace: string, idempotency: Idempotency): Promise<WriteResult | undefined> {
    return this.#recall(namespace, idempotency)
  }

  observe(namespace: string): Cell<Version | undefined> {
    return this.#cells.head(namespace)
  }

  list(): Cell<readonly NamespaceSummary[]> {
    return this.#cells.list
  }

  refusals(): Cell<readonly RefusedText[]> {
    return this.#cells.refusals
  }

  /** What others have noticed here was told at once. */
  noticed(): void {}

  async forget(namespace: string, versions: readonly number[]): Promise<void> {
    this.#shelves.get(namespace)?.drop(new Set(versions))
  }

  async importHistory(namespace: string, versions: AsyncIterable<Version> | Iterable<Version>): Promise<Version> {
    const imported: Version[] = []
    for await (const version of importedVersions(namespace, versions, this.maxDtabBytes)) imported.push(version)
    this.#assertOpen()
    const present = this.#headOf(namespace)
    if (present !== undefined) throw hasVersions(namespace, present.version)
    const shelf = new Shelf(imported)
    const { head } = shelf
    if (head === undefined) throw new NamingError('internal', 'An import without versions was let through.')
    this.#shelves.set(namespace, shelf)
    this.#changedHead(head)
    return head
  }

  lease(name: string, ttlMs: number): Promise<Lease | undefined> {
    return this.#claims.lease(name, ttlMs)
  }

  announce(id: string, data: string, ttlMs: number): Promise<Presence> {
    return this.#claims.announce(id, data, ttlMs)
  }

  presence(): Cell<readonly PresenceRecord[]> {
    return this.#cells.presence
  }

  async close(): Promise<void> {
    this.#isClosed = true
    await this.#claims.close()
  }

  #headOf(namespace: string): Version | undefined {
    return this.#shelves.get(namespace)?.head
  }

  #assertOpen(): void {
    if (this.#isClosed) throw new NamingError('store-unavailable', 'The store is closed.')
  }

  #recall(namespace: string, idempotency: Idempotency): WriteResult | undefined {
    const shelf = this.#shelves.get(namespace)
    if (shelf === undefined) return undefined
    const version = recallKey(namespace, idempotency, shelf.key(idempotency.key), this.#clock.now())
    if (version instanceof NamingError) throw version
    if (version === undefined) return undefined
    const written = shelf.version(version)
    if (written === undefined) throw keyOutlivedVersion(namespace, idempotency, version)
    const replaced = shelf.version(written.meta.parent)
    return { written, ...(replaced && { replaced }), repeated: true }
  }

  #commit(request: WriteRequest): WriteResult {
    const { namespace, idempotency } = request
    const now = this.#clock.now()
    const head = this.#headOf(namespace)
    const refusal = refuseHead(request, head)
    if (refusal !== undefined) throw refusal
    const written = nextVersion(request, head, now)
    const shelf = this.#shelves.get(namespace) ?? new Shelf()
    this.#shelves.set(namespace, shelf)
    shelf.add(written)
    if (idempotency !== undefined) shelf.rememberKey(idempotency, written.version, now)
    this.#changedHead(written)
    return { written, ...(head && { replaced: head }), repeated: false }
  }

  #changedHead(head: Version): void {
    this.#listing.put([summaryOf(head)])
    this.#cells.changedHeads([head.namespace])
  }

  #presenceRecords(): readonly PresenceRecord[] {
    const now = this.#clock.now()
    return [...this.#rows.values()]
      .filter(row => row.kind === 'presence' && row.expiresAt > now)
      .map(row => ({ id: row.name, data: row.data, expiresAt: row.expiresAt }))
      .sort((a, b) => (a.id < b.id ? -1 : 1))
  }

  #claim(claim: Claim): boolean {
    const key = rowKey(claim.kind, claim.name)
    const row = this.#rows.get(key)
    const isOthers = row !== undefined && row.owner !== claim.owner && row.expiresAt > claim.now
    if (isOthers && !claim.force) return false
    this.#rows.set(key, claim)
    if (claim.kind === 'presence') this.#cells.changedPresence()
    return true
  }

  #unclaim(kind: Claim['kind'], name: string, owner: string): void {
    const key = rowKey(kind, name)
    if (this.#rows.get(key)?.owner !== owner) return
    this.#rows.delete(key)
    if (kind === 'presence') this.#cells.changedPresence()
  }
}

const rowKey = (kind: Claim['kind'], name: string): string => `${kind} ${name}`

function withoutText({ namespace, version, text, meta }: Version): VersionSummary {
  return { namespace, version, deleted: text === undefined, bytes: dtabBytes(text), meta }
}

function initialWrite(namespace: string, text: string): WriteRequest {
  const message = 'from the configuration'
  return { namespace, text, expect: { kind: 'anything' }, author: 'configuration', verified: false, message }
}
