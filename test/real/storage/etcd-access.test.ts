// How a real etcd is got at: by TLS and a login, when it is away at start, and by namerd's name when it is empty.
import { mkdtempDisposable } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { etcdConfig, namerdEtcdConfig } from '../../../storage/etcd/etcd-config.ts'
import { etcd as etcdKind, namerdEtcd } from '../../../storage/etcd/index.ts'
import { codeOf, request } from '../../contract/store.contract.ts'
import { freePorts } from '../backend-process.fixture.ts'
import { RealEtcd } from '../etcd.fixture.ts'
import { createPki } from '../kubernetes-pki.fixture.ts'
import { freshPrefix, startStore } from './etcd-store.fixture.ts'
import { openServer } from './open-store.fixture.ts'
import { untilTrue } from './store.fixture.ts'

const base64 = (text: string): string => Buffer.from(text).toString('base64')

describe.concurrent('an etcd with authentication', () => {
  it('serves a user with rights on the prefix, and says what others lack', async () => {
    await using etcd = await RealEtcd.start()
    const { api } = etcd.server
    const pathPrefix = freshPrefix()
    await api.post('/v3/auth/user/add', { name: 'root', password: 'r' })
    await api.post('/v3/auth/role/add', { name: 'root' })
    await api.post('/v3/auth/user/grant', { user: 'root', role: 'root' })
    await api.post('/v3/auth/role/add', { name: 'dtabs' })
    const perm = { permType: 'READWRITE', key: base64(`${pathPrefix}/`), range_end: base64(`${pathPrefix}0`) }
    await api.post('/v3/auth/role/grant', { name: 'dtabs', perm })
    for (const [user, roles] of [
      ['nameplane', ['dtabs']],
      ['nobody', []],
    ] as const) {
      await api.post('/v3/auth/user/add', { name: user, password: 'secret' })
      for (const role of roles) await api.post('/v3/auth/user/grant', { user, role })
    }
    await api.post('/v3/auth/enable', {})
    const place = { endpoints: etcd.endpoints, pathPrefix }
    await using one = await startStore({ ...place, username: 'nameplane', password: 'secret' })
    let version = 0
    one.store.observe('web').watch(state => {
      if (state.kind === 'ok') version = state.value?.version ?? 0
    })
    await one.store.write(request('web', '/a=>/b'))
    await untilTrue('the version', () => version === 1)
    expect(await one.store.lease('sweep', 10_000)).toBeDefined()
    // A restart makes every simple token void.
    await etcd.server.kill()
    await etcd.server.start()
    await one.store.write(request('web', '/a=>/c'))
    await untilTrue('the next version', () => version === 2)
    for (const [login, why] of [
      [{ username: 'nobody', password: 'secret' }, /role grant-permission/],
      [{ username: 'nameplane', password: 'wrong' }, /correct username and password/],
      [{}, /set username and password/],
    ] as const) {
      await using other = await startStore({ ...place, ...login })
      await expect(other.store.head('web')).rejects.toThrow(why)
    }
  })
})

describe.concurrent('an etcd that is away when the server starts', () => {
  it('holds back no start, by either name', async () => {
    const [port = 0] = await freePorts(1)
    const endpoints = [`127.0.0.1:${port}`]
    await using one = await openServer(async env => etcdKind.open(etcdConfig.parse({ endpoints }), env))
    await using two = await openServer(async env => namerdEtcd.open(namerdEtcdConfig.parse({ endpoints }), env))
    const codes = await Promise.all([one, two].map(({ store }) => codeOf(store.head('web'))))
    expect(codes).toEqual(['store-unavailable', 'store-unavailable'])
  })
})

describe.concurrent("namerd's kind", () => {
  it('does not start on an etcd that has no namespace, and says how to bring them', async () => {
    await using etcd = await RealEtcd.start()
    const config = { endpoints: etcd.endpoints, pathPrefix: freshPrefix() }
    const open = (more: object) =>
      openServer(async env => namerdEtcd.open(namerdEtcdConfig.parse({ ...config, ...more }), env))
    await expect(open({})).rejects.toThrow(/namerctl export namerd.ndjson --from .*allowEmpty: true/)
    {
      await using first = await open({ allowEmpty: true })
      await first.store.announce('s1', 'here', 10_000)
      await expect(open({})).rejects.toThrow(/namerctl export/)
      await first.store.write(request('web', '/a=>/b'))
      await first.store.write(request('web', undefined))
    }
    await using again = await open({})
    expect(await again.store.head('web')).toMatchObject({ version: 2 })
  })
})

describe.concurrent('an etcd behind TLS', () => {
  it('is spoken to by its authority, its name and our certificate, and not without one of them', async () => {
    await using folder = await mkdtempDisposable(join(tmpdir(), 'nameplane-etcd-tls-'))
    const pki = await createPki(folder.path)
    const [port = 0] = await freePorts(1)
    const endpoint = `127.0.0.1:${port}`
    await using _etcd = await RealEtcd.start({
      argv: clientUrl => [
        `--listen-client-urls=${clientUrl},https://${endpoint}`,
        ...[`--cert-file=${pki.serverCertificate}`, `--key-file=${pki.serverKey}`],
        ...['--client-cert-auth', `--trusted-ca-file=${pki.ca}`],
      ],
    })
    const open = (tls: object | undefined) => {
      const config = etcdConfig.parse({ endpoints: [endpoint], ...(tls && { tls }) })
      return openServer(async env => etcdKind.open(config, env))
    }
    const clientAuth = { certPath: pki.clientCertificate, keyPath: pki.clientKey }
    await using one = await open({ commonName: 'localhost', trustCerts: [pki.ca], clientAuth })
    await one.store.write(request('web', '/a=>/b'))
    const wrong = [
      [{ commonName: 'localhost', clientAuth }, /its certificate is not trusted; correct tls/],
      [{ commonName: 'etcd.example.org', trustCerts: [pki.ca], clientAuth }, /certificate is not trusted; correct tls/],
      [{ commonName: 'localhost', trustCerts: [pki.ca] }, /tls/],
      [undefined, /set or delete tls/],
    ] as const
    await Promise.all(
      wrong.map(async ([tls, why]) => {
        await using other = await open(tls)
        await expect(other.store.head('web')).rejects.toThrow(why)
      }),
    )
  })
})
