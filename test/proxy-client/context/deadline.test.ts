import { describe, expect, it } from 'vitest'
import { deadlineAfter, formatDeadline, readDeadline, stricter } from '../../../proxy-client/context/deadline.ts'
import { fieldsOf } from '../../../proxy-client/http1/fields-of.ts'

const read = (...values: readonly string[]) =>
  readDeadline(fieldsOf(values.map(value => ['l5d-ctx-deadline', value] as const)))

describe('l5d-ctx-deadline', () => {
  it('is two stamps in nanoseconds, which go on as they came', () => {
    const deadline = read('1700000000000000001 1700000001500000002')
    expect(deadline?.setAt).toBeCloseTo(1_700_000_000_000, 2)
    expect(deadline?.endsAt).toBeCloseTo(1_700_000_001_500, 2)
    expect(deadline && formatDeadline(deadline)).toBe('1700000000000000001 1700000001500000002')
  })

  it('of several is the latest start and the earliest end', () => {
    const deadline = read('1000000 9000000', '3000000 8000000', '2000000 7000000')
    expect(deadline && formatDeadline(deadline)).toBe('3000000 7000000')
    expect([deadline?.setAt, deadline?.endsAt]).toEqual([3, 7])
  })

  it.each(['', '1', 'a b', '1  2', '1 2x', '1,2', '99999999999999999999 1', '9999999999999999999 1'])(
    'does not count when it is %j',
    value => {
      expect(read(value)).toBeUndefined()
      const deadline = read(value, '1000000 2000000')
      expect(deadline && formatDeadline(deadline)).toBe('1000000 2000000')
    },
  )

  it('is none without the header', () => {
    expect(readDeadline(fieldsOf([['Host', 'web']]))).toBeUndefined()
  })

  it('takes the end of time, which some clients send for none', () => {
    expect(read('0 9223372036854775807')?.endsAt).toBeGreaterThan(8e12)
  })

  it('is made of a timeout, and the stricter of two goes on', () => {
    const ours = deadlineAfter(1_700_000_000_000.4, 250)
    expect(formatDeadline(ours)).toBe('1700000000000000000 1700000000250000000')
    const theirs = read('1600000000000000000 1700000000100000000')
    expect(theirs && formatDeadline(stricter(theirs, ours))).toBe('1700000000000000000 1700000000100000000')
  })
})
