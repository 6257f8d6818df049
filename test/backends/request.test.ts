import { describe, expect, it } from 'vitest'
import { backends, systemTools } from '../../backends/catalogue.ts'
import { helpText } from '../../backends/help.ts'
import { parseRequest } from '../../backends/request.ts'
import { aptLine, packagesFor, packagesForPython } from '../../backends/system-packages.ts'

describe('npm run backends', () => {
  it('without a name means all', () => {
    expect(parseRequest([])).toEqual({
      kind: 'install',
      backends,
      tools: systemTools.map(({ command }) => command),
    })
  })

  it('takes names in any order and makes the quick ones first', () => {
    const request = parseRequest(['kubectl', 'strace', 'etcd'])
    expect(request).toMatchObject({ kind: 'install', tools: ['strace'] })
    expect(request.kind === 'install' && request.backends.map(({ name }) => name)).toEqual(['etcd', 'kubectl'])
  })

  it('refuses a name that it does not know, and a flag too', () => {
    expect(parseRequest(['consul', 'zookeeper', '--fast'])).toEqual({ kind: 'unknown', words: ['zookeeper', '--fast'] })
  })

  it('lists and helps without installing', () => {
    expect(parseRequest(['--list'])).toEqual({ kind: 'list' })
    expect(parseRequest(['-h', 'nonsense'])).toEqual({ kind: 'help' })
    for (const { name, version } of backends) expect(helpText()).toMatch(new RegExp(`${name} +${version}`))
  })
})

describe('the packages of Debian', () => {
  it('are named once each, and only those whose program is missing', () => {
    expect(packagesFor(['unshare', 'flock', 'h2load'])).toEqual(['nghttp2-client', 'util-linux'])
    expect(packagesFor([])).toEqual([])
  })

  it('never include one that takes the place of a kubectl that is there', () => {
    expect(systemTools.map(({ aptPackage }) => aptPackage)).not.toContain('kubernetes-client')
  })

  it('are given to other users as one line to type', () => {
    expect(aptLine(['nginx', 'wrk'])).toBe(
      "sudo sh -c 'apt-get update && apt-get install -y --no-install-recommends nginx wrk'",
    )
  })

  it('include nothing for Python when no wheel is unpacked', () => {
    expect(packagesForPython(backends.filter(({ kind }) => kind === 'go'))).toEqual([])
  })
})
