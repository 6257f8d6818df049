import { describe, expect, it } from 'vitest'
import { createRequestIds } from '../../../proxy-client/context/request-id.ts'
import { seededRandom } from '../seeded-random.fixture.ts'

describe('request ids', () => {
  it('are 16 hex digits and all different', () => {
    const next = createRequestIds(seededRandom(1))
    const ids = Array.from({ length: 1000 }, next)
    expect(new Set(ids).size).toBe(1000)
    for (const id of ids) expect(id).toMatch(/^[0-9a-f]{16}$/)
  })

  it('are 16 digits too when chance is at its ends, and go on after the last', () => {
    expect(createRequestIds(() => 0)()).toBe('0000000000000001')
    expect(createRequestIds(() => 1 - 2 ** -33)()).toBe('ffffffff00000000')
  })

  it('differ between processes', () => {
    expect(createRequestIds(seededRandom(1))()).not.toBe(createRequestIds(seededRandom(2))())
  })
})
