// When a head is ours, and which of two sightings is the older one.
import { describe, expect, it } from 'vitest'
import { indexesIn, sightingOf } from '../../../storage/consul/sighting.ts'
import type { HeadRecord } from '../../../storage/shared/shared-backend.ts'

const meta = { author: 'ann', verified: false, message: '', time: 1, parent: 0 }
const live: HeadRecord = { version: 1, deleted: false, bytes: 3, meta }
const deleted: HeadRecord = { version: 2, deleted: true, bytes: 0, meta }

describe('a sighting of a head in Consul', () => {
  it.each([
    ['both written at once', 5, 5, live, true],
    ['a text written later', 7, 5, live, false],
    ['a record written later', 5, 7, live, false],
    ['a text that is gone', 0, 5, live, false],
    ['a tombstone', 0, 5, deleted, true],
    ['a text over a tombstone', 7, 5, deleted, false],
    ['a text without a record', 7, 0, undefined, false],
    ['nothing at all', 0, 0, undefined, true],
    ['a record that cannot be read', 5, 5, undefined, false],
  ] as const)('with %s says whether it is ours', (_what, text, head, record, isOurs) => {
    expect(sightingOf('web', { text, head }, record, 1).isOurs).toBe(isOurs)
  })

  it('is as old as its own index when it is ours, and not older than what was known before when it is not', () => {
    expect(sightingOf('web', { text: 5, head: 5 }, live, 9).order).toBe(5)
    expect(sightingOf('web', { text: 0, head: 5 }, live, 9).order).toBe(9)
    expect(sightingOf('web', { text: 12, head: 5 }, live, 9).order).toBe(12)
    expect(sightingOf('web', { text: 0, head: 0 }, undefined, 9).order).toBe(9)
  })

  it('has a token that tells both indexes, and no other token does', () => {
    expect(indexesIn(sightingOf('web', { text: 7, head: 5 }, live, 1).token)).toEqual({ text: 7, head: 5 })
    expect(['gone 5', '7', '7.', ''].map(indexesIn)).toEqual(Array.from({ length: 4 }))
  })
})
