// Picks what was asked for out of a transaction's results.
import type { EtcdEntry, TransactionAnswer } from '../../clients/etcd/cluster.ts'

/** The entry of the nth operation, which was a range of one key; undefined when the key is not there. */
export function entryOf({ results }: TransactionAnswer, index: number): EtcdEntry | undefined {
  const result = results[index]
  if (result?.kind === 'range') return result.entries[0]
  throw new Error(`etcd's answer has no range at place ${index}`)
}
