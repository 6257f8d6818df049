import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, it, onTestFinished } from 'vitest'
import { consulConfig } from '../../../interpreters/consul/consul-config.ts'
import { clientTls, readClientTls } from '../../../runtime/client-tls.ts'
import { parseConfig } from '../../../runtime/config.ts'
import { loadServerPlan } from '../../../server/compose.ts'

const problems = async (namer: object): Promise<string> => {
  const text = JSON.stringify({ namers: [{ kind: 'io.l5d.consul', ...namer }] })
  return await loadServerPlan(parseConfig(text, 'c.yaml')).then(
    () => '',
    (error: unknown) => String(error),
  )
}

describe('the configuration of io.l5d.consul', () => {
  it("has namerd's defaults", () => {
    expect(consulConfig.parse({})).toEqual({
      prefix: ['#', 'io.l5d.consul'],
      host: 'localhost',
      port: 8500,
      includeTag: false,
      useHealthCheck: false,
      healthStatuses: ['passing'],
      setHost: false,
      consistencyMode: 'default',
      preferServiceAddress: true,
      weights: [],
      transferMetadata: false,
      maxConnections: 180,
      maxNames: 10_000,
      emptyIsNeg: true,
      emptyHoldDownMs: 1_000,
      massEmpty: { maxShare: 0.5, windowMs: 30_000, minNames: 10 },
    })
  })

  it('takes every key of namerd', async () => {
    const all = {
      experimental: true,
      prefix: '/consul',
      host: 'consul.site.biz',
      port: 8600,
      includeTag: true,
      useHealthCheck: true,
      healthStatuses: ['passing', 'Warning', 'critical', 'maintenance'],
      token: 'some-consul-acl-token',
      setHost: true,
      consistencyMode: 'stale',
      failFast: true,
      preferServiceAddress: false,
      weights: [{ tag: 'primary', weight: 100 }],
      fixedLengthStreamedAfterKB: 5120,
      tls: { disableValidation: false, commonName: 'consul.io', trustCerts: ['/ca.pem'] },
      transferMetadata: true,
    }
    expect(await problems(all)).toBe('')
    expect(consulConfig.parse(all).healthStatuses).toEqual(['passing', 'warning', 'critical', 'maintenance'])
  })

  it.each(['consul', 'consul.site.biz.', '10.0.0.1', '::1', 'my_agent-1'])('takes %s for a host', async host => {
    expect(await problems({ host })).toBe('')
  })

  it('is checked against the prefixes of other namers before anything is opened', async () => {
    const text = 'namers: [{ kind: io.l5d.consul }, { kind: io.l5d.k8s, prefix: /io.l5d.consul/a }]'
    await expect(loadServerPlan(parseConfig(text, 'c.yaml'))).rejects.toThrow(
      'namers[1]: prefix /#/io.l5d.consul/a overlaps /#/io.l5d.consul; give one of the two namers another prefix',
    )
  })

  it.each<[object, string, RegExp]>([
    [{ port: 0 }, 'port', /c\.yaml:1:/],
    [{ host: 'http://localhost' }, 'host', /without scheme/],
    [{ host: 'localhost:8500' }, 'host', /port has a key of its own/],
    [{ host: '[::1]' }, 'host', /brackets/],
    [{ massEmpty: true }, 'massEmpty', /false, or an object with any of maxShare/],
    [{ massEmpty: { maxShare: 50 } }, 'massEmpty.maxShare', /./],
    [{ healthStatuses: ['good'] }, 'healthStatuses', /one of passing, warning, critical, maintenance/],
    [{ healthStatuses: [] }, 'healthStatuses', /at least one/],
    [{ consistencyMode: 'any' }, 'consistencyMode', /one of default, stale, consistent/],
    [{ weights: [{ tag: 'a', weight: 0 }] }, 'weights[0].weight', /above 0/],
    [{ weights: [{ tag: 'a' }] }, 'weights[0].weight', /required/],
    [{ token: '' }, 'token', /leave the key out/],
    [{ maxNames: 0 }, 'maxNames', /./],
    [{ includeTags: true }, 'includeTags', /unknown key.*includeTag/],
    [{ tls: {} }, 'tls.commonName', /required.*disableValidation/],
    [{ tls: { commonName: 'x', trustCerts: [], trustCertsBundle: '/b' } }, 'tls.trustCerts', /trustCertsBundle/],
    [
      { tls: { disableValidation: true, clientAuth: { certPath: '/c', keyPath: '/k' } } },
      'tls.clientAuth',
      /disableValidation/,
    ],
    [{ tls: { commonName: 'x', clientAuth: { certPath: '/c' } } }, 'tls.clientAuth.keyPath', /required/],
  ])('refuses %j, naming %s and the cure', async (config, key, cure) => {
    const text = await problems(config)
    expect(text).toContain(key)
    expect(text).toMatch(cure)
  })
})

describe('the certificates of tls', () => {
  const folder = (): string => {
    const path = mkdtempSync(join(tmpdir(), 'nameplane-tls-'))
    onTestFinished(() => rmSync(path, { recursive: true, force: true }))
    return path
  }
  const pem = (text: string): string => `-----BEGIN ${text}-----\n`

  it('are read from their files, intermediates after the certificate', () => {
    const at = folder()
    for (const name of ['ca1', 'ca2', 'own', 'between', 'key']) writeFileSync(join(at, name), pem(name))
    const file = (name: string): string => join(at, name)
    const tls = clientTls.parse({
      commonName: 'consul',
      trustCerts: [file('ca1'), file('ca2')],
      clientAuth: { certPath: file('own'), intermediateCertsPath: file('between'), keyPath: file('key') },
    })
    expect(readClientTls(tls)).toEqual({
      disableValidation: false,
      commonName: 'consul',
      trustCerts: [pem('ca1'), pem('ca2')],
      clientAuth: { cert: `${pem('own')}${pem('between')}`, key: pem('key') },
    })
  })

  it('that cannot be used are refused with the key and the file', () => {
    const at = folder()
    writeFileSync(join(at, 'der'), 'binary')
    const read = (tls: object) => () => readClientTls(clientTls.parse({ commonName: 'consul', ...tls }))
    expect(read({ trustCertsBundle: join(at, 'none') })).toThrow(/tls\.trustCertsBundle: .*none cannot be read/)
    expect(read({ trustCerts: [join(at, 'der')] })).toThrow(/tls\.trustCerts: .*der is not in PEM form/)
  })

  it('are not looked at when TLS is off', () => {
    expect(readClientTls(undefined)).toBeUndefined()
    expect(readClientTls(clientTls.parse({ enabled: false, trustCerts: ['/none'] }))).toBeUndefined()
  })
})
