import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterEach, describe, expect, it, vi } from 'vitest'
import { fakeApiCertificate, fakeApiKey } from '../../fakes/kubernetes-api.fake.ts'
import { slicesPath } from './followed.fixture.ts'
import { Kubeconfig, startTls } from './kubeconfig.fixture.ts'
import { Rig } from './rig.fixture.ts'

describe('connections to an API server', () => {
  afterEach(() => {
    vi.unstubAllEnvs()
  })

  it('share few HTTP/2 connections, as many as its limit of streams asks for', async () => {
    await using config = await Kubeconfig.create({ token: 'secret' })
    await using rig = await startTls(config, { tls: 'h2', maxConcurrentStreams: 20 })
    rig.put('a', 1)
    const all = Array.from({ length: 50 }, () => rig.follow())
    await rig.api.until(() => rig.api.openWatches === 50)
    expect(rig.api.sockets).toBe(3)
    rig.put('a', 2)
    for (const followed of all) await followed.untilObjects({ a: 2 })
    expect(rig.api.requests.every(({ httpVersion }) => httpVersion === '2.0')).toBe(true)
    expect(rig.api.requests.every(({ authorization }) => authorization === 'Bearer secret')).toBe(true)
  })

  it('speak HTTP/1.1 where the server offers nothing else', async () => {
    await using config = await Kubeconfig.create({ username: 'me', password: 'secret' })
    await using rig = await startTls(config, { tls: 'http/1.1' })
    rig.put('a', 1)
    const followed = await rig.followOpen()
    rig.put('a', 2)
    await followed.untilObjects({ a: 2 })
    expect(rig.api.requests.map(({ httpVersion, authorization }) => [httpVersion, authorization])).toEqual([
      ['1.1', `Basic ${btoa('me:secret')}`],
      ['1.1', `Basic ${btoa('me:secret')}`],
    ])
  })

  it('begin nothing on a connection that the server said goodbye on, and its watches go on', async () => {
    await using config = await Kubeconfig.create({ token: 'secret' })
    await using rig = await startTls(config, { tls: 'h2' })
    const first = await rig.followOpen()
    rig.api.goAway()
    const second = await rig.followOpen()
    expect([rig.api.sockets, rig.api.openWatches]).toEqual([2, 2])
    rig.put('a', 1)
    await Promise.all([first.untilObjects({ a: 1 }), second.untilObjects({ a: 1 })])
    rig.api.endWatches()
    await rig.api.until(() => rig.api.watches === 4 && rig.api.openWatches === 2 && rig.api.sockets === 1)
    expect([first.failures, second.failures]).toEqual([[], []])
  })

  it('show a client certificate', async () => {
    await using config = await Kubeconfig.create({
      'client-certificate-data': Buffer.from(fakeApiCertificate).toString('base64'),
      'client-key-data': Buffer.from(fakeApiKey).toString('base64'),
    })
    await using rig = await startTls(config, { tls: 'h2' })
    await rig.followOpen()
    expect(rig.api.requests[0]?.certificate).toBe('localhost')
  })

  it('get one object, and reject with the status of a refusal', async () => {
    await using rig = await Rig.start()
    rig.put('a', 1)
    expect(await rig.cluster.get(`${slicesPath}/a`)).toMatchObject({ size: 1 })
    await expect(rig.cluster.get(`${slicesPath}/b`)).rejects.toMatchObject({
      name: 'KubernetesStatusError',
      status: 404,
      message: expect.stringContaining('made to fail with 404'),
    })
  })

  it('follow the credentials of a plugin, asked again once they are refused', async () => {
    await using config = await Kubeconfig.create({})
    const tokenFile = join(config.folder, 'token')
    const script = `const token = require('node:fs').readFileSync(${JSON.stringify(tokenFile)}, 'utf8')
      console.log(JSON.stringify({ status: { token } }))`
    config.user.exec = {
      apiVersion: 'client.authentication.k8s.io/v1',
      command: process.execPath,
      args: ['-e', script],
    }
    await writeFile(tokenFile, 'old')
    await using rig = await startTls(config, { tls: 'h2' })
    rig.api.authorization = 'Bearer old'
    const followed = await rig.followOpen()
    await writeFile(tokenFile, 'new')
    rig.api.authorization = 'Bearer new'
    rig.api.endWatches()
    await followed.until(() => followed.isFailing)
    expect(followed.failures[0]?.error).toMatchObject({ status: 401 })
    rig.put('a', 1)
    await rig.untilObjects(followed, { a: 1 })
    expect(followed.failures.length).toBe(1)
  })

  it('follow a token file named in a kubeconfig as soon as it changes', async () => {
    await using config = await Kubeconfig.create({ tokenFile: 'token' })
    await writeFile(join(config.folder, 'token'), 'old\n')
    await using rig = await startTls(config, { tls: 'h2' })
    rig.api.authorization = 'Bearer old'
    const followed = await rig.followOpen()
    await writeFile(join(config.folder, 'token'), 'new')
    rig.api.authorization = 'Bearer new'
    rig.clock.advance(1_000)
    rig.apart(() => rig.put('a', 1))
    await followed.untilObjects({ a: 1 })
    expect(followed.failures).toEqual([])
  })

  it('follow the token of the pod that we run in', async () => {
    await using config = await Kubeconfig.create({})
    const account = join(config.folder, 'var/run/secrets/kubernetes.io/serviceaccount')
    await mkdir(account, { recursive: true })
    await writeFile(join(account, 'ca.crt'), fakeApiCertificate)
    await writeFile(join(account, 'token'), 'old')
    await using rig = await Rig.start({ tls: 'h2', access: () => ({ inCluster: true, root: config.folder }) })
    vi.stubEnv('KUBERNETES_SERVICE_HOST', '127.0.0.1')
    vi.stubEnv('KUBERNETES_SERVICE_PORT', String(rig.api.port))
    rig.api.authorization = 'Bearer old'
    const followed = await rig.followOpen()
    await writeFile(join(account, 'token'), 'new')
    rig.api.authorization = 'Bearer new'
    rig.clock.advance(1_000)
    rig.apart(() => rig.put('a', 1))
    await rig.untilObjects(followed, { a: 1 })
    expect(followed.failures.length).toBeLessThanOrEqual(1)
  })
})
