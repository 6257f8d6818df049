// What two blocking queries tell of all namespaces: their head records, and the names of their texts with the index of the
// last change of any text. Content of texts is not sent. Pure.
import type { ConsulAnswer } from '../../clients/consul/agent.ts'
import { ConsulError } from '../../clients/consul/consul-error.ts'
import type { KvEntry } from '../../clients/consul/kv.ts'
import { decodeEntries, decodeKeys } from '../../clients/consul/kv-json.ts'
import type { Clock } from '../../watch/clock.ts'
import { nextTurn } from '../../watch/pause.ts'
import type { HeadRecord } from '../shared/shared-backend.ts'
import { type Layout, namespaceIn } from './layout.ts'
import { headRecord } from './records.ts'

/** Decoded when it is looked at first. */
export class ListedHead {
  readonly index: number
  /** Until it was decoded. */
  #entry: KvEntry | undefined
  #record: HeadRecord | undefined

  constructor(entry: KvEntry) {
    this.index = entry.modifyIndex
    this.#entry = entry
  }

  /** A record that somebody has spoilt is as one that is not there: reading it says what is wrong. */
  get record(): HeadRecord | undefined {
    if (this.#entry !== undefined) this.#record = readableRecord(this.#entry)
    this.#entry = undefined
    return this.#record
  }
}

/** Undefined also for a record that cannot be read. */
export function readableRecord(entry: KvEntry | undefined): HeadRecord | undefined {
  return entry === undefined ? undefined : headRecord.read(entry.value)
}

/** Some milliseconds. */
const entriesPerTurn = 2000

export interface HeadList {
  readonly heads: ReadonlyMap<string, ListedHead>
  readonly index: number
}

export interface TextList {
  readonly names: ReadonlySet<string>
  readonly index: number
}

export const noHeads: HeadList = { heads: new Map(), index: 0 }
export const noTexts: TextList = { names: new Set(), index: 0 }

export interface KnownHeads {
  readonly layout: Layout
  readonly known: HeadList
  readonly clock: Pick<Clock, 'defer'>
}

/**
 * Takes several turns for a long list. Records that have not changed since `known` are not decoded again. Throws when the
 * token may not see all of them.
 */
export async function headListFrom(answer: ConsulAnswer, { layout, known, clock }: KnownHeads): Promise<HeadList> {
  const heads = new Map<string, ListedHead>()
  let looked = 0
  for (const entry of decodeEntries(unfiltered(answer))) {
    if (++looked % entriesPerTurn === 0) await nextTurn(clock)
    const namespace = namespaceIn(layout.heads, entry.key)
    if (namespace === undefined) continue
    const before = known.heads.get(namespace)
    heads.set(namespace, before?.index === entry.modifyIndex ? before : new ListedHead(entry))
  }
  return { heads, index: indexOf(answer.version) }
}

/** Keys that can be no namespace, and nested ones, are not ours. Throws as above. */
export function textListFrom(answer: ConsulAnswer, layout: Layout): TextList {
  const names = decodeKeys(unfiltered(answer)).flatMap(key => namespaceIn(layout.texts, key) ?? [])
  return { names: new Set(names), index: indexOf(answer.version) }
}

/** Consul leaves out what a token may not see, as if it were not there. */
export function unfiltered({ body, isFiltered }: ConsulAnswer): unknown {
  if (!isFiltered) return body
  const said = 'keys are left out for lack of rights'
  throw new ConsulError('status', `Consul answered, but ${said}`, { status: 403, said })
}

/** Whether Consul has gone back to an older state: an index that only grows has fallen. */
export function isOlder(list: HeadList, known: HeadList): boolean {
  if (list.index < known.index) return true
  for (const [namespace, { index }] of list.heads) if (index < (known.heads.get(namespace)?.index ?? 0)) return true
  return false
}

/** Of X-Consul-Index; 0 when it says none. */
export function indexOf(version: string): number {
  const index = Number(version)
  return Number.isSafeInteger(index) ? index : 0
}
