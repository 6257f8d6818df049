// What idempotency keys have made, and how those that have run out are found: by the hour in which they were first used.
import { type ConsulKv, type KvOperation, maxKvOperations } from '../../clients/consul/kv.ts'
import type { KeyRecord } from '../write-rules.ts'
import { hourIn, hourOf, keyName, type Layout } from './layout.ts'
import { idempotencyRecord } from './records.ts'

type KeyCalls = Pick<ConsulKv, 'read' | 'keys' | 'transact'>

export class IdempotencyKeys {
  readonly #kv: KeyCalls
  readonly #layout: Layout

  constructor(kv: KeyCalls, layout: Layout) {
    this.#kv = kv
    this.#layout = layout
  }

  async read(namespace: string, key: string): Promise<KeyRecord | undefined> {
    const [entry] = await this.#kv.read([this.#layout.key(keyName(namespace, key))])
    return entry === undefined ? undefined : idempotencyRecord.decode(entry.value, entry.key)
  }

  /** Those of the hours before the one of `before`, in ms since 1970. */
  async drop(before: number): Promise<void> {
    const folders = await this.#kv.keys(this.#layout.hours, { folded: true })
    const isOld = (folder: string): boolean =>
      (hourIn(this.#layout, folder) ?? Number.POSITIVE_INFINITY) < hourOf(before)
    for (const folder of folders.filter(isOld)) {
      const names = (await this.#kv.keys(folder)).map(key => key.slice(folder.length))
      for (let from = 0; from < names.length; from += maxKvOperations)
        await this.#dropNamed(names.slice(from, from + maxKvOperations), before)
      await this.#kv.transact([{ kind: 'delete-tree', key: folder }])
    }
  }

  /** A key that was used again since then stays; one that somebody has spoilt holds nobody back. */
  async #dropNamed(names: readonly string[], before: number): Promise<void> {
    const entries = await this.#kv.read(names.map(name => this.#layout.key(name)))
    const steps = entries.flatMap((entry): KvOperation[] =>
      entry !== undefined && (idempotencyRecord.read(entry.value)?.time ?? 0) < before
        ? [{ kind: 'delete-cas', key: entry.key, index: entry.modifyIndex }]
        : [],
    )
    if (steps.length > 0) await this.#kv.transact(steps)
  }
}
