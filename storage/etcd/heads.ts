// Heads in etcd: read, committed, followed. Knows nothing of old versions beyond writing the newest one's copy.
import type { EtcdCluster, EtcdEntry, Operation, Timed, TransactionAnswer } from '../../clients/etcd/cluster.ts'
import type { Commit, CommitOutcome, StoredHead } from '../shared/shared-backend.ts'
import type { Version } from '../store.ts'
import { answerOperations } from './answers.ts'
import type { Layout } from './layout.ts'
import { entryOf } from './results.ts'
import { digestOf, nothing, revisionsFromToken, sightingFromKeys, withRecord, withText } from './stored-head.ts'
import { archiveOperations, markedRecord, recordOf } from './version-record.ts'
import { findLostRecord } from './versions.ts'

/** A record that somebody has removed is made good from the newest version. */
export async function readHead(cluster: EtcdCluster, layout: Layout, namespace: string): Promise<StoredHead> {
  const answer = await cluster.txn({
    compare: [],
    success: [
      { kind: 'range', key: layout.text(namespace) },
      { kind: 'range', key: layout.head(namespace) },
    ],
  })
  const text = entryOf(answer, 0)
  const keys = withText(withRecord(nothing, entryOf(answer, 1)), text)
  const sighting = sightingFromKeys(namespace, keys, answer.at.revision)
  const content = text === undefined ? {} : { content: text.value }
  const lost = keys.record === undefined ? await findLostRecord(cluster, layout, namespace) : undefined
  if (lost === undefined) return { ...sighting, ...content }
  return { ...sighting, ...content, record: lost, isOurs: lost.deleted && text === undefined }
}

/** One transaction; sent twice, it finds its own record and knows it. */
export async function commitHead(cluster: EtcdCluster, layout: Layout, commit: Commit): Promise<CommitOutcome> {
  const { over, version } = commit
  const { namespace } = version
  const known = revisionsFromToken(over.token)
  if (known === undefined) return { kind: 'moved' }
  const [text, head] = [layout.text(namespace), layout.head(namespace)]
  const change = layout.change(namespace, version.version)
  const record = markedRecord(version)
  const answer = await cluster.txn({
    compare: [
      { kind: 'modified-at', key: text, revision: known.text },
      { kind: 'modified-at', key: head, revision: known.head },
      { kind: 'modified-at', key: change, revision: 0 },
    ],
    success: [
      { kind: 'put', key: head, value: record },
      textOperation(text, version),
      ...answerOperations(layout, commit),
      ...archiveOperations(layout, version, record),
    ],
    failure: [
      { kind: 'range', key: text, keysOnly: true },
      { kind: 'range', key: head, keysOnly: true },
      { kind: 'range', key: change },
    ],
  })
  if (answer.succeeded) return written(version, record, answer.at.revision)
  return judge(answer, { known, version, record })
}

function textOperation(key: string, { text }: Version): Operation {
  return text === undefined ? { kind: 'delete', key } : { kind: 'put', key, value: Buffer.from(text) }
}

function judge(
  answer: Timed<TransactionAnswer>,
  sent: {
    readonly known: { readonly text: number; readonly head: number }
    readonly version: Version
    readonly record: Buffer
  },
): CommitOutcome {
  const [text, head, change] = [0, 1, 2].map(place => entryOf(answer, place))
  if (change?.value.equals(sent.record)) return written(sent.version, sent.record, change.modRevision)
  const isMoved = revisionOf(text) !== sent.known.text || revisionOf(head) !== sent.known.head
  return { kind: isMoved || change === undefined ? 'moved' : 'taken' }
}

function written(version: Version, record: Buffer, revision: number): CommitOutcome {
  const { namespace, text } = version
  const textRevision = text === undefined ? 0 : revision
  const keys = { textRevision, headRevision: revision, record: recordOf(version), digest: digestOf(record) }
  return { kind: 'written', sighting: sightingFromKeys(namespace, keys, revision) }
}

function revisionOf(entry: EtcdEntry | undefined): number {
  return entry?.modRevision ?? 0
}
