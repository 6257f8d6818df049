// A namespace brought in with its past: old versions first, and all of it becomes visible with the last, in one commit.

import { NamingError } from '../../naming/errors.ts'
import { ImportLease } from '../import-lease.ts'
import { hasVersions, importedVersions } from '../imported-versions.ts'
import { sameVersion } from '../same-heads.ts'
import type { Store, Version } from '../store.ts'
import type { SettledHead, SettledHeads } from './settled-heads.ts'
import type { SharedBackend } from './shared-backend.ts'

export interface HistoryImportOptions {
  readonly backend: SharedBackend
  readonly settled: SettledHeads
  readonly lease: Store['lease']
  /** Told of what was begun and could not be taken back: nobody sees it, and the next write or import drops it. */
  readonly onLeftOver: (error: unknown) => void
}

/** Versions that are written at one time: so many texts are held. */
const putAtOnce = 8

/** As Store.importHistory. Call it in line for the namespace only. */
export async function importHistory(
  namespace: string,
  versions: AsyncIterable<Version> | Iterable<Version>,
  options: HistoryImportOptions,
): Promise<Version> {
  const lease = new ImportLease(namespace, options.lease)
  try {
    return await new HistoryImport(namespace, lease, options).run(versions)
  } finally {
    await lease.release().catch(options.onLeftOver)
  }
}

class HistoryImport {
  readonly #namespace: string
  readonly #lease: ImportLease
  readonly #options: HistoryImportOptions
  /** Versions were put, or nobody knows whether. */
  #hasPut = false
  /** Its commit was sent. */
  #sent: Version | undefined

  constructor(namespace: string, lease: ImportLease, options: HistoryImportOptions) {
    this.#namespace = namespace
    this.#lease = lease
    this.#options = options
  }

  async run(versions: AsyncIterable<Version> | Iterable<Version>): Promise<Version> {
    const { backend, settled } = this.#options
    const over = await settled.settle(this.#namespace)
    if (over.head !== undefined) throw hasVersions(this.#namespace, over.head.version)
    try {
      const last = await this.#putAllButLast(importedVersions(this.#namespace, versions, backend.maxDtabBytes))
      await this.#commit(last, over)
      return last
    } catch (error) {
      const written = await this.#afterFailure(NamingError.from(error)).catch(this.#options.onLeftOver)
      if (written !== undefined) return written
      throw error
    }
  }

  async #putAllButLast(versions: AsyncIterable<Version>): Promise<Version> {
    let last: Version | undefined
    let waiting: Version[] = []
    for await (const version of versions) {
      if (last !== undefined) waiting.push(last)
      last = version
      if (waiting.length < putAtOnce) continue
      await this.#putAll(waiting)
      waiting = []
    }
    if (last === undefined) throw new NamingError('internal', 'An import that was checked held no version.')
    await this.#putAll(waiting)
    return last
  }

  /** Settles once none is under way any more, so that what was written can be dropped again. */
  async #putAll(versions: readonly Version[]): Promise<void> {
    if (versions.length === 0) return
    await this.#lease.hold()
    const { backend } = this.#options
    // What an import that was cut off has left would count with what this one brings.
    if (!this.#hasPut) await backend.dropLeftOvers(this.#namespace)
    this.#hasPut = true
    const outcomes = await Promise.allSettled(versions.map(version => backend.putVersion(version)))
    const failed = outcomes.find(outcome => outcome.status === 'rejected')
    if (failed !== undefined) throw failed.reason
  }

  async #commit(version: Version, { over }: SettledHead): Promise<void> {
    const { backend, settled } = this.#options
    if (this.#hasPut) await this.#lease.hold()
    const commit = { over, version, endsImport: this.#hasPut }
    this.#sent = version
    let outcome = await settled.commit(commit)
    if (outcome.kind === 'taken') {
      // By a write that was cut off.
      await this.#lease.hold()
      await backend.dropVersions(this.#namespace, [version.version])
      outcome = await settled.commit(commit)
    }
    if (outcome.kind === 'written') return
    this.#sent = undefined
    const { head } = await settled.settle(this.#namespace)
    throw hasVersions(this.#namespace, head?.version ?? version.version)
  }

  /**
   * Takes back what was put, unless it counts or may still come to count: a commit whose answer was lost may have been made.
   * Then it gives the version that was written.
   */
  async #afterFailure({ code }: NamingError): Promise<Version | undefined> {
    const { backend, settled } = this.#options
    if (this.#sent !== undefined && code === 'store-unavailable') {
      const { head } = await settled.settle(this.#namespace)
      if (head === undefined || head.version < this.#sent.version) return undefined
      const found = await backend.readVersion(this.#namespace, this.#sent.version)
      return sameVersion(found, this.#sent) ? this.#sent : undefined
    }
    // Without the lease another may be at it, and write over what is left.
    if (this.#hasPut && this.#lease.isHeld) await backend.dropLeftOvers(this.#namespace)
    return undefined
  }
}
