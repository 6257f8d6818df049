import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { moduleFolder } from '../../backends/cache.ts'
import { backends } from '../../backends/catalogue.ts'
import { requiredGo } from '../../backends/go-toolchain.ts'
import { compareVersions, findVersion } from '../../backends/version.ts'

describe('the version that a program prints', () => {
  it.each([
    ['Consul v1.22.7\nBuild Date 1970-01-01T00:00:01Z\n', '1.22.7'],
    ['etcd Version: 3.6.16\nGit SHA: Not provided\nGo Version: go1.26.8\n', '3.6.16'],
    ['Kubernetes v1.36.3\n', '1.36.3'],
    ['Client Version: v1.36.3\nKustomize Version: v5.8.1\n', '1.36.3'],
    ['/opt/envoy  version: 6d9bb7d9a85d616b220d1f8fe67b61f82bbdb8d3/1.40.0/Clean/RELEASE/BoringSSL\n', '1.40.0'],
  ])('is read from %j', (printed, version) => {
    expect(findVersion(printed)).toBe(version)
  })

  it.each(['Consul v1.22.7+ent', 'Consul v1.22.7-dev', 'Client Version: v1.32.4-dispatcher', 'v1.36', ''])(
    'is none of ours in %j',
    printed => {
      expect(findVersion(printed)).toBeUndefined()
    },
  )
})

describe('the order of versions', () => {
  it('goes by numbers, and a missing part is 0', () => {
    expect(compareVersions('1.26.8', '1.26')).toBeGreaterThan(0)
    expect(compareVersions('1.9', '1.26.0')).toBeLessThan(0)
    expect(compareVersions('1.26', '1.26.0')).toBe(0)
  })
})

describe('a wrapper module', () => {
  const wrapped = backends.filter(backend => backend.kind === 'go').filter(({ main }) => main !== '.')

  it.each(wrapped)('of $name pins the version that its tests are written for', backend => {
    const goMod = readFileSync(join(moduleFolder(backend), 'go.mod'), 'utf8')
    const required = [...goMod.matchAll(/^(?:require |\t)(\S+) v(\S+)(?: \/\/ indirect)?$/gm)]
    const own = required.find(([, module = '']) => `${backend.main}/`.startsWith(`${module}/`))
    expect(own?.[2]).toBe(backend.version)
    expect(requiredGo(goMod)).toMatch(/^1\.\d+/)
  })

  it('without a Go version is refused', () => {
    expect(() => requiredGo('module x\n')).toThrow('go.mod names no Go version')
  })
})
