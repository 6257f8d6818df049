// Old versions in etcd. Knows no heads beyond how far they have come.
import type { EtcdCluster, EtcdEntry, Operation, RangeQuery } from '../../clients/etcd/cluster.ts'
import { NamingError } from '../../naming/errors.ts'
import { hasHead } from '../imported-versions.ts'
import { headRecordCodec, textFromBytes } from '../shared/record-codec.ts'
import type { HeadRecord } from '../shared/shared-backend.ts'
import type { HistoryQuery, Version, VersionSummary } from '../store.ts'
import type { Layout } from './layout.ts'
import { entryOf } from './results.ts'
import { nothing, withRecord } from './stored-head.ts'
import { archiveOperations, importedRecord, isImported } from './version-record.ts'

/** Half of what one transaction may hold, for each drop writes two keys. */
const dropsAtOnce = 50
/** Versions looked through at first for each that is wanted; four times as many in each round after that. */
const firstWindow = 2
const windowGrowth = 4

/** A version above the head's never became one. */
export async function readVersion(
  cluster: EtcdCluster,
  layout: Layout,
  namespace: string,
  version: number,
): Promise<Version | undefined> {
  const answer = await cluster.txn({
    compare: [],
    success: [
      { kind: 'range', key: layout.head(namespace) },
      { kind: 'range', key: layout.change(namespace, version) },
      { kind: 'range', key: layout.archived(namespace, version) },
    ],
  })
  const change = entryOf(answer, 1)
  if (change === undefined) return undefined
  const head = withRecord(nothing, entryOf(answer, 0)).record ?? (await findLostRecord(cluster, layout, namespace))
  if (head === undefined || head.version < version) return undefined
  const { meta, deleted } = headRecordCodec.decode(change.value, change.key)
  if (deleted) return { namespace, version, meta }
  const text = entryOf(answer, 2)
  if (text === undefined)
    throw new NamingError('store-corrupt', `The text of version ${version} of '${namespace}' was removed from etcd.`)
  return { namespace, version, text: textFromBytes(text.value), meta }
}

/** Newest first. Versions are nearly without gaps, so a window of numbers is read, and a wider one where many are gone. */
export async function readHistory(
  cluster: EtcdCluster,
  layout: Layout,
  namespace: string,
  { before = Number.MAX_SAFE_INTEGER, limit }: HistoryQuery,
): Promise<readonly VersionSummary[]> {
  const { entries } = await cluster.range({ key: layout.head(namespace) })
  const head = withRecord(nothing, entries[0]).record ?? (await findLostRecord(cluster, layout, namespace))
  const found: VersionSummary[] = []
  let end = Math.min(before, (head?.version ?? 0) + 1)
  for (let window = limit * firstWindow; end > 1 && found.length < limit; window *= windowGrowth) {
    const from = Math.max(1, end - window)
    const span = { key: layout.change(namespace, from), end: layout.change(namespace, end) }
    const page = await cluster.range(span)
    found.push(...page.entries.map(entry => summaryOf(namespace, entry)).reverse())
    end = from
  }
  return found.slice(0, limit)
}

/** The record of the last head of a namespace whose head record is gone; undefined when it never had one. */
export async function findLostRecord(
  cluster: EtcdCluster,
  layout: Layout,
  namespace: string,
): Promise<HeadRecord | undefined> {
  const { entries } = await cluster.range(newestChange(layout, namespace))
  return recordOfLost(entries[0])
}

/** Asks for the newest version of a namespace; costly where there are many. */
export function newestChange(layout: Layout, namespace: string): RangeQuery {
  const span = { key: layout.change(namespace, 0), end: layout.change(namespace, Number.MAX_SAFE_INTEGER) }
  return { ...span, limit: 1, order: 'last-key-first' }
}

/** What the newest version says of the head; nothing when it never became one. */
export function recordOfLost(newest: EtcdEntry | undefined): HeadRecord | undefined {
  return newest === undefined || isImported(newest.value) ? undefined : headRecordCodec.read(newest.value)
}

/** Rejects with dtab-exists when the namespace has a head. */
export async function putVersion(cluster: EtcdCluster, layout: Layout, version: Version): Promise<void> {
  const { namespace } = version
  const { succeeded } = await cluster.txn({
    compare: [{ kind: 'modified-at', key: layout.head(namespace), revision: 0 }],
    success: archiveOperations(layout, version, importedRecord(version)),
  })
  if (!succeeded) throw hasHead(namespace)
}

/** Whether a namespace without a head record never had a head: then all versions that stand there are left over from imports. */
export async function neverWas(cluster: EtcdCluster, layout: Layout, namespace: string): Promise<boolean> {
  const { entries } = await cluster.range(newestChange(layout, namespace))
  return entries[0] === undefined || isImported(entries[0].value)
}

/** Drops every version but this one; etcd takes no deletion of what the same transaction writes. */
export function dropOthers(layout: Layout, namespace: string, version: number): readonly Operation[] {
  return [...dropSpan(layout, namespace, 0, version), ...dropSpan(layout, namespace, version + 1)]
}

/** Up to but not with `end`. */
function dropSpan(
  layout: Layout,
  namespace: string,
  from: number,
  end = Number.MAX_SAFE_INTEGER,
): readonly Operation[] {
  return [
    { kind: 'delete', key: layout.change(namespace, from), end: layout.change(namespace, end) },
    { kind: 'delete', key: layout.archived(namespace, from), end: layout.archived(namespace, end) },
  ]
}

/** As SharedBackend.dropLeftOvers: once there is a head there are none, for its commit has dropped them or made them count. */
export async function dropLeftOvers(cluster: EtcdCluster, layout: Layout, namespace: string): Promise<void> {
  if (!(await neverWas(cluster, layout, namespace))) return
  await cluster.txn({
    compare: [{ kind: 'modified-at', key: layout.head(namespace), revision: 0 }],
    success: dropSpan(layout, namespace, 0),
  })
}

export async function dropVersions(
  cluster: EtcdCluster,
  layout: Layout,
  namespace: string,
  versions: readonly number[],
): Promise<void> {
  for (let done = 0; done < versions.length; done += dropsAtOnce) {
    const dropped = versions.slice(done, done + dropsAtOnce)
    await cluster.txn({
      compare: [],
      success: dropped.flatMap(version => [
        { kind: 'delete' as const, key: layout.change(namespace, version) },
        { kind: 'delete' as const, key: layout.archived(namespace, version) },
      ]),
    })
  }
}

function summaryOf(namespace: string, { key, value }: EtcdEntry): VersionSummary {
  const { version, deleted, bytes, meta } = headRecordCodec.decode(value, key)
  return { namespace, version, deleted, bytes, meta }
}
