// The agent over TLS: whom we trust, and what we show of ourselves.
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import type { ConsulTls } from '../../../clients/consul/options.ts'
import { followAsSource, startConsulTrial, web } from './consul.fixture.ts'

const read = (name: string): string => readFileSync(join(import.meta.dirname, '../../fakes', name), 'utf8')
const cert = read('kubernetes-api.cert.pem')
const key = read('kubernetes-api.key.pem')

it.each<[string, ConsulTls]>([
  ['of a trusted authority, by the host', { trustCerts: [cert] }],
  ['of a trusted authority, by a given name', { trustCerts: [cert], commonName: 'localhost' }],
  ['of anyone when validation is off', { disableValidation: true }],
])('is believed with a certificate %s', async (_whose, tls) => {
  const trial = await startConsulTrial({ tls }, { cert, key })
  trial.consul.register({ service: 'web', port: 1 })
  const source = followAsSource(trial, web)
  await trial.until(() => trial.consul.held === 1)
  expect(source.values).toEqual(['1'])
  expect((await trial.agent.self()).datacenter).toBe('dc1')
})

it.each<[string, ConsulTls, RegExp]>([
  [
    'of an authority that is not trusted',
    {},
    /unknown authority \(DEPTH_ZERO_SELF_SIGNED_CERT\): correct tls\.trustCerts/,
  ],
  ['of another name', { trustCerts: [cert], commonName: 'consul.example.org' }, /ERR_TLS_CERT_ALTNAME_INVALID/],
])('is not believed with a certificate %s, and the reason is told', async (_whose, tls, reason) => {
  const trial = await startConsulTrial({ tls }, { cert, key })
  const source = followAsSource(trial, web)
  await trial.until(() => source.report?.state === 'failed')
  expect(source.report?.lastError).toMatch(reason)
  await expect(trial.agent.self()).rejects.toThrow(reason)
})

it('shows its own certificate to an agent that wants one', async () => {
  const certificate = { cert, key, ca: cert, requestCert: true }
  const stranger = await startConsulTrial({ tls: { trustCerts: [cert] } }, certificate)
  const refused = followAsSource(stranger, web)
  await stranger.until(() => refused.report?.state === 'failed')
  const known = await startConsulTrial({ tls: { trustCerts: [cert], clientAuth: { cert, key } } }, certificate)
  const source = followAsSource(known, web)
  await known.until(() => source.report?.state === 'ok')
})
