// Which heads a commit of our own has made, where nothing of anybody else's stands between them and what was known before.
import type { Version } from '../store.ts'
import type { Outcome } from './writer.ts'

/** `sequence` is its place in the order of all heads. */
export interface NewHead {
  readonly head: Version
  readonly sequence: number
}

/**
 * In their order, one directly after the other, the first right after `sequence`. Undefined when there may be others: the
 * file must be read then.
 */
export function headsAfter(sequence: number, outcomes: readonly Outcome[]): readonly NewHead[] | undefined {
  const heads: NewHead[] = []
  for (const outcome of outcomes) {
    if (outcome.kind === 'refused' || outcome.kind === 'unsettled') continue
    if (outcome.kind !== 'written') return undefined
    if (outcome.sequence === undefined) continue
    if (outcome.sequence !== sequence + heads.length + 1) return undefined
    heads.push({ head: outcome.result.written, sequence: outcome.sequence })
  }
  return heads
}
