import { describe, expect, it } from 'vitest'
import {
  nothing,
  revisionsFromToken,
  sightingFromKeys,
  withRecord,
  withText,
} from '../../../storage/etcd/stored-head.ts'
import { markedRecord } from '../../../storage/etcd/version-record.ts'
import { versionOf } from '../../contract/shared-backend.contract.ts'

const text = (modRevision: number) => ({ key: 'web', value: Buffer.alloc(0), modRevision })
const live = { key: 'head', value: markedRecord(versionOf('web', 1, '/a=>/b')), modRevision: 5 }
const tombstone = { key: 'head', value: markedRecord(versionOf('web', 2, undefined)), modRevision: 5 }
const spoilt = { key: 'head', value: Buffer.from('{"version":"x"}'), modRevision: 5 }

describe('a namespace in etcd', () => {
  it.each([
    ['nothing at all', undefined, undefined, true],
    ['text and record of one transaction', live, text(5), true],
    ['a text put later', live, text(6), false],
    ['a text deleted later', live, undefined, false],
    ['a tombstone', tombstone, undefined, true],
    ['a text put over a tombstone', tombstone, text(7), false],
    ['a text alone', undefined, text(3), false],
    ['a record that somebody spoilt', spoilt, text(5), false],
  ])('is ours or not: %s', (_what, head, content, isOurs) => {
    const sighting = sightingFromKeys('web', withText(withRecord(nothing, head), content), 9)
    expect(sighting).toMatchObject({ namespace: 'web', isOurs, order: 9 })
    expect(revisionsFromToken(sighting.token)).toEqual({
      text: content?.modRevision ?? 0,
      head: head?.modRevision ?? 0,
    })
  })

  it('has another token when another record stands at the same revision, as after a restore', () => {
    const again = { ...live, value: markedRecord(versionOf('web', 1, '/a=>/b')) }
    const [one, two] = [live, again].map(head =>
      sightingFromKeys('web', withText(withRecord(nothing, head), text(5)), 9),
    )
    expect(one?.token).not.toBe(two?.token)
  })

  it('is not compared with by a token that was made elsewhere', () => {
    expect(revisionsFromToken('gone 12')).toBeUndefined()
  })
})
