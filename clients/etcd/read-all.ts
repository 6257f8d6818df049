// A whole range at one revision, page by page, so that no answer is large and no turn of the event loop long.

import type { Calls } from './calls.ts'
import type { EtcdEntry, EtcdMoment, FollowedRange, RangeQuery } from './cluster.ts'
import { rangeMethod } from './etcd-method.ts'

const pageEntries = 1000

export interface ReadAllOptions {
  readonly onPage: (entries: readonly EtcdEntry[]) => void
  /** For each page; the usual time of a call when absent. */
  readonly withinMs?: number
}

/** Gives the moment that was read. Rejects with an EtcdError; `compacted` when its revision went before the last page came. */
export async function readAll(
  calls: Calls,
  { key, end, keysOnlyFrom = end }: FollowedRange,
  options: ReadAllOptions,
): Promise<EtcdMoment> {
  let at: EtcdMoment | undefined
  for (const part of [
    { key, end: keysOnlyFrom },
    { key: keysOnlyFrom, end, keysOnly: true },
  ]) {
    if (part.key < part.end) at = await readPart(calls, part, options, at)
  }
  if (at === undefined) throw new Error(`an empty range, from ${key} to ${end}`)
  return at
}

/** What stands there at the moment, or now. */
async function readPart(
  calls: Calls,
  part: RangeQuery,
  { onPage, withinMs }: ReadAllOptions,
  at: EtcdMoment | undefined,
): Promise<EtcdMoment> {
  let moment = at
  for (let key = part.key; ; ) {
    const pinned = moment === undefined ? {} : { revision: moment.revision }
    const page = await calls.call(rangeMethod, { ...part, key, limit: pageEntries, ...pinned }, withinMs)
    moment ??= page.at
    onPage(page.entries)
    const last = page.entries.at(-1)
    if (!page.more || last === undefined) return moment
    key = `${last.key}\0`
  }
}
