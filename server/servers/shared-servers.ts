// The servers of one store as this one knows them: presence says who there is, streams say what each goes by.
import type { AppliedReport, DialPeer, Disagreement, ServerState, Servers, ToldVersions } from '../../api/servers.ts'
import type { Env } from '../../runtime/env.ts'
import type { PresenceRecord, Store } from '../../storage/store.ts'
import type { Cell, Input } from '../../watch/cell.ts'
import { ok, type Stale, type State } from '../../watch/state.ts'
import { waitUntilApplied } from './applied.ts'
import { Differences, type Member } from './differences.ts'
import { OwnVersions } from './own-versions.ts'
import { Peer } from './peer.ts'
import { parseRecord, type ServerRecord } from './server-record.ts'

export interface SharedServersOptions extends Env {
  readonly store: Pick<Store, 'presence' | 'list' | 'noticed'>
  readonly dial: DialPeer
  readonly self: { readonly id: string; readonly version: string; readonly startedAt: number }
}

/** Servers that are followed at most; each follows each. */
const maxPeers = 64

/** Opens nothing before `start`, and knows only itself until `follow`; whoever makes it closes it. */
export class SharedServers implements Servers {
  readonly selfId: string
  readonly own = new OwnVersions()
  readonly #options: SharedServersOptions
  readonly #peers = new Map<string, Peer>()
  readonly #differences: Differences
  /** Counts the changes of everything that the cells show. */
  readonly #revision: Input<number>
  readonly #alarmRevision: Input<number>
  readonly #list: Cell<readonly ServerState[]>
  readonly #disagreements: Cell<readonly Disagreement[]>
  readonly #watches: (() => void)[] = []
  #address: string | undefined
  /** Who has a record in the store. */
  #recorded: ReadonlySet<string> = new Set()
  /** Since when and why the store does not say who is present. */
  #blind: Stale | undefined
  #members: readonly Member[] = []
  #changes = 0
  #hasTooMany = false
  #ownStreams: () => number | undefined = () => undefined

