import { describe, expect, it } from 'vitest'
import { parseConfig } from '../../../runtime/config.ts'
import { checkServerConfig, type ServerConfig } from '../../../server/config.ts'

const check = (yaml: string): ServerConfig => checkServerConfig(parseConfig(yaml, 'config.yaml'))

describe('the part server of a configuration', () => {
  it('may be left out, whole or in parts', () => {
    expect(check('storage: { kind: memory }').server).toEqual({})
    expect(check('server: { id: web-1.example.org, advertise: { ip: 10.0.0.7 } }').server).toEqual({
      id: 'web-1.example.org',
      advertise: { ip: '10.0.0.7' },
    })
  })

  it.each([
    ['server: { id: "a b" }', 'config.yaml:1:11: server.id: must be 1 to 63 letters, digits, dots and dashes'],
    ['server: { advertise: { ip: 10.0.0.7, port: 0 } }', 'config.yaml:1:38: server.advertise.port'],
    ['server: { advertise: { port: 1 } }', 'server.advertise.ip'],
    ['server: { name: a }', 'config.yaml:1:11: server.name: unknown key; known keys: advertise, id'],
  ])('is refused with its place: %s', (yaml, said) => {
    expect(() => check(yaml)).toThrow(said)
  })
})
