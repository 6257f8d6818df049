// Which versions of a namespace may go. Pure: knows no store and no clock.
import { z } from 'zod'
import type { VersionSummary } from './store.ts'

const dayMs = 24 * 60 * 60 * 1000

/** A version that an Idempotency-Key made stays this long, whatever the count: whoever repeats the write shall be told of it. */
export const keyedKeptMs = 5 * 60 * 1000

/** `storage.history` as it is written: what is absent takes the default of the kind of store. */
export const historyConfig = z.strictObject({
  /** How many versions of a namespace are kept, the present one among them; 0 keeps all. */
  maxVersions: z.int().min(0).max(1_000_000).optional(),
  /** How many days a version is kept after another has replaced it; 0 keeps it for ever. */
  maxAgeDays: z.number().min(0).max(36_500).optional(),
})

/** A limit that is absent does not apply. */
export interface RetentionRule {
  readonly maxVersions?: number
  readonly maxAgeMs?: number
}

/** The configuration over a store's own limit of versions; 0 lifts a limit. */
export function retentionRuleOf(
  { maxVersions, maxAgeDays = 0 }: z.output<typeof historyConfig>,
  defaultMaxVersions: number,
): RetentionRule {
  const versions = maxVersions ?? defaultMaxVersions
  return { ...(versions > 0 && { maxVersions: versions }), ...(maxAgeDays > 0 && { maxAgeMs: maxAgeDays * dayMs }) }
}

/** Whether there is anything to do at all. */
export function limitsAnything({ maxVersions, maxAgeMs }: RetentionRule): boolean {
  return maxVersions !== undefined || maxAgeMs !== undefined
}

/** What a judge says of one version. */
export interface Verdict {
  readonly goes: boolean
  /** When time alone may let it go, in ms since 1970; absent when it goes now or only further versions would push it out. */
  readonly dueAt?: number
}

/**
 * Judges the versions of one namespace, newest first, each once. The head stays. Age counts from when a version was replaced,
 * not from when it was written: the text that served for a year and was replaced yesterday is the one to go back to today.
 * Of a deleted namespace the newest text stays whatever the count, so that the namespace can be restored; its age counts too.
 */
export function createJudge(rule: RetentionRule, now: number): (version: VersionSummary) => Verdict {
  let rank = 0
  let replacedAt = now
  let isRestorable = false
  return version => {
    rank++
    const since = replacedAt
    replacedAt = version.meta.time
    if (rank === 1) {
      isRestorable = version.deleted
      return { goes: false }
    }
    const isLastText = isRestorable && !version.deleted
    if (isLastText) isRestorable = false
    return judge(version, { rule, now, rank, since, isLastText })
  }
}

interface Case {
  readonly rule: RetentionRule
  readonly now: number
  readonly rank: number
  /** When it was replaced. */
  readonly since: number
  readonly isLastText: boolean
}

function judge({ meta }: VersionSummary, { rule, now, rank, since, isLastText }: Case): Verdict {
  const { maxVersions = Number.POSITIVE_INFINITY, maxAgeMs } = rule
  const isBeyond = rank > maxVersions && !isLastText
  const keyedUntil = meta.idempotencyKey === undefined ? 0 : meta.time + keyedKeptMs
  const agedAt = maxAgeMs === undefined ? Number.POSITIVE_INFINITY : since + maxAgeMs
  const goesAt = Math.max(keyedUntil, isBeyond ? 0 : agedAt)
  if (goesAt <= now) return { goes: true }
  return Number.isFinite(goesAt) ? { goes: false, dueAt: goesAt } : { goes: false }
}
