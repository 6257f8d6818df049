// Heads in etcd: read, committed, followed. Knows nothing of old versions beyond writing the newest one's copy.
import type { EtcdCluster, EtcdEntry, Operation, Timed, TransactionAnswer } from '../../clients/etcd/cluster.ts'
import type { Commit, CommitOutcome, StoredHead } from '../shared/shared-backend.ts'
import type { Version } from '../store.ts'
import { answerOperations } from './answers.ts'
import type { Layout } from './layout.ts'
import { entryOf } from './results.ts'
import { digestOf, nothing, revisionsFromToken, sightingFromKeys, withRecord, withText } from './stored-head.ts'
import { archiveOperations, markedRecord, recordOf } from './version-record.ts'
import { dropOthers, findLostRecord, neverWas, newestChange, recordOfLost } from './versions.ts'

/** A record that somebody has removed is made good from the newest version, which is looked for only when there is none. */
export async function readHead(cluster: EtcdCluster, layout: Layout, namespace: string): Promise<StoredHead> {
  const [text, head] = [layout.text(namespace), layout.head(namespace)]
  const readText: Operation = { kind: 'range', key: text }
  const answer = await cluster.txn({
    compare: [{ kind: 'modified-at', key: head, revision: 0 }],
    success: [readText, { kind: 'range', ...newestChange(layout, namespace) }],
    failure: [readText, { kind: 'range', key: head }],
  })
  const [content, other] = [entryOf(answer, 0), entryOf(answer, 1)]
  const keys = withText(withRecord(nothing, answer.succeeded ? undefined : other), content)
  const stored = {
    ...sightingFromKeys(namespace, keys, answer.at.revision),
    ...(content && { content: content.value }),
  }
  if (keys.record !== undefined) return stored
  const lost = answer.succeeded ? recordOfLost(other) : await findLostRecord(cluster, layout, namespace)
  return lost === undefined ? stored : { ...stored, record: lost, isOurs: lost.deleted && content === undefined }
}

/** One transaction; sent twice, it finds its own record and knows it. The first commit of a namespace looks for left-overs before. */
export async function commitHead(cluster: EtcdCluster, layout: Layout, commit: Commit): Promise<CommitOutcome> {
  const { over, version } = commit
  const { namespace } = version
  const known = revisionsFromToken(over.token)
  if (known === undefined) return { kind: 'moved' }
  const [text, head] = [layout.text(namespace), layout.head(namespace)]
  const change = layout.change(namespace, version.version)
  const record = markedRecord(version)
  const isFirst = over.record === undefined && known.head === 0 && commit.endsImport !== true
  const isAlone = isFirst && (await neverWas(cluster, layout, namespace))
  const answer = await cluster.txn({
    compare: [
      { kind: 'modified-at', key: text, revision: known.text },
      { kind: 'modified-at', key: head, revision: known.head },
      ...(isAlone ? [] : [{ kind: 'modified-at' as const, key: change, revision: 0 }]),
    ],
    success: [
      ...(isAlone ? dropOthers(layout, namespace, version.version) : []),
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
