// The store in one SQLite file, for one machine: writes through a worker thread, reads beside it, cells over both.
import { NamingError } from '../../naming/errors.ts'
import type { Env } from '../../runtime/env.ts'
import type { Cell } from '../../watch/cell.ts'
import { Claims, type ClaimTable } from '../claims.ts'
import { importedVersions } from '../imported-versions.ts'
import { LocalCells } from '../local-cells.ts'
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
import { createWriteMetrics, type MeasureWrite } from '../write-metrics.ts'
import { refuseText } from '../write-rules.ts'
import { type BusyWait, untilFree } from './busy-wait.ts'
import { ChangeWatch } from './change-watch.ts'
import { logLimitBytes } from './connection.ts'
import { importHistory } from './import-history.ts'
import { LogKeeper } from './log-keeper.ts'
import { OutsideRows } from './outside-rows.ts'
import { errorFromPlain } from './plain-error.ts'
import { Reader } from './reader.ts'
import { turnOfTheLoop } from './real-turn.ts'
import { isBusy } from './sqlite-error.ts'
import { createSqliteMetrics } from './sqlite-metrics.ts'
import { openWriteQueue, type WriteQueue } from './write-queue.ts'
import type { Operation, Outcome } from './writer.ts'

/** Bytes one dtab may have. */
export const maxSqliteDtabBytes = 16 * 1024 * 1024

/** How long a write, a read or the start waits for another process's lock, in ms. */
const defaultBusyLimitMs = 10_000

/** Above this many characters a text that was read is handed over in a turn of its own. */
const turnChars = 4 * 1024 * 1024

/** How often a write judges what another program has put in its way before it gives up. */
const maxSettlements = 10

/** Versions dropped in one transaction, so that no write waits long behind it. */
const forgottenAtOnce = 500

export interface SqliteStoreOptions {
  /** The database file; made, with its directories, when it is not there. */
  readonly path: string
  readonly busyLimitMs?: number
  /** The log is cut back once it is larger; logLimitBytes when absent. */
  readonly logBytes?: number
}

/** Rejects with a NamingError whose one line names the path, the reason and the cure. The caller closes the store. */
export async function openSqliteStore(options: SqliteStoreOptions, env: Env): Promise<Store> {
  const { path, busyLimitMs = defaultBusyLimitMs, logBytes = logLimitBytes } = options
  const { clock, random, log } = env
  const wait: BusyWait = { clock, random, limitMs: busyLimitMs }
  const metrics = createSqliteMetrics(env.metrics)
  let store: SqliteStore | undefined
  const queue = await openWriteQueue({
    path,
    wait,
    onCommit: outcomes => {
      metrics.committed()
      store?.committed(outcomes)
    },
    onBusy: () => metrics.waited(),
    onThreadLost: error => log.error({ err: error, path }, 'the database is opened again in a new thread'),
  })
  try {
    store = new SqliteStore({
      path,
      env,
      wait,
      queue,
      logKeeper: new LogKeeper({
        path,
        limitBytes: logBytes,
        clock,
        log,
        metrics: env.metrics,
        checkpoint: () => queue.checkpoint(),
      }),
      measureWrite: createWriteMetrics(env.metrics, clock),
      reader: new Reader(path),
    })
    return store
  } catch (error) {
    await queue.close()
    throw error
  }
}

interface Parts {
  readonly path: string
  readonly env: Env
  readonly wait: BusyWait
  readonly queue: WriteQueue
  readonly logKeeper: LogKeeper
  readonly measureWrite: MeasureWrite
  readonly reader: Reader
}

class SqliteStore implements Store {
  readonly kind = 'sqlite'
  readonly maxDtabBytes = maxSqliteDtabBytes
  readonly #parts: Parts
  readonly #cells: LocalCells
  readonly #changes: ChangeWatch
  readonly #claims: Claims
  readonly #outside: OutsideRows
  /** Refused texts, as read last. */
  #refused = 0
  #closing: Promise<void> | undefined

