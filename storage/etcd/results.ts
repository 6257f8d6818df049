// Picks what was asked for out of a transaction's results.
import type { EtcdEntry, TransactionAnswer } from '../../clients/etcd/cluster.ts'

/** The entries of the nth operation, which was a range. */
export function entriesOf({ results }: TransactionAnswer, index: number): readonly EtcdEntry[] {
  const result = results[index]
  if (result?.kind === 'range') return result.entries
  throw new Error(`etcd's answer has no range at place ${index}`)
}

/** The one entry of the nth operation, which was a range of one key; undefined when the key is not there. */
export function entryOf(answer: TransactionAnswer, index: number): EtcdEntry | undefined {
  return entriesOf(answer, index)[0]
}
