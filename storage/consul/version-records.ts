// The old versions of a namespace. Only those that were its head are told of: what an import that was cut off has left is none.
import { type ConsulKv, maxKvOperations } from '../../clients/consul/kv.ts'
import type { HeadRecord } from '../shared-backend.ts'
import type { HistoryQuery, Version, VersionSummary } from '../store.ts'
import { type Layout, versionIn } from './layout.ts'
import { headRecord, textOf } from './records.ts'

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
    if (head === undefined || found === undefined) return undefined
    const record = headRecord.decode(found.value, found.key)
    const newest = headRecord.decode(head.value, head.key).version
    const later = next === undefined ? undefined : headRecord.decode(next.value, next.key)
    if (!(await this.#wasHead(namespace, version, newest, later))) return undefined
    if (record.deleted) return { namespace, version, meta: record.meta }
    return text === undefined ? undefined : { namespace, version, text: textOf(text.value), meta: record.meta }
  }

  /** A head's record names the head before it, so a number that was passed over was none. */
  async #wasHead(namespace: string, version: number, newest: number, later: HeadRecord | undefined): Promise<boolean> {
    if (version >= newest) return version === newest
    if (later !== undefined && later.version <= newest) return later.meta.parent === version
    const above = (await this.#numbers(namespace)).filter(number => number > version && number <= newest)
    const [nearest] = await this.#records(namespace, above.slice(0, 1))
    return nearest === undefined || nearest.meta.parent >= version
  }

  async history(namespace: string, { before, limit }: HistoryQuery): Promise<readonly VersionSummary[]> {
    const [head] = await this.#kv.read([this.#layout.head(namespace)])
    if (head === undefined) return []
    let highest = headRecord.decode(head.value, head.key).version
    if (before !== undefined && before <= highest) {
      const [edge] = await this.#records(namespace, [before])
      highest = edge?.meta.parent ?? before - 1
    }
    const numbers = (await this.#numbers(namespace)).reverse()
    const page: VersionSummary[] = []
    for (let next = 0; page.length < limit; ) {
      next = numbers.findIndex((number, place) => place >= next && number <= highest)
      if (next < 0) break
      const batch = numbers.slice(next, next + Math.min(maxKvOperations, limit - page.length))
      for (const { version, deleted, bytes, meta } of await this.#records(namespace, batch)) {
        if (version > highest) continue
        page.push({ namespace, version, deleted, bytes, meta })
        highest = meta.parent
      }
      next += batch.length
    }
    return page
  }

  /** In the order of the numbers, without those that are not there. */
  async #records(namespace: string, numbers: readonly number[]): Promise<readonly HeadRecord[]> {
    const entries = await this.#kv.read(numbers.map(number => this.#layout.version(namespace, number)))
    return entries.flatMap(entry => (entry === undefined ? [] : headRecord.decode(entry.value, entry.key)))
  }

  /** Rising. */
  async #numbers(namespace: string): Promise<number[]> {
    const prefix = this.#layout.versions(namespace)
    return (await this.#kv.keys(prefix)).flatMap(key => versionIn(prefix, key) ?? [])
  }
}
