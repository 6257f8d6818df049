import { describe, expect, it } from 'vitest'
import { addForwardedHeaderConfig, createForwardedValue } from '../../../proxy-client/exchange/forwarded.ts'
import { seededRandom } from '../seeded-random.fixture.ts'

const peer = { remoteAddress: '10.0.0.7', remotePort: 5123, localAddress: '2001:db8::1', localPort: 4140 }

const forwardedBy = (config: unknown) =>
  createForwardedValue(addForwardedHeaderConfig.parse(config), { routerLabel: 'out going', random: seededRandom(1) })

describe('the value of Forwarded', () => {
  it('has addresses, IPv6 in brackets and quotes', () => {
    expect(forwardedBy({ by: { kind: 'ip' }, for: { kind: 'ip' } })(peer)).toBe('for=10.0.0.7;by="[2001:db8::1]"')
  })

  it('has addresses with ports, quoted', () => {
    expect(forwardedBy({ by: { kind: 'ip:port' }, for: { kind: 'ip:port' } })(peer)).toBe(
      'for="10.0.0.7:5123";by="[2001:db8::1]:4140"',
    )
  })

  it('shows an IPv4 address that came in IPv6 form as itself', () => {
    const mapped = { ...peer, remoteAddress: '::ffff:10.1.2.3' }
    expect(forwardedBy({ for: { kind: 'ip' } })(mapped)).toMatch(/^for=10\.1\.2\.3;/)
  })

  it('has labels that tell nothing when nothing is configured, others for each request', () => {
    const value = forwardedBy({})
    expect(value(peer)).toMatch(/^for=_[a-z0-9]+;by=_[a-z0-9]+$/)
    expect(value(peer)).not.toBe(value(peer))
  })

  it('keeps a label for as long as a connection', () => {
    const value = forwardedBy({ by: { kind: 'static', label: 'edge-1' }, for: { kind: 'connectionRandom' } })
    expect(value(peer)).toBe(value(peer))
    expect(value({ ...peer })).not.toBe(value(peer))
    expect(value(peer)).toMatch(/;by=_edge-1$/)
  })

  it('names the router in characters that a label may have', () => {
    expect(forwardedBy({ by: { kind: 'router' } })(peer)).toMatch(/;by=_out_going$/)
  })

  it.each([
    { by: { kind: 'static' } },
    { by: { kind: 'static', label: 'a b' } },
    { by: { kind: 'hostname' } },
    { of: {} },
  ])('is refused as a configuration: %j', config => {
    expect(addForwardedHeaderConfig.safeParse(config).success).toBe(false)
  })
})
