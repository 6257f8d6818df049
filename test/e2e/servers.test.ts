// Several servers on one store: each knows the others, and a write answered by one is gone by on all.
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { formatRecord } from '../../server/servers/server-record.ts'
import { openSqliteStore } from '../../storage/sqlite/sqlite-store.ts'
import { systemClock } from '../../watch/clock.ts'
import { tempDirectory, testEnv } from '../storage/store.fixture.ts'
import { Replica } from './replicas.fixture.ts'

describe('three servers on one sqlite file', () => {
  it('go by what one of them wrote once wait=all is answered, and forget one that stops', async () => {
    const directory = tempDirectory()
    try {
      const storage = { kind: 'sqlite', path: `${directory.path}/nameplane.db` }
      await using a = await Replica.start('a', storage)
      await using b = await Replica.start('b', storage)
      {
        await using c = await Replica.start('c', storage)
        const all = [a, b, c]
        await Promise.all(all.map(replica => replica.untilWhole(3)))
        for (const [index, writer] of all.entries()) {
          await Promise.all(all.map(replica => replica.bindVersion('default')))
          const written = await writer.put('default', `/svc => /v${index}`, '?wait=all&timeout=60s')
          expect(written).toMatchObject({ version: index + 1, applied: true })
          expect(written.servers?.map(({ id }) => id)).toEqual(['a', 'b', 'c'])
          const versions = await Promise.all(all.map(replica => replica.bindVersion('default')))
          expect(versions).toEqual([index + 1, index + 1, index + 1])
        }
      }
      const left = await a.until(({ servers }) => servers.length === 2)
      expect(left.servers.map(({ id }) => id)).toEqual(['a', 'b'])
      expect(left.disagreementCount).toBe(0)
    } finally {
      directory.remove()
    }
  })
})

describe('a server that is present and cannot be reached', () => {
  it('is a reason in /ready, which stays ready, and counted', async () => {
    const directory = tempDirectory()
    const path = join(directory.path, 'nameplane.db')
    const env = testEnv(systemClock)
    try {
      await using self = await Replica.start('self', { kind: 'sqlite', path })
      await self.put('default', '/svc => /x')
      const other = await openSqliteStore({ path }, env)
      const record = { id: 'ghost', address: '127.0.0.1:1', version: '1', startedAt: 1 }
      await other.announce('ghost', formatRecord(record), 60_000)
      await self.until(({ servers }) => servers.some(({ error }) => error?.includes('ECONNREFUSED')))
      const ready = await (await fetch(`${self.adminUrl}/ready`)).json()
      expect(ready).toMatchObject({
        ready: true,
        reasons: [expect.stringMatching(/^server ghost does not reply: .*ECONNREFUSED/)],
      })
      const metrics = await (await fetch(`${self.adminUrl}/metrics`)).text()
      expect(metrics.split('\n').filter(line => /^nameplane_(dtab_version|servers|replicas)/.test(line))).toEqual([
        'nameplane_dtab_version{namespace="default"} 1',
        'nameplane_servers 2',
        'nameplane_servers_silent 1',
        'nameplane_replicas_disagree 0',
      ])
      await other.close()
    } finally {
      env.kernel.close()
      directory.remove()
    }
  })
})
