// What the API server sends that is not as usual: nulls, what is absent, and what cannot be.
import { describe, expect, it } from 'vitest'
import { decodeEndpoints, decodeSlice } from '../../../interpreters/kubernetes/decode-endpoints.ts'
import { decodeExternalService, decodeService } from '../../../interpreters/kubernetes/decode-service.ts'
import { SharedParts } from '../../../interpreters/kubernetes/shared-parts.ts'
import { sliceOf } from './objects.fixture.ts'

const shared = new SharedParts()
const metadata = { name: 'web-1', labels: { 'kubernetes.io/service-name': 'web' } }

describe('a slice', () => {
  it('with nulls is one without endpoints and ports', () => {
    expect(decodeSlice({ metadata, endpoints: null, ports: null }, { shared })).toEqual({
      service: 'web',
      groups: [{ ports: [], members: [] }],
    })
  })

  it('of no service is left out', () => {
    expect(decodeSlice({ metadata: { name: 'x' } }, { shared })).toBeUndefined()
    expect(decodeSlice({ metadata: { name: 'x', labels: null } }, { shared })).toBeUndefined()
  })

  it('keeps of an endpoint its first address, and none of one without', () => {
    const endpoints = [{ addresses: ['10.0.0.1', '10.0.0.2'] }, { addresses: [] }, { addresses: null }, {}]
    const [group] = decodeSlice({ metadata, endpoints }, { shared })?.groups ?? []
    expect(group?.members.map(({ host }) => host)).toEqual(['10.0.0.1'])
  })

  it('keeps ports that have a number and speak TCP', () => {
    const ports = [
      { name: null, port: 80 },
      { name: 'all', port: null },
      { name: 'u', port: 53, protocol: 'UDP' },
    ]
    const [group] = decodeSlice({ metadata, ports }, { shared })?.groups ?? []
    expect(group?.ports).toEqual([{ name: '', port: 80 }])
  })

  it('keeps the time of its change when that is one', () => {
    expect(decodeSlice(sliceOf({ triggeredAt: '2026-01-02T03:04:05.5Z' }), { shared })?.triggeredAt).toBe(
      1_767_323_045_500,
    )
    expect(decodeSlice(sliceOf({ triggeredAt: 'yesterday' }), { shared })).not.toHaveProperty('triggeredAt')
  })

  it('shares nodes, zones and ports with all others', () => {
    const endpoints = [{ address: '10.0.0.1', nodeName: 'n1', zone: 'a' }]
    const [one, other] = [1, 2].map(() => decodeSlice(structuredClone(sliceOf({ endpoints })), { shared })?.groups[0])
    expect(one?.members[0]?.metadata).toBe(other?.members[0]?.metadata)
    expect(one?.ports).toBe(other?.ports)
  })

  it.each([
    [undefined, 'an EndpointSlice is no object'],
    [[], 'an EndpointSlice is no object'],
    [{ metadata: 'web' }, 'metadata is no object'],
    [{ metadata, endpoints: {} }, 'endpoints is no list'],
    [{ metadata, endpoints: ['10.0.0.1'] }, 'an endpoint is no object'],
    [
      { metadata, endpoints: [{ addresses: ['10.0.0.1'], conditions: { ready: 'yes' } }] },
      'ready is neither true nor false',
    ],
    [{ metadata, endpoints: [{ addresses: ['10.0.0.1'], zone: 3 }] }, 'zone is no text'],
    [{ metadata, ports: [{ port: 8080.5 }] }, 'port is no integer'],
  ])('that cannot be is an error that names the field: %j', (object, why) => {
    expect(() => decodeSlice(object, { shared })).toThrow(why)
  })
})

describe('an Endpoints object', () => {
  it('gives each of its subsets its own ports', () => {
    const subsets = [
      { addresses: [{ ip: '10.0.0.1' }], ports: [{ name: 'http', port: 80 }] },
      { addresses: null, notReadyAddresses: [{ ip: '10.0.0.2' }], ports: [{ name: 'http', port: 81 }] },
    ]
    const { groups } = decodeEndpoints({ metadata: { name: 'web' }, subsets }, { shared })
    expect(groups.map(({ ports, members }) => [ports[0]?.port, members.length])).toEqual([
      [80, 1],
      [81, 0],
    ])
    expect(decodeEndpoints({ metadata: { name: 'web' } }, { shared }).groups).toEqual([])
  })
})

describe('a Service', () => {
  it('without ports or load balancer has none', () => {
    expect(decodeService({ metadata: { name: 'web' } })).toEqual({ service: 'web', ports: [] })
    const status = { loadBalancer: { ingress: [{ ip: null, hostname: 'lb.example.org' }, {}] } }
    expect(decodeExternalService({ metadata: { name: 'web' }, status }).ingress).toEqual(['lb.example.org'])
  })

  it('without a name is an error', () => {
    expect(() => decodeService({ metadata: {} })).toThrow('metadata has no name')
  })
})
