import { expect, it } from 'vitest'
import { grpcLimitDefaults } from '../../api/grpc-limits.ts'
import { parseConfig } from '../../runtime/config.ts'
import { checkServerConfig } from '../../server/config.ts'

function gRpcOf(text: string): object | undefined {
  const { interfaces } = checkServerConfig(parseConfig(`interfaces: [{ kind: io.l5d.mesh, ${text} }]`, 'test'))
  return interfaces[0]
}

it('gives the gRPC port limits and an age of connections where none are configured', () => {
  expect(gRpcOf('port: 1')).toMatchObject({ maxConnectionAgeMs: 1_800_000, limits: grpcLimitDefaults })
})

it('takes each limit by itself, and 0 for connections that are never too old', () => {
  expect(gRpcOf('maxConnectionAgeMs: 0, limits: { perClient: 7 }')).toMatchObject({
    maxConnectionAgeMs: 0,
    limits: { ...grpcLimitDefaults, perClient: 7 },
  })
})

it.each([
  ['limits: { perClient: 0 }', /interfaces\[?\.?0\]?\.limits\.perClient/],
  ['limits: { perProxy: 1 }', /perProxy/],
  ['maxConnectionAgeMs: -1', /maxConnectionAgeMs/],
])('refuses %s and says where that stands', (text, place) => {
  expect(() => gRpcOf(text)).toThrow(place)
})