  constructor(parts: Parts) {
    this.#parts = parts
    const { env, reader } = parts
    const { kernel, clock } = env
    this.#cells = new LocalCells({
      kernel,
      clock,
      kind: this.kind,
      reads: {
        head: namespace => reader.head(namespace),
        summaries: () => reader.summaries(),
        presence: () => reader.presence(clock.now()),
        refusals: () => this.#readRefusals(),
      },
      onObserved: isObserved => this.#observed(isObserved),
    })
    this.#changes = new ChangeWatch({
      clock,
      reader,
      cells: this.#cells,
      onUnsettled: namespaces => this.#outside.ask(namespaces),
    })
    this.#outside = new OutsideRows({
      env,
      maxDtabBytes: this.maxDtabBytes,
      read: read => this.#read(read),
      refused: () => this.#refused,
      settle: async settlement => {
        const outcome = await this.#run({ kind: 'settle', settlement })
        return outcome.kind === 'settled' ? outcome.refused : undefined
      },
    })
    this.#claims = new Claims({
      kernel,
      clock,
      table: this.#claimTable(),
      onError: (error, what) => env.log.warn({ err: error, claim: what }, 'a claim could not be renewed'),
    })
  }

  head(namespace: string): Promise<Version | undefined> {
    return this.#readText(namespace, reader => reader.head(namespace))
  }

  version(namespace: string, version: number): Promise<Version | undefined> {
    return this.#readText(namespace, reader => reader.version(namespace, version))
  }

  history(namespace: string, query: HistoryQuery): Promise<readonly VersionSummary[]> {
    return this.#readSettled(namespace, reader => reader.history(namespace, query))
  }

  write(request: WriteRequest): Promise<WriteResult> {
    return this.#parts.measureWrite(() => this.#write(request))
  }

  recall(namespace: string, idempotency: Idempotency): Promise<WriteResult | undefined> {
    return this.#read(reader => reader.recall(namespace, idempotency, this.#parts.env.clock.now()))
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

  noticed(namespace: string, version: number): void {
    if (this.#cells.isBehind(namespace, version)) this.#changes.catchUp()
  }

  async forget(namespace: string, versions: readonly number[]): Promise<void> {
    for (let at = 0; at < versions.length; at += forgottenAtOnce)
      await this.#run({ kind: 'forget', namespace, versions: versions.slice(at, at + forgottenAtOnce) })
  }

  importHistory(namespace: string, versions: AsyncIterable<Version> | Iterable<Version>): Promise<Version> {
    const run = async (operation: Operation): Promise<void> => {
      await this.#runSettled(namespace, operation)
    }
    return importHistory(namespace, importedVersions(namespace, versions, this.maxDtabBytes), {
      put: part => run({ kind: 'import', part }),
      abandon: () => run({ kind: 'drop-import', namespace }),
      lease: (name, ttlMs) => this.lease(name, ttlMs),
    })
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

  close(): Promise<void> {
    this.#closing ??= this.#close()
    return this.#closing
  }

  /** Something of ours is on the disk: whoever watches sees it before the writer is answered. */
  committed(outcomes: readonly Outcome[]): void {
    this.#parts.logKeeper.written()
    this.#changes.committed(outcomes)
  }

  async #close(): Promise<void> {
    this.#outside.stop()
    this.#parts.logKeeper.stop()
    await this.#claims.close()
    await this.#parts.queue.close()
    this.#changes.stop()
    this.#parts.reader.close()
  }

  #readRefusals(): readonly RefusedText[] {
    const refusals = this.#parts.reader.refusals()
    this.#refused = refusals.length
    return refusals
  }

  #observed(isObserved: boolean): void {
    if (this.#closing !== undefined) return
    if (isObserved) this.#changes.start()
    else this.#changes.stop()
  }

  async #write(request: WriteRequest): Promise<WriteResult> {
    const refusal = refuseText(request, this.maxDtabBytes)
    if (refusal !== undefined) throw refusal
    const outcome = await this.#runSettled(request.namespace, { kind: 'write', request })
    if (outcome.kind !== 'written') throw new NamingError('internal', 'The write worker gave no version.')
    return outcome.result
  }

  /** Judges first what another program has put in place of the head. */
  async #runSettled(namespace: string, operation: Operation): Promise<Outcome> {
    for (let attempt = 0; attempt < maxSettlements; attempt++) {
      const outcome = await this.#run(operation)
      if (outcome.kind !== 'unsettled') return outcome
      await this.#outside.settle(namespace)
    }
    throw new NamingError('store-busy', `Another program keeps on writing to '${namespace}' in the database.`)
  }

  async #run(operation: Operation): Promise<Outcome> {
    const outcome = await this.#parts.queue.run(operation)
    if (outcome.kind === 'refused') throw errorFromPlain(outcome.error)
    return outcome
  }

  #claimTable(): ClaimTable {
    return {
      claim: async claim => {
        const outcome = await this.#run({ kind: 'claim', claim })
        this.#cells.changedPresence()
        return outcome.kind === 'done' && outcome.isTaken
      },
      unclaim: async (claimKind, name, owner) => {
        await this.#run({ kind: 'unclaim', claimKind, name, owner })
        this.#cells.changedPresence()
      },
    }
  }

  /** A very large text takes a good part of a turn to read: what is done with it belongs to the next turn. */
  async #readText(namespace: string, read: (reader: Reader) => Version | undefined): Promise<Version | undefined> {
    const version = await this.#readSettled(namespace, read)
    const isLarge = (version?.text?.length ?? 0) > turnChars
    if (isLarge) await turnOfTheLoop()
    return version
  }

  /** What another program has put in place of the head counts too, once it is judged. */
  async #readSettled<T>(namespace: string, read: (reader: Reader) => T): Promise<T> {
    const [value, isUnsettled] = await this.#read(reader => [read(reader), reader.isUnsettled(namespace)])
    if (!isUnsettled) return value
    try {
      await this.#outside.settle(namespace)
    } catch (error) {
      this.#outside.failed(namespace, error)
    }
    return this.#read(read)
  }

  #read<T>(read: (reader: Reader) => T): Promise<T> {
    const { path, wait, reader } = this.#parts
    return untilFree(path, wait, async () => {
      if (this.#closing !== undefined) throw new NamingError('store-unavailable', 'The store is closed.')
      try {
        return { value: read(reader) }
      } catch (error) {
        if (isBusy(error)) return undefined
        throw error
      }
    }).then(({ value }) => value)
  }
}
