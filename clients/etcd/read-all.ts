// A whole range at one revision, page by page, so that no answer is large and no turn of the event loop long.

import type { Calls } from './calls.ts'
import type { EtcdEntry, EtcdMoment, FollowedRange, RangeQuery } from './cluster.ts'
import { rangeMethod } from './etcd-method.ts'

const pageEntries = 1000

/** Rejects with an EtcdError; `compacted` when the range is so large, or etcd so busy, that the revision went meanwhile. */
export async function readAll(
  calls: Calls,
  { key, end, keysOnlyFrom = end }: FollowedRange,
): Promise<{ readonly entries: readonly EtcdEntry[]; readonly at: EtcdMoment }> {
  const entries: EtcdEntry[] = []
  let at: EtcdMoment | undefined
  for (const part of [
    { key, end: keysOnlyFrom },
    { key: keysOnlyFrom, end, keysOnly: true },
  ]) {
    if (part.key < part.end) at = await readPart(calls, part, entries, at)
  }
  if (at === undefined) throw new Error(`an empty range, from ${key} to ${end}`)
  return { entries, at }
}

/** Adds to `into` what stands there at the moment, or now. */
async function readPart(
  calls: Calls,
  part: RangeQuery,
  into: EtcdEntry[],
  at: EtcdMoment | undefined,
): Promise<EtcdMoment> {
  let moment = at
  for (let key = part.key; ; ) {
    const pinned = moment === undefined ? {} : { revision: moment.revision }
    const page = await calls.call(rangeMethod, { ...part, key, limit: pageEntries, ...pinned })
    moment ??= page.at
    into.push(...page.entries)
    const last = page.entries.at(-1)
    if (!page.more || last === undefined) return moment
    key = `${last.key}\0`
  }
}
