// Reads how namespaces stand: text and head record of each at one moment. Knows nothing of who wants to know.
import { type ConsulKv, type KvEntry, maxKvOperations } from '../../clients/consul/kv.ts'
import type { HeadRecord, HeadSighting, StoredHead } from '../shared/shared-backend.ts'
import { readableRecord } from './head-lists.ts'
import type { Layout } from './layout.ts'
import { headRecord } from './records.ts'
import { indexesOf, isOurs, sightingOf } from './sighting.ts'

/** So many namespaces are read at once: their texts are sent along, and may be large. */
const namespacesAtOnce = 16

type KeyReads = Pick<ConsulKv, 'read' | 'compare' | 'lastIndex'>

export class SightingReader {
  readonly #kv: KeyReads
  readonly #layout: Layout

  constructor(kv: KeyReads, layout: Layout) {
    this.#kv = kv
    this.#layout = layout
  }

  /** Throws store-corrupt when the record cannot be read. */
  async head(namespace: string): Promise<StoredHead> {
    const keys = [this.#layout.text(namespace), this.#layout.head(namespace)]
    const [text, head] = await this.#kv.read(keys)
    if (isOurs(indexesOf(text, head), recordOf(head)) && head !== undefined) return storedHead(namespace, text, head, 0)
    const readAfter = (await this.#kv.lastIndex(this.#layout.never)) ?? 0
    const [textNow, headNow] = await this.#kv.read(keys)
    return storedHead(namespace, textNow, headNow, readAfter)
  }

  /** Of each; a record that cannot be read counts as none. `readAfter` is an index of Consul's that is known already. */
  async sightings(namespaces: readonly string[], readAfter: number): Promise<readonly HeadSighting[]> {
    const found: HeadSighting[] = []
    for (const batch of batchesOf(namespaces, namespacesAtOnce)) {
      const keys = batch.flatMap(namespace => [this.#layout.text(namespace), this.#layout.head(namespace)])
      const entries = await this.#kv.read(keys)
      for (const [place, namespace] of batch.entries()) {
        const [text, head] = [entries[2 * place], entries[2 * place + 1]]
        found.push(sightingOf(namespace, indexesOf(text, head), readableRecord(head), readAfter))
      }
    }
    return found
  }

  /** The namespaces whose text has not the expected index. */
  async differing(expected: ReadonlyMap<string, number>): Promise<readonly string[]> {
    const differing: string[] = []
    for (const batch of batchesOf([...expected], maxKvOperations)) {
      const places = await this.#kv.compare(
        batch.map(([namespace, index]) => ({ key: this.#layout.text(namespace), index })),
      )
      for (const [place, [namespace]] of batch.entries()) if (places.has(place)) differing.push(namespace)
    }
    return differing
  }

  /** Rejects when the token may not read both folders: Consul shows such folders as empty ones. */
  async checkRights(): Promise<void> {
    await this.#kv.read([this.#layout.texts, this.#layout.heads])
  }
}

function storedHead(
  namespace: string,
  text: KvEntry | undefined,
  head: KvEntry | undefined,
  readAfter: number,
): StoredHead {
  const sighting = sightingOf(namespace, indexesOf(text, head), recordOf(head), readAfter)
  return { ...sighting, ...(text !== undefined && { content: text.value }) }
}

function recordOf(head: KvEntry | undefined): HeadRecord | undefined {
  return head === undefined ? undefined : headRecord.decode(head.value, head.key)
}

function batchesOf<T>(items: readonly T[], size: number): readonly (readonly T[])[] {
  return Array.from({ length: Math.ceil(items.length / size) }, (_, n) => items.slice(n * size, (n + 1) * size))
}