  constructor(options: SharedServersOptions) {
    const { kernel, clock, log, store, self } = options
    this.#options = options
    this.selfId = self.id
    this.#blind = { since: self.startedAt, reason: new Error('the store has not been asked yet who is present') }
    this.#revision = kernel.input('servers heard', { initial: 0 })
    this.#alarmRevision = kernel.input('servers alarmed', { initial: 0 })
    this.#differences = new Differences({
      clock,
      log,
      members: () => this.#members,
      self: { id: self.id, of: namespace => this.own.of(namespace) },
      onBehind: (namespace, version) => store.noticed(namespace, version),
      onAlarms: () => this.#alarmRevision.set(++this.#changes),
    })
    this.#list = kernel.derive('servers', read => {
      read(this.#revision)
      return ok(this.states(), this.#blind)
    })
    this.#disagreements = kernel.derive('disagreements of servers', read => {
      read(this.#alarmRevision)
      return ok(this.#differences.alarmed())
    })
  }

  get told(): ToldVersions {
    return this.own
  }

  streams(): number | undefined {
    return this.#ownStreams()
  }

  /** From now on this is asked for what `streams` says. */
  countStreams(count: () => number | undefined): void {
    this.#ownStreams = count
  }

  list(): Cell<readonly ServerState[]> {
    return this.#list
  }

  newest(namespace: string): number {
    return this.#members.reduce((most, member) => Math.max(most, member.of(namespace)), this.own.of(namespace))
  }

  disagreements(): Cell<readonly Disagreement[]> {
    return this.#disagreements
  }

  whenApplied(wanted: Parameters<Servers['whenApplied']>[0]): Promise<AppliedReport> {
    this.#differences.expect(wanted.namespace, wanted.version)
    return waitUntilApplied(wanted, {
      clock: this.#options.clock,
      changes: this.#revision,
      states: () => (wanted.scope === 'all' ? this.states() : [this.#selfState()]),
      isEveryoneKnown: () => wanted.scope !== 'all' || this.#blind === undefined,
    })
  }

  /** Begins to go by the store's listing. */
  start(): void {
    this.#watches.push(this.own.watch(changed => this.#heardOwn(changed)))
    this.#watches.push(
      this.#options.store.list().watch(state => {
        if (state.kind === 'ok') this.own.takeListing(state.value)
      }),
    )
  }

  /** Begins to follow whoever is present; `address` is where they reach this server. */
  follow(address: string | undefined): void {
    this.#address = address
    this.#watches.push(this.#options.store.presence().watch(state => this.#takePresence(state)))
  }

  /** Everyone as of now, sorted by id. */
  states(): readonly ServerState[] {
    const all = [this.#selfState(), ...[...this.#peers.values()].map(peer => peer.state())]
    return all.sort((a, b) => (a.id < b.id ? -1 : 1))
  }

  counts(): { readonly present: number; readonly silent: number; readonly differing: number } {
    const peers = [...this.#peers.values()]
    return {
      present: peers.length + 1,
      silent: peers.filter(peer => !peer.replies).length,
      differing: this.#differences.alarms,
    }
  }

  /** Namespaces that servers differ about for too long. */
  alarmed(): readonly Disagreement[] {
    return this.#differences.alarmed()
  }

  close(): void {
    for (const unwatch of this.#watches.splice(0)) unwatch()
    for (const peer of this.#peers.values()) peer.close()
    this.#peers.clear()
    this.#differences.close()
  }

  #selfState(): ServerState {
    const { self } = this.#options
    const streams = this.streams()
    return {
      id: self.id,
      isSelf: true,
      ...(this.#address !== undefined && { address: this.#address }),
      version: self.version,
      startedAt: self.startedAt,
      replies: true,
      since: self.startedAt,
      dtabs: this.own.versions,
      ...(streams !== undefined && { streams }),
    }
  }

  #takePresence(state: State<readonly PresenceRecord[]>): void {
    const since = this.#blind?.since ?? this.#options.clock.now()
    if (state.kind === 'ok') this.#blind = state.stale
    else this.#blind = { since, reason: state.kind === 'failed' ? state.error : new Error('it has not answered yet') }
    if (state.kind === 'ok') this.#meet(state.value)
    else this.#revision.set(++this.#changes)
  }

  #meet(records: readonly PresenceRecord[]): void {
    const present = new Map<string, ServerRecord>()
    for (const record of records) {
      const server = record.id === this.selfId ? undefined : parseRecord(record)
      if (server !== undefined) present.set(server.id, server)
    }
    this.#recorded = new Set(present.keys())
    for (const [id, peer] of [...this.#peers]) {
      const record = present.get(id)
      if (record === undefined ? !peer.replies : !isSame(record, peer.record)) this.#forget(peer)
    }
    for (const record of present.values()) if (!this.#peers.has(record.id)) this.#add(record)
    this.#warnOfMany()
    this.#compareAll()
  }

  /**
   * Who is cut off from the store loses its record there and serves on, by rules that grow old: it counts for as long as it
   * replies.
   */
  #changedReplies(peer: Peer): void {
    if (!peer.replies && !this.#recorded.has(peer.record.id)) this.#forget(peer)
    this.#compareAll()
  }

  #forget(peer: Peer): void {
    peer.close()
    this.#peers.delete(peer.record.id)
  }

  #add(record: ServerRecord): void {
    const { dial, clock, random, log } = this.#options
    const peer: Peer = new Peer(
      record,
      {
        dial,
        clock,
        random,
        log,
        startedAt: id => (id === this.selfId ? this.#options.self.startedAt : this.#peers.get(id)?.record.startedAt),
        onVersions: namespaces => this.#heard(namespaces),
        onReplies: () => this.#changedReplies(peer),
        onError: () => this.#revision.set(++this.#changes),
      },
      this.#whyNotFollow(record),
    )
    this.#peers.set(record.id, peer)
  }

  #whyNotFollow({ address, startedAt }: ServerRecord): string | undefined {
    if (address !== undefined && address === this.#address)
      return startedAt <= this.#options.self.startedAt
        ? 'it is gone: this server has its address now'
        : 'it names the address of this server as its own; is server.advertise right in both?'
    return this.#peers.size >= maxPeers ? `it is not asked: more than ${maxPeers} others are present` : undefined
  }

  #warnOfMany(): void {
    const hasTooMany = this.#peers.size > maxPeers
    if (hasTooMany && !this.#hasTooMany)
      this.#options.log.warn({ present: this.#peers.size, followed: maxPeers }, 'too many servers on one store')
    this.#hasTooMany = hasTooMany
  }

  #heardOwn(changed: Iterable<string>): void {
    if (this.#members.some(({ id }) => id === this.selfId)) this.#heard(changed)
    else this.#compareAll()
  }

  #heard(namespaces: Iterable<string>): void {
    this.#differences.note(namespaces)
    this.#revision.set(++this.#changes)
  }

  /** Who replies, or who there is, has changed. */
  #compareAll(): void {
    const replying = [...this.#peers.values()].filter(peer => peer.replies)
    const self = { id: this.selfId, of: (namespace: string): number => this.own.of(namespace) }
    this.#members = [
      ...(this.own.isWhole() ? [self] : []),
      ...replying.map(peer => ({ id: peer.record.id, of: (namespace: string): number => peer.of(namespace) })),
    ]
    const all = new Set(this.own.namespaces())
    for (const peer of replying) for (const namespace of peer.namespaces()) all.add(namespace)
    this.#differences.noteMembers(all)
    this.#revision.set(++this.#changes)
    this.#alarmRevision.set(++this.#changes)
  }
}

function isSame(a: ServerRecord, b: ServerRecord): boolean {
  return a.address === b.address && a.version === b.version && a.startedAt === b.startedAt
}
