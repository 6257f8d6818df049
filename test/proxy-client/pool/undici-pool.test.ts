import { describe, expect, it } from 'vitest'
import { createUndiciPools } from '../../../proxy-client/pool/undici-pool.ts'
import type { Upstream } from '../../../proxy-client/pool/upstream.ts'
import { UpstreamSet } from '../../../proxy-client/pool/upstream-set.ts'
import { describeUpstream } from '../../contract/upstream.contract.ts'
import { endpointAt } from '../naming.fake.ts'

describeUpstream('undici', createUndiciPools({ connectTimeoutMs: 1000, idleTimeMs: 60_000 }))

describe('the pools of a router', () => {
  it('are destroyed together, those that still close included', async () => {
    const log: string[] = []
    const fake = (port: number): Upstream => ({
      send: () => {
        throw new Error('nothing is sent here')
      },
      connections: 0,
      close: () => {
        log.push(`close ${port}`)
        return new Promise(() => {})
      },
      destroy: async () => {
        log.push(`destroy ${port}`)
      },
    })
    const set = new UpstreamSet(
      ({ port }) => fake(port),
      () => {},
    )
    set.close(set.open(endpointAt(1)))
    set.open(endpointAt(2))
    await set.destroy()
    expect(log).toEqual(['close 1', 'destroy 1', 'destroy 2'])
    expect(set.size).toBe(0)
  })
})
