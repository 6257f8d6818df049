import { describe, expect, it } from 'vitest'
import {
  createJudge,
  historyConfig,
  keyedKeptMs,
  type RetentionRule,
  retentionRuleOf,
} from '../../storage/retention-rule.ts'
import type { VersionSummary } from '../../storage/store.ts'

const day = 24 * 60 * 60 * 1000
const now = 1_000 * day

/** Newest first: the number, its age in days, and what it is. */
type Row = readonly [version: number, days: number, what?: 'deleted' | 'keyed']

function history(rows: readonly Row[]): VersionSummary[] {
  return rows.map(([version, days, what]) => ({
    namespace: 'ns',
    version,
    deleted: what === 'deleted',
    bytes: 1,
    meta: {
      author: 'ann',
      verified: false,
      message: '',
      time: now - days * day,
      parent: version - 1,
      ...(what === 'keyed' && { idempotencyKey: 'k' }),
    },
  }))
}

function goneOf(rule: RetentionRule, rows: readonly Row[]): number[] {
  const judge = createJudge(rule, now)
  return history(rows).flatMap(version => (judge(version).goes ? [version.version] : []))
}

describe('what retention lets go', () => {
  it('keeps the newest so many versions, by rank and not by number', () => {
    const rows: readonly Row[] = [
      [20, 0],
      [17, 1],
      [9, 2],
      [8, 3],
      [2, 4],
    ]
    expect(goneOf({ maxVersions: 3 }, rows)).toEqual([8, 2])
    expect(goneOf({ maxVersions: 1 }, rows)).toEqual([17, 9, 8, 2])
    expect(goneOf({}, rows)).toEqual([])
  })

  it('counts age from when a version was replaced, so that what served until yesterday is there to go back to', () => {
    const rows: readonly Row[] = [
      [5, 1],
      [4, 400],
      [3, 500],
    ]
    expect(goneOf({ maxAgeMs: 30 * day }, rows)).toEqual([3])
  })

  it('never lets the head go, however old', () => {
    expect(goneOf({ maxVersions: 1, maxAgeMs: day }, [[5, 900]])).toEqual([])
    expect(
      goneOf({ maxVersions: 1, maxAgeMs: day }, [
        [5, 900, 'deleted'],
        [4, 901, 'deleted'],
      ]),
    ).toEqual([4])
  })

  it('keeps the text that a deleted namespace would be restored to, whatever the count', () => {
    const rows: readonly Row[] = [
      [9, 5, 'deleted'],
      [8, 6],
      [7, 7],
    ]
    expect(goneOf({ maxVersions: 1 }, rows)).toEqual([7])
    const older: readonly Row[] = [
      [9, 5, 'deleted'],
      [8, 6, 'deleted'],
      [7, 7],
      [6, 8],
    ]
    expect(goneOf({ maxVersions: 1 }, older)).toEqual([8, 6])
  })

  it('lets that text go by age, counted from the deletion', () => {
    const rows: readonly Row[] = [
      [9, 20, 'deleted'],
      [8, 300],
    ]
    expect(goneOf({ maxAgeMs: 21 * day }, rows)).toEqual([])
    expect(goneOf({ maxAgeMs: 19 * day }, rows)).toEqual([8])
  })

  it('keeps what an Idempotency-Key made for as long as a client may repeat the write', () => {
    const minutes = 1 / (24 * 60)
    const rows: readonly Row[] = [
      [5, 0],
      [4, minutes, 'keyed'],
      [3, 6 * minutes, 'keyed'],
      [2, minutes],
    ]
    expect(goneOf({ maxVersions: 1 }, rows)).toEqual([3, 2])
    const judge = createJudge({ maxVersions: 1 }, now)
    const [, keyed] = history(rows).map(judge)
    expect(keyed).toEqual({ goes: false, dueAt: now - day * minutes + keyedKeptMs })
  })

  it('says when time alone will let a version go', () => {
    const judge = createJudge({ maxVersions: 10, maxAgeMs: 30 * day }, now)
    expect(
      history([
        [2, 10],
        [1, 50],
      ]).map(judge),
    ).toEqual([{ goes: false }, { goes: false, dueAt: now + 20 * day }])
  })
})

describe('storage.history', () => {
  it.each([
    [{}, { maxVersions: 100 }],
    [{ maxVersions: 7 }, { maxVersions: 7 }],
    [{ maxVersions: 0 }, {}],
    [{ maxAgeDays: 2 }, { maxVersions: 100, maxAgeMs: 2 * day }],
    [{ maxVersions: 0, maxAgeDays: 0 }, {}],
  ])('of %j over a default of 100 versions is %j', (config, rule) =>
    expect(retentionRuleOf(historyConfig.parse(config), 100)).toEqual(rule),
  )

  it.each([{ maxVersions: -1 }, { maxVersions: 1.5 }, { maxAgeDays: -1 }, { days: 1 }])('refuses %j', config =>
    expect(historyConfig.safeParse(config).success).toBe(false),
  )
})
