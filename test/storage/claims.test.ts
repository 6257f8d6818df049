import { describe, expect, it } from 'vitest'
import { type Claim, Claims } from '../../storage/claims.ts'
import { createKernel } from '../../watch/kernel.ts'
import { FakeClock } from '../fakes/clock.fake.ts'

const ttlMs = 10_000

/** A table whose answers are in the test's hand once it is slow. */
function slowTable() {
  const rows = new Map<string, string>()
  const answers: (() => void)[] = []
  const table = {
    isSlow: false,
    rows,
    answers,
    claim: async ({ name, owner }: Claim) => {
      if (table.isSlow) await new Promise<void>(resolve => answers.push(resolve))
      rows.set(name, owner)
      return true
    },
    unclaim: async (_kind: Claim['kind'], name: string, owner: string) => {
      if (rows.get(name) === owner) rows.delete(name)
    },
  }
  return table
}

function openClaims() {
  const clock = new FakeClock()
  const onError = (error: unknown): void => {
    throw error
  }
  const table = slowTable()
  return { clock, table, claims: new Claims({ kernel: createKernel({ clock, onError }), clock, table, onError }) }
}

describe('claims', () => {
  it('are given up after the renewal that is under way, which would take them again', async () => {
    const { clock, table, claims } = openClaims()
    const lease = await claims.lease('sweep', ttlMs)
    table.isSlow = true
    clock.advance(ttlMs / 2)
    expect(table.answers).toHaveLength(1)
    const released = lease?.release()
    for (const answer of table.answers) answer()
    await released
    expect([...table.rows]).toEqual([])
  })

  it('that are answered after all was given up are given up too', async () => {
    const { table, claims } = openClaims()
    table.isSlow = true
    const lease = claims.lease('sweep', ttlMs)
    const presence = claims.announce('server', 'here', ttlMs)
    await claims.close()
    for (const answer of table.answers) answer()
    expect(await lease).toBeUndefined()
    await presence
    expect([...table.rows]).toEqual([])
  })
})
