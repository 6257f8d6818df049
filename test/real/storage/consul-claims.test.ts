// What becomes of the claims of a server that is gone without a word: Consul ends them, not before their time.
import { describe, expect, it } from 'vitest'
import type { Claim } from '../../../storage/claims.ts'
import type { PresenceRecord } from '../../../storage/store.ts'
import { eventually } from '../backend-process.fixture.ts'
import { RealConsul } from '../consul.fixture.ts'
import { freshPrefix, openBackend } from './consul-store.fixture.ts'
import { realEnv } from './store.fixture.ts'

const ttlMs = 10_000

function claimOf(kind: Claim['kind'], owner: string): Claim {
  const now = Date.now()
  return { kind, name: 'job', owner, data: '', ttlMs, now, expiresAt: now + ttlMs, force: kind === 'presence' }
}

describe('the claims of a server that renews nothing', () => {
  it('end by themselves, a lease not before its time, and leave nothing behind', async () => {
    await using consul = await RealConsul.start()
    const env = realEnv()
    const place = { port: consul.port, pathPrefix: freshPrefix() }
    const gone = openBackend(place, env)
    const other = openBackend(place, env)
    let records: readonly PresenceRecord[] = []
    other.followPresence({
      changed: all => {
        records = all
      },
      failed: () => {},
    })
    const claimedAt = performance.now()
    expect(await gone.claims.claim(claimOf('lease', 'gone'))).toBe(true)
    expect(await gone.claims.claim(claimOf('presence', 'gone'))).toBe(true)
    await eventually('the sign of life', async () => records.length === 1)
    await gone.close()
    await eventually('the lease', () => other.claims.claim(claimOf('lease', 'other')))
    expect(performance.now() - claimedAt).toBeGreaterThanOrEqual(ttlMs)
    await eventually('no sign of life', async () => records.length === 0)
    await other.claims.unclaim('lease', 'job', 'other')
    const { body } = await consul.api.request('GET', '/session/list')
    expect(body).toEqual([])
    await other.close()
    env.kernel.close()
  })
})
