// The transactions of a store as Consul's operations. Pure.
import type { KvOperation } from '../../clients/consul/kv.ts'
import type { Commit, HeadRecord } from '../shared/shared-backend.ts'
import type { Version } from '../store.ts'
import { dtabBytes, type KeyRecord } from '../write-rules.ts'
import { keyName, type Layout } from './layout.ts'
import { headRecord, idempotencyRecord, versionRecord } from './records.ts'
import type { HeadIndexes } from './sighting.ts'

/** The steps of a commit, in two parts. */
export interface CommitSteps {
  /** They compare with what was there. */
  readonly head: readonly KvOperation[]
  /** If one of them is refused and none of the head's, the version exists already. */
  readonly others: readonly KvOperation[]
}

/** Text, head, version and key in one step, over a head that stands as `indexes`; `isAlone` drops every other version. */
export function commitSteps(
  layout: Layout,
  { over, version, fingerprint }: Commit,
  indexes: HeadIndexes,
  isAlone: boolean,
): CommitSteps {
  const { namespace, version: number, meta } = version
  const record = recordOf(version)
  const head: readonly KvOperation[] = [
    ...textSteps(layout.text(namespace), version, indexes.text, over.isOurs),
    { kind: 'cas', key: layout.head(namespace), value: headRecord.encode(record), index: indexes.head },
  ]
  const others: KvOperation[] = [
    ...(isAlone ? dropAllSteps(layout, namespace) : []),
    {
      kind: 'cas',
      key: layout.version(namespace, number),
      value: versionRecord.encode({ ...record, wasHead: true }),
      index: 0,
    },
  ]
  if (version.text !== undefined)
    others.push({ kind: 'set', key: layout.versionText(namespace, number), value: Buffer.from(version.text) })
  if (fingerprint !== undefined && meta.idempotencyKey !== undefined)
    others.push(
      ...keySteps(layout, keyName(namespace, meta.idempotencyKey), { fingerprint, version: number, time: meta.time }),
    )
  return { head, others }
}

/** The record, and its name among those of its hour, by which it is found when it has run out. */
function keySteps(layout: Layout, name: string, record: KeyRecord): readonly KvOperation[] {
  return [
    { kind: 'set', key: layout.key(name), value: idempotencyRecord.encode(record) },
    { kind: 'set', key: `${layout.hour(record.time)}${name}`, value: new Uint8Array() },
  ]
}

/**
 * The number in the flags makes a text that is written again a change, which moves its index with the head's. A text from
 * outside may have come with that number, out of an export: it is deleted first.
 */
function textSteps(key: string, { text, version }: Version, index: number, isOurs: boolean): readonly KvOperation[] {
  if (text === undefined) return [index === 0 ? { kind: 'check-absent', key } : { kind: 'delete-cas', key, index }]
  const value = Buffer.from(text)
  if (isOurs || index === 0) return [{ kind: 'cas', key, value, flags: version, index }]
  return [
    { kind: 'delete-cas', key, index },
    { kind: 'cas', key, value, flags: version, index: 0 },
  ]
}

/** An old version of a namespace without a head, over whatever stood under its number. */
export function versionSteps(layout: Layout, version: Version): readonly KvOperation[] {
  const { namespace, version: number, text } = version
  const textKey = layout.versionText(namespace, number)
  return [
    { kind: 'check-absent', key: layout.head(namespace) },
    { kind: 'set', key: layout.version(namespace, number), value: versionRecord.encode(recordOf(version)) },
    text === undefined ? { kind: 'delete', key: textKey } : { kind: 'set', key: textKey, value: Buffer.from(text) },
  ]
}

/** Everything that was put, as long as there is no head. */
export function dropLeftOverSteps(layout: Layout, namespace: string): readonly KvOperation[] {
  return [{ kind: 'check-absent', key: layout.head(namespace) }, ...dropAllSteps(layout, namespace)]
}

function dropAllSteps(layout: Layout, namespace: string): readonly KvOperation[] {
  return [
    { kind: 'delete-tree', key: layout.versions(namespace) },
    { kind: 'delete-tree', key: layout.versionTexts(namespace) },
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
