import type { NetworkInterfaceInfo } from 'node:os'
import { describe, expect, it } from 'vitest'
import { advertisedAddress } from '../../../server/servers/advertised-address.ts'
import { createServerId } from '../../../server/servers/server-id.ts'

const face = (address: string, family: 'IPv4' | 'IPv6', internal = false): NetworkInterfaceInfo =>
  family === 'IPv4'
    ? { address, family, internal, netmask: '', mac: '', cidr: null }
    : { address, family, internal, netmask: '', mac: '', cidr: null, scopeid: 0 }

const machine = {
  lo: [face('127.0.0.1', 'IPv4', true)],
  eth0: [face('fe80::1', 'IPv6'), face('fd00::7', 'IPv6'), face('10.0.0.7', 'IPv4')],
}
const listener = (host: string): { host: string; port: number } => ({ host, port: 4321 })

describe('the address that a server gives to the others', () => {
  it.each([
    ['what it listens on', { listener: listener('127.0.0.1') }, '127.0.0.1:4321'],
    ['with brackets around IPv6', { listener: listener('fd00::9') }, '[fd00::9]:4321'],
    [
      'the POD_IP of one that listens everywhere',
      { listener: listener('0.0.0.0'), podIp: '10.1.1.1' },
      '10.1.1.1:4321',
    ],
    ['the first outer IPv4 address without one', { listener: listener('::') }, '10.0.0.7:4321'],
    [
      'an IPv6 address where there is no other',
      { listener: listener('::'), interfaces: { e: [face('fd00::7', 'IPv6')] } },
      '[fd00::7]:4321',
    ],
    ['loopback on a machine without a network', { listener: listener('::'), interfaces: {} }, '127.0.0.1:4321'],
    ['the configured one', { listener: listener('0.0.0.0'), advertise: { ip: '192.0.2.1' } }, '192.0.2.1:4321'],
    ['with the configured port', { listener: listener('::'), advertise: { ip: 'fd00::1', port: 99 } }, '[fd00::1]:99'],
    ['none without a gRPC interface', {}, undefined],
  ])('is %s', (_, options, expected) => {
    const defaults = { listener: undefined, podIp: undefined, interfaces: machine }
    expect(advertisedAddress({ ...defaults, ...options })).toBe(expected)
  })
})

describe('the id of a server that was given none', () => {
  it('is that of the machine and never the same twice', () => {
    expect(createServerId('web-1.example.org')).toMatch(/^web-1\.example\.org-[0-9a-f]{8}$/)
    expect(createServerId('_ü!')).toMatch(/^server-[0-9a-f]{8}$/)
    expect(createServerId('a')).not.toBe(createServerId('a'))
  })
})
