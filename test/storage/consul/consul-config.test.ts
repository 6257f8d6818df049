// The configuration of the kind: namerd's options are taken, folders that cannot be are not.
import { describe, expect, it } from 'vitest'
import { consulConfig } from '../../../storage/consul/consul-config.ts'

describe('the configuration of the store on Consul', () => {
  it('is complete with nothing in it', () => {
    expect(consulConfig.parse({})).toEqual({
      host: 'localhost',
      port: 8500,
      pathPrefix: 'namerd/dtabs',
      readConsistencyMode: 'default',
    })
  })

  it("takes every option of namerd's", () => {
    const namerd = {
      host: 'consul.example.org',
      port: 8501,
      pathPrefix: '/here/',
      token: 'secret',
      datacenter: 'dc2',
      readConsistencyMode: 'stale',
      writeConsistencyMode: 'consistent',
      failFast: true,
      backoff: { kind: 'jittered', minMs: 1, maxMs: 60_000 },
      tls: { commonName: 'consul.example.org' },
    }
    expect(consulConfig.parse(namerd).pathPrefix).toBe('here')
  })

  it.each(['', '/', 'a//b', 'nameplane', '/nameplane/texts', 'x'.repeat(201), 'a/../b', './a', 'a\u0001', '\ud800'])(
    'refuses the folder %j',
    pathPrefix => {
      const parsed = consulConfig.safeParse({ pathPrefix })
      expect(parsed.error?.issues.map(({ path }) => path.join('.'))).toEqual(['pathPrefix'])
    },
  )

  it('refuses what it does not know', () => {
    expect(consulConfig.safeParse({ prefix: '/namerd/dtabs' }).success).toBe(false)
  })
})
