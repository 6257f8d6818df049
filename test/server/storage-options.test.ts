import { describe, expect, it } from 'vitest'
import { parseConfig } from '../../runtime/config.ts'
import { splitStorage } from '../../server/storage-options.ts'

function split(yaml: string) {
  const document = parseConfig(yaml, 'config.yaml')
  const { storage } = document.value as { readonly storage: unknown } // written so below
  return splitStorage(document, { value: storage, at: ['storage'] })
}

describe('storage in the configuration', () => {
  it('leaves to the kind what is its own', () => {
    const { rest, snapshotPath } = split(
      'storage: { kind: etcd, host: a, history: { maxVersions: 5 }, snapshot: { path: /var/np } }',
    )
    expect(rest).toEqual({ kind: 'etcd', host: 'a' })
    expect(snapshotPath).toBe('/var/np')
  })

  it.each([
    ['memory', 1_000],
    ['io.l5d.inMemory', 1_000],
    ['sqlite', 1_000],
    ['etcd', 100],
    ['io.l5d.consul', 100],
  ])('keeps of %s %i versions when nothing is said', (kind, maxVersions) =>
    expect(split(`storage: { kind: ${kind} }`).history).toEqual({ maxVersions }),
  )

  it('takes limits by count and age', () => {
    expect(split('storage: { kind: sqlite, history: { maxVersions: 50, maxAgeDays: 1 } }').history).toEqual({
      maxVersions: 50,
      maxAgeMs: 86_400_000,
    })
  })

  it.each([
    ['memory', undefined],
    ['io.l5d.inMemory', undefined],
    ['sqlite', undefined],
    ['etcd', 'nameplane-data/snapshot'],
    ['consul', 'nameplane-data/snapshot'],
    ['configMap', 'nameplane-data/snapshot'],
  ])('keeps a snapshot of %s at %s when nothing is said', (kind, path) =>
    expect(split(`storage: { kind: ${kind} }`).snapshotPath).toBe(path),
  )

  it('keeps none where it is switched off, and one of any store where a path is given', () => {
    expect(split('storage: { kind: etcd, snapshot: false }')).not.toHaveProperty('snapshotPath')
    expect(split('storage: { kind: sqlite, snapshot: { path: warm } }').snapshotPath).toBe('warm')
  })

  it('is the same store in another order, with other credentials, history and snapshot, and another elsewhere', () => {
    const at = (rest: string): string => JSON.stringify(split(`storage: { kind: consul, ${rest} }`).identity)
    const here = at('host: a, port: 1')
    for (const same of [
      'port: 1, host: a',
      'host: a, port: 1, token: t',
      'host: a, tls: { disableValidation: true }, port: 1',
      'host: a, port: 1, history: { maxVersions: 9 }, snapshot: false',
    ])
      expect(at(same)).toBe(here)
    for (const other of ['host: b, port: 1', 'host: a, port: 2', 'host: a, port: 1, pathPrefix: /x'])
      expect(at(other)).not.toBe(here)
  })

  it('points at what is wrong in the snapshot', () => {
    const yaml = 'storage:\n  kind: etcd\n  snapshot:\n    file: x\n'
    expect(() => split(yaml)).toThrow('config.yaml:4:5: storage.snapshot.file: unknown key; known keys: path')
  })

  it('points at what is wrong', () => {
    const yaml = 'storage:\n  kind: sqlite\n  history:\n    maxVersion: 5\n'
    expect(() => split(yaml)).toThrow(
      'config.yaml:4:5: storage.history.maxVersion: unknown key; known keys: maxAgeDays, maxVersions',
    )
  })
})
