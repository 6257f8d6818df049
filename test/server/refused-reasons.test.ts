import { describe, expect, it } from 'vitest'
import { createRefusedReasons } from '../../server/refused-reasons.ts'
import type { RefusedText } from '../../storage/store.ts'
import { createKernel } from '../../watch/kernel.ts'
import { FakeClock } from '../fakes/clock.fake.ts'

const refused = (namespace: string): RefusedText => ({
  namespace,
  reason: "'=>' expected.",
  position: { offset: 9, line: 2, column: 4 },
  bytes: 12,
  since: 1_700_000_000_000,
})

describe('what /ready says of texts that are refused', () => {
  it('names namespace, place and reason, and not more than a few', () => {
    const clock = new FakeClock()
    const kernel = createKernel({ clock, onError: error => expect.unreachable(String(error)) })
    const cell = kernel.input<readonly RefusedText[]>('refusals')
    const reasons = createRefusedReasons({ refusals: () => cell })
    expect(reasons.reasons()).toEqual([])
    cell.set([refused('web')])
    expect(reasons.reasons()).toEqual([
      "the text of 'web' in the store is no dtab and is not served (line 2, column 4): '=>' expected.",
    ])
    cell.set(['a', 'b', 'c', 'd', 'e', 'f', 'g'].map(refused))
    expect(reasons.reasons()).toHaveLength(6)
    expect(reasons.reasons().at(-1)).toBe('and 2 more texts in the store that are no dtabs')
    reasons.close()
    expect(kernel.counts().watchers).toBe(0)
    kernel.close()
  })
})
