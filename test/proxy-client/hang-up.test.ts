import { afterEach, expect, it } from 'vitest'
import { proxyConfig } from '../../proxy-client/config.ts'
import { surviveHangUps } from '../../proxy-client/hang-up.ts'

const before = process.listeners('SIGHUP')

afterEach(() => {
  for (const listener of process.listeners('SIGHUP')) {
    if (!before.includes(listener)) process.off('SIGHUP', listener)
  }
})

it.each([
  ['ends a proxy without an access log', {}, 0],
  ['ends one whose access log is its standard output', { httpAccessLog: 'stdout' }, 0],
  [
    'does not end one that writes to a file, which is what programs that rotate logs rely on',
    { httpAccessLog: 'x.log' },
    1,
  ],
])('a hang-up %s', (_title, router, listeners) => {
  surviveHangUps(proxyConfig.parse({ routers: [router] }))
  expect(process.listenerCount('SIGHUP') - before.length).toBe(listeners)
})
