// What Idempotency-Keys have made, in etcd: found by namespace and key, and by the hour in which they were used so that old
// ones are found without looking through all. Knows no heads.
import type { EtcdCluster, Operation } from '../../clients/etcd/cluster.ts'
import { keyRecordCodec } from '../shared/record-codec.ts'
import type { Commit } from '../shared/shared-backend.ts'
import type { KeyRecord } from '../write-rules.ts'
import { type Layout, nameOfAnswer } from './layout.ts'
import { entryOf } from './results.ts'

/** Each drop writes two keys, and a transaction 128 at most. */
const dropsAtOnce = 60

/** What a commit writes of its key; nothing when it has none. */
export function answerOperations(layout: Layout, { version, fingerprint }: Commit): readonly Operation[] {
  const { idempotencyKey, time } = version.meta
  if (idempotencyKey === undefined || fingerprint === undefined) return []
  const name = nameOfAnswer(version.namespace, idempotencyKey)
  const value = keyRecordCodec.encode({ fingerprint, version: version.version, time })
  return [
    { kind: 'put', key: layout.answer(name), value },
    { kind: 'put', key: layout.answerInHour(time, name), value: Buffer.alloc(0) },
  ]
}

export async function readKey(
  cluster: EtcdCluster,
  layout: Layout,
  namespace: string,
  key: string,
): Promise<KeyRecord | undefined> {
  const { entries } = await cluster.range({ key: layout.answer(nameOfAnswer(namespace, key)) })
  const [entry] = entries
  return entry === undefined ? undefined : keyRecordCodec.decode(entry.value, entry.key)
}

/** Those of the hours before that of `before`; what is used again meanwhile stays for the next call. */
export async function dropKeys(cluster: EtcdCluster, layout: Layout, before: number): Promise<void> {
  for (;;) {
    const span = layout.answersBefore(before)
    const { entries, more } = await cluster.range({ ...span, keysOnly: true, limit: dropsAtOnce })
    if (entries.length === 0) return
    const isDropped = await drop(cluster, layout, { places: entries.map(({ key }) => key), before })
    if (!isDropped || !more) return
  }
}

/** False when one of them was used meanwhile. A key that was used again later has another place too, and stays. */
async function drop(
  cluster: EtcdCluster,
  layout: Layout,
  { places, before }: { readonly places: readonly string[]; readonly before: number },
): Promise<boolean> {
  const keys = places.map(place => layout.answer(layout.nameIn(place)))
  const read = await cluster.txn({ compare: [], success: keys.map(key => ({ kind: 'range' as const, key })) })
  const found = keys.map((_, place) => entryOf(read, place))
  const old = found.filter(entry => entry !== undefined && (keyRecordCodec.read(entry.value)?.time ?? 0) < before)
  const dropped = new Set([...places, ...old.flatMap(entry => entry?.key ?? [])])
  const { succeeded } = await cluster.txn({
    compare: old.flatMap(entry =>
      entry === undefined ? [] : [{ kind: 'modified-at' as const, key: entry.key, revision: entry.modRevision }],
    ),
    success: [...dropped].map(key => ({ kind: 'delete' as const, key })),
  })
  return succeeded
}
