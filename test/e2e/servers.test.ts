// Several servers on one store: each knows the others, and a write answered by one is gone by on all.
import { describe, expect, it } from 'vitest'
import { tempDirectory } from '../storage/store.fixture.ts'
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
