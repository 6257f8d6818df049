// The transactions of a store as Consul's operations. Pure.
import type { KvOperation } from '../../clients/consul/kv.ts'
import type { Commit, HeadRecord } from '../shared/shared-backend.ts'
import type { Version } from '../store.ts'
import { dtabBytes, type KeyRecord } from '../write-rules.ts'
import { keyName, type Layout } from './layout.ts'
import { headRecord, idempotencyRecord, versionRecord } from './records.ts'
import type { HeadIndexes } from './sighting.ts'

/** The places of the operations that compare with what was there. Any other that is refused is the version that exists already. */
export const headSteps: readonly number[] = [0, 1]

/** Text, head, version and key in one step, over a head that stands as `over`. */
export function commitSteps(
  layout: Layout,
  { version, fingerprint }: Commit,
  over: HeadIndexes,
): readonly KvOperation[] {
  const { namespace, version: number, meta } = version
  const record = recordOf(version)
  const steps: KvOperation[] = [
    textStep(layout.text(namespace), version, over.text),
    { kind: 'cas', key: layout.head(namespace), value: headRecord.encode(record), index: over.head },
    {
      kind: 'cas',
      key: layout.version(namespace, number),
      value: versionRecord.encode({ ...record, wasHead: true }),
      index: 0,
    },
  ]
  if (version.text !== undefined)
    steps.push({ kind: 'set', key: layout.versionText(namespace, number), value: Buffer.from(version.text) })
  if (fingerprint !== undefined && meta.idempotencyKey !== undefined)
    steps.push(
      ...keySteps(layout, keyName(namespace, meta.idempotencyKey), { fingerprint, version: number, time: meta.time }),
    )
  return steps
}

/** The record, and its name among those of its hour, by which it is found when it has run out. */
function keySteps(layout: Layout, name: string, record: KeyRecord): readonly KvOperation[] {
  return [
    { kind: 'set', key: layout.key(name), value: idempotencyRecord.encode(record) },
    { kind: 'set', key: `${layout.hour(record.time)}${name}`, value: new Uint8Array() },
  ]
}

/** The number in the flags makes a text that is written again a change, which moves its index with the head's. */
function textStep(key: string, { text, version }: Version, index: number): KvOperation {
  if (text !== undefined) return { kind: 'cas', key, value: Buffer.from(text), flags: version, index }
  return index === 0 ? { kind: 'check-absent', key } : { kind: 'delete-cas', key, index }
}

/** An old version, over whatever stood under its number. */
export function versionSteps(layout: Layout, version: Version): readonly KvOperation[] {
  const { namespace, version: number, text } = version
  const textKey = layout.versionText(namespace, number)
  return [
    { kind: 'set', key: layout.version(namespace, number), value: versionRecord.encode(recordOf(version)) },
    text === undefined ? { kind: 'delete', key: textKey } : { kind: 'set', key: textKey, value: Buffer.from(text) },
  ]
}

export function dropSteps(layout: Layout, namespace: string, versions: readonly number[]): readonly KvOperation[] {
  return versions.flatMap((version): KvOperation[] => [
    { kind: 'delete', key: layout.version(namespace, version) },
    { kind: 'delete', key: layout.versionText(namespace, version) },
  ])
}

export function recordOf({ version, text, meta }: Version): HeadRecord {
  return { version, deleted: text === undefined, bytes: dtabBytes(text), meta }
}
