import { describe, expect, it } from 'vitest'
import { serverConfig } from '../../../proxy-client/exchange/server-config.ts'

describe('the configuration of a server', () => {
  it('has linkerd defaults', () => {
    expect(serverConfig.parse({})).toEqual({
      ip: '127.0.0.1',
      port: 4140,
      serverSession: { idleTimeMs: 600_000 },
      socketOptions: { reusePort: false },
      headTimeoutMs: 10_000,
      stallTimeoutMs: 300_000,
      tunnelIdleTimeMs: 3_600_000,
      clearContext: false,
      maxCallDepth: 1_000,
    })
  })

  it.each([
    { ip: 'localhost' },
    { port: 65_536 },
    { maxConcurrentRequests: 0 },
    { serverSession: { idle: 1 } },
    { timestampHeader: 'x y' },
    { tls: {} },
  ])('is refused: %j', config => {
    expect(serverConfig.safeParse(config).success).toBe(false)
  })
})
