// What a shared backend does with claims. That they run out is in the suite of the store above.
import { expect } from 'vitest'
import type { Claim } from '../../storage/claims.ts'
import type { PresenceRecord } from '../../storage/store.ts'
import type { SharedBackendCase } from './shared-backend.contract.ts'

const ttlMs = 10_000

function claimOf(kind: Claim['kind'], name: string, owner: string, data = ''): Claim {
  const now = Date.now()
  return { kind, name, owner, data, ttlMs, now, expiresAt: now + ttlMs, force: kind === 'presence' }
}

export const claimTableCases: readonly SharedBackendCase[] = [
  {
    title: 'gives a lease to one owner, through whichever server, until it is given up',
    run: async ({ backend, other }, ns) => {
      const claims = await Promise.all([
        backend.claims.claim(claimOf('lease', ns, 'one')),
        other.claims.claim(claimOf('lease', ns, 'two')),
      ])
      expect(claims.filter(Boolean)).toHaveLength(1)
      const [holder, loser] = claims[0] === true ? [backend, other] : [other, backend]
      const [owner, rival] = claims[0] === true ? ['one', 'two'] : ['two', 'one']
      expect(await holder.claims.claim(claimOf('lease', ns, owner))).toBe(true)
      expect(await loser.claims.claim(claimOf('lease', ns, rival))).toBe(false)
      await loser.claims.unclaim('lease', ns, rival)
      expect(await loser.claims.claim(claimOf('lease', ns, rival))).toBe(false)
      await holder.claims.unclaim('lease', ns, owner)
      expect(await loser.claims.claim(claimOf('lease', ns, rival))).toBe(true)
      await loser.claims.unclaim('lease', ns, rival)
    },
  },
  {
    title: 'shows the records of all servers to a follower, and that they are gone',
    run: async ({ backend, other, until }, ns) => {
      let records: readonly PresenceRecord[] = []
      const stop = other.followPresence({
        changed: all => {
          records = all.filter(({ id }) => id.startsWith(ns))
        },
        failed: () => {},
      })
      await backend.claims.claim(claimOf('presence', `${ns}-a`, 'one', '{"at":"ñ"}'))
      await other.claims.claim(claimOf('presence', `${ns}-b`, 'two', 'old'))
      await until('both', () => records.length === 2)
      await other.claims.claim(claimOf('presence', `${ns}-b`, 'two', 'new'))
      await until('the new data', () => records.some(({ data }) => data === 'new'))
      expect(records.find(({ id }) => id === `${ns}-a`)?.data).toBe('{"at":"ñ"}')
      await backend.claims.unclaim('presence', `${ns}-a`, 'one')
      await until('one', () => records.length === 1)
      await other.claims.unclaim('presence', `${ns}-b`, 'two')
      await until('none', () => records.length === 0)
      stop()
      stop()
    },
  },
]
