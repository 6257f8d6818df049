import { existsSync, mkdirSync, readdirSync, utimesSync, writeFileSync } from 'node:fs'
import { homedir } from 'node:os'
import { basename, join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { cacheFolder, goBuildHash, hashOf, wheelHash } from '../../backends/cache.ts'
import { fillEntry, listEntries, removePartialFolders, staleEntries } from '../../backends/cache-entry.ts'
import { backends, type GoBackend } from '../../backends/catalogue.ts'
import { tempDirectory } from '../storage/store.fixture.ts'

const go = 'go version go1.26.8 linux/amd64'
const goBackends = backends.filter((backend): backend is GoBackend => backend.kind === 'go')

describe('the cache of backends', () => {
  it('lies in the caller’s cache folder, never in the checkout', () => {
    expect(cacheFolder({ XDG_CACHE_HOME: '/var/cache/me' })).toBe('/var/cache/me/nameplane')
    expect(cacheFolder({})).toBe(join(homedir(), '.cache/nameplane'))
    expect(cacheFolder({ XDG_CACHE_HOME: 'relative' })).toBe(join(homedir(), '.cache/nameplane'))
  })

  it('names each program by its recipe, so that no two share a folder', () => {
    const hashes = backends.map(backend => (backend.kind === 'go' ? goBuildHash(backend, go) : wheelHash(backend)))
    expect(new Set(hashes).size).toBe(backends.length)
    for (const hash of hashes) expect(hash).toMatch(/^[0-9a-f]{20}$/)
  })

  it.each(goBackends)('names $name anew for another Go, other flags or another module', backend => {
    const hash = goBuildHash(backend, go)
    const module = backend.module === 'backends/etcd' ? 'backends/consul' : 'backends/etcd'
    expect(goBuildHash({ ...backend }, go)).toBe(hash)
    expect(goBuildHash(backend, 'go version go1.26.9 linux/amd64')).not.toBe(hash)
    expect(goBuildHash({ ...backend, linkerFlags: '' }, go)).not.toBe(hash)
    expect(goBuildHash({ ...backend, module }, go)).not.toBe(hash)
  })

  it('counts where one part of a recipe ends', () => {
    expect(hashOf(['ab', 'c'])).not.toBe(hashOf(['a', 'bc']))
  })
})

describe('an entry of the cache', () => {
  it('is there whole when it was made, in place of what was there', async () => {
    using cache = tempCache()
    const entry = join(cache.path, hashOf(['etcd']))
    mkdirSync(entry)
    await fillEntry(cache.path, entry, async folder => {
      writeFileSync(join(folder, 'etcd'), '')
      expect(readdirSync(entry)).toEqual([])
    })
    expect(readdirSync(cache.path)).toEqual([basename(entry)])
    expect(readdirSync(entry)).toEqual(['etcd'])
  })

  it('leaves nothing when its making fails', async () => {
    using cache = tempCache()
    const making = fillEntry(cache.path, join(cache.path, 'entry'), async folder => {
      writeFileSync(join(folder, 'etcd'), 'half')
      throw new Error('no space')
    })
    await expect(making).rejects.toThrow('no space')
    expect(readdirSync(cache.path)).toEqual([])
  })

  it('that a killed run left half is removed, and finished ones stay', async () => {
    using cache = tempCache()
    const entry = join(cache.path, hashOf(['etcd']))
    mkdirSync(entry)
    mkdirSync(join(cache.path, 'partial-x1'))
    await removePartialFolders(cache.path)
    expect(readdirSync(cache.path)).toEqual([basename(entry)])
  })

  it('goes when three of the same program were used later', () => {
    using cache = tempCache()
    const add = (program: string, usedAt: number): string => {
      const folder = join(cache.path, hashOf([program, String(usedAt)]))
      mkdirSync(folder)
      writeFileSync(join(folder, program), '')
      utimesSync(folder, usedAt, usedAt)
      return folder
    }
    const [oldest] = [10, 30, 20, 40].map(usedAt => add('consul', usedAt))
    add('etcd', 1)
    writeFileSync(join(cache.path, 'lock'), '')
    expect(staleEntries(listEntries(cache.path)).map(({ folder }) => folder)).toEqual([oldest])
    expect(listEntries(join(cache.path, 'absent'))).toEqual([])
    expect(existsSync(join(cache.path, 'lock'))).toBe(true)
  })
})

function tempCache(): { readonly path: string } & Disposable {
  const { path, remove } = tempDirectory()
  return { path, [Symbol.dispose]: remove }
}
