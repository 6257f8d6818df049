// The old versions of a namespace. Only those that were its head are told of: what an import that was cut off has left is none.
import { type ConsulKv, maxKvOperations } from '../../clients/consul/kv.ts'
import { textFromBytes } from '../shared/record-codec.ts'
import type { HistoryQuery, Version, VersionSummary } from '../store.ts'
import { type Layout, versionIn } from './layout.ts'
import { headRecord, type VersionRecord, versionRecord } from './records.ts'

export class VersionRecords {
  readonly #kv: ConsulKv
  readonly #layout: Layout

  constructor(kv: ConsulKv, layout: Layout) {
    this.#kv = kv
    this.#layout = layout
  }

  async version(namespace: string, version: number): Promise<Version | undefined> {
    const layout = this.#layout
    const [head, text, found, next] = await this.#kv.read([
      layout.head(namespace),
      layout.versionText(namespace, version),
      layout.version(namespace, version),
      layout.version(namespace, version + 1),
    ])
    if (found === undefined) return undefined
    const record = versionRecord.decode(found.value, found.key)
    if (record.wasHead !== true) {
      if (head === undefined) return undefined
      const newest = headRecord.decode(head.value, head.key).version
      const later = next === undefined ? undefined : versionRecord.decode(next.value, next.key)
      if (!(await this.#isLinked(namespace, version, newest, later))) return undefined
    }
    if (record.deleted) return { namespace, version, meta: record.meta }
    return text === undefined ? undefined : { namespace, version, text: textFromBytes(text.value), meta: record.meta }
  }

  /** Each version names the one before it: a number that was passed over is of an import that was cut off. */
  async #isLinked(
    namespace: string,
    version: number,
    newest: number,
    later: VersionRecord | undefined,
  ): Promise<boolean> {
    if (version >= newest) return version === newest
    if (later !== undefined && later.version <= newest) return later.meta.parent === version
    const above = (await this.#numbers(namespace)).filter(number => number > version && number <= newest)
    const [nearest] = await this.#records(namespace, above.slice(0, 1))
    return nearest === undefined || nearest.meta.parent >= version
  }

  async history(namespace: string, { before, limit }: HistoryQuery): Promise<readonly VersionSummary[]> {
    const [head] = await this.#kv.read([this.#layout.head(namespace)])
    if (head === undefined) return []
    const newest = headRecord.decode(head.value, head.key).version
    const below = Math.min(before ?? Number.POSITIVE_INFINITY, newest + 1)
    const [edge] = below <= newest ? await this.#records(namespace, [below]) : []
    let linked = edge?.meta.parent ?? below - 1
    const numbers = (await this.#numbers(namespace)).reverse().filter(number => number < below)
    const page: VersionSummary[] = []
    for (let from = 0; from < numbers.length && page.length < limit; ) {
      const batch = numbers.slice(from, from + Math.min(maxKvOperations, limit - page.length))
      from += batch.length
      for (const { version, deleted, bytes, meta, wasHead } of await this.#records(namespace, batch)) {
        if (wasHead !== true && version > linked) continue
        page.push({ namespace, version, deleted, bytes, meta })
        linked = meta.parent
      }
    }
    return page
  }

  /** Whether no version of it was written with a head: then all there are were put by imports. */
  async neverWas(namespace: string): Promise<boolean> {
    const numbers = await this.#numbers(namespace)
    for (let from = 0; from < numbers.length; from += maxKvOperations) {
      const records = await this.#records(namespace, numbers.slice(from, from + maxKvOperations))
      if (records.some(({ wasHead }) => wasHead === true)) return false
    }
    return true
  }

  /** In the order of the numbers, without those that are not there. */
  async #records(namespace: string, numbers: readonly number[]): Promise<readonly VersionRecord[]> {
    const entries = await this.#kv.read(numbers.map(number => this.#layout.version(namespace, number)))
    return entries.flatMap(entry => (entry === undefined ? [] : versionRecord.decode(entry.value, entry.key)))
  }

  /** Rising. */
  async #numbers(namespace: string): Promise<number[]> {
    const prefix = this.#layout.versions(namespace)
    return (await this.#kv.keys(prefix)).flatMap(key => versionIn(prefix, key) ?? [])
  }
}
