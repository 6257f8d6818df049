import { describe, expect, it } from 'vitest'
import { endpointsOf, etcdConfig, namerdEtcdConfig } from '../../../storage/etcd/etcd-config.ts'

describe('the configuration of etcd', () => {
  it('is by default what namerd had', () => {
    const config = namerdEtcdConfig.parse({ experimental: true })
    expect(endpointsOf(config)).toEqual(['localhost:2379'])
    expect(config).toMatchObject({ pathPrefix: '/namerd/dtabs', allowEmpty: false })
  })

  it('names one server by host and port, or any number by endpoints', () => {
    expect(endpointsOf(etcdConfig.parse({ host: '::1', port: 1 }))).toEqual(['[::1]:1'])
    const endpoints = ['etcd-1.example.org:2379', '[::1]:2379', '10.0.0.1:2379']
    expect(endpointsOf(etcdConfig.parse({ endpoints }))).toEqual(endpoints)
  })

  it('takes a slash off the end of the prefix', () => {
    expect(etcdConfig.parse({ pathPrefix: '/a/b/' }).pathPrefix).toBe('/a/b')
  })

  it.each([
    [{ endpoints: ['http://etcd:2379'] }, /without scheme/],
    [{ endpoints: ['etcd'] }, /host:port/],
    [{ endpoints: [] }, /at least one/],
    [{ endpoints: ['a:1'], host: 'b' }, /keep one of them/],
    [{ endpoints: ['a:1'], port: 1 }, /have theirs/],
    [{ username: 'a' }, /required beside username/],
    [{ password: 'a' }, /required beside password/],
    [{ pathPrefix: '/' }, /a path of keys/],
    [{ pathPrefix: 'namerd/dtabs' }, /a path of keys/],
    [{ pathPrefix: '/a//b' }, /a path of keys/],
    [{ allowEmpty: true }, /allowEmpty/],
  ])('refuses %j', (config, why) => {
    expect(() => etcdConfig.parse(config)).toThrow(why)
  })
})
