// Equal ids are one array.
import { expect, test } from 'vitest'
import { RecentIds } from '../../interpreters/recent-ids.ts'

test('an equal id is the array that was given first', () => {
  const ids = new RecentIds()
  const first = ids.shared(['#', 'fs', 'web'])
  expect(ids.shared(['#', 'fs', 'web'])).toBe(first)
  expect(ids.shared(['#', 'dns', 'web'])).toEqual(['#', 'dns', 'web'])
})

test('ids that are seen once are not kept for ever', () => {
  const ids = new RecentIds()
  const first = ids.shared(['first'])
  for (let i = 0; i < 10_000; i++) ids.shared([`id-${i}`])
  expect(ids.shared(['first'])).not.toBe(first)
})
