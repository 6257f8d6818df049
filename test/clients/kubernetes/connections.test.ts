import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { fakeApiCertificate, fakeApiKey } from '../../fakes/kubernetes-api.fake.ts'
import { slicesPath } from './followed.fixture.ts'
import { Kubeconfig, startTls } from './kubeconfig.fixture.ts'
import { Pod, startInPod } from './pod.fixture.ts'
import { Rig } from './rig.fixture.ts'

describe('connections to an API server', () => {
  it('share few HTTP/2 connections, as many as its limit of streams asks for', async () => {
    await using rig = await startInPod({ maxConcurrentStreams: 20 })
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
    await using rig = await startInPod()
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

  it.each(['h2', 'http/1.1'] as const)(
    'that are cut over %s leave their watches in doubt: a list follows',
    async tls => {
      await using config = await Kubeconfig.create({ token: 'secret' })
      await using rig = await startTls(config, { tls })
      const followed = await rig.followOpen()
      rig.apart(() => rig.put('a', 1))
      await followed.untilObjects({ a: 1 })
      rig.api.cutConnections()
      rig.put('a', 2)
      await rig.untilObjects(followed, { a: 2 })
      expect(rig.cluster.load()).toMatchObject({ lists: 2 })
      expect(followed.failures.length).toBe(1)
    },
  )

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

  it('follow the credentials of a plugin, asked again once they are refused, at most every 5 s', async () => {
    await using config = await Kubeconfig.create({})
    const [token, runs] = [join(config.folder, 'token'), join(config.folder, 'runs')]
    const answer = `printf '{"status":{"token":"%s"}}' "$(cat '${token}')"`
    config.user.exec = {
      apiVersion: 'client.authentication.k8s.io/v1',
      command: '/bin/sh',
      args: ['-c', `echo >> '${runs}'; ${answer}`],
    }
    const countRuns = async (): Promise<number> => (await readFile(runs, 'utf8')).length
    await writeFile(token, 'old')
    await using rig = await startTls(config, { tls: 'h2' })
    rig.api.authorization = 'Bearer old'
    const followed = await rig.followOpen()
    expect(await countRuns()).toBe(1)
    rig.api.authorization = 'Bearer new'
    rig.api.endWatches()
    await rig.failingFor(followed, 30_000)
    expect(followed.failures[0]?.error).toMatchObject({ status: 401 })
    expect(followed.failures.length).toBeGreaterThan(8)
    expect(await countRuns()).toBeLessThanOrEqual(8)
    await writeFile(token, 'new')
    rig.put('a', 1)
    await rig.untilObjects(followed, { a: 1 })
    expect(rig.api.lists).toBe(1)
  })

  it('run a plugin again when its token expires, before the server refuses it', async () => {
    await using config = await Kubeconfig.create({})
    const token = join(config.folder, 'token')
    const answer = `{"status":{"token":"%s","expirationTimestamp":"2001-01-01T00:00:00Z"}}`
    config.user.exec = {
      apiVersion: 'client.authentication.k8s.io/v1',
      command: '/bin/sh',
      args: ['-c', `printf '${answer}' "$(cat '${token}')"`],
    }
    await writeFile(token, 'old')
    await using rig = await startTls(config, { tls: 'h2' })
    rig.api.authorization = 'Bearer old'
    const followed = await rig.followOpen()
    await writeFile(token, 'new')
    rig.api.authorization = 'Bearer new'
    rig.clock.advance(1_001)
    rig.apart(() => rig.put('a', 1))
    await followed.untilObjects({ a: 1 })
    expect(followed.failures).toEqual([])
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
    const pod = await Pod.create()
    await using rig = await Rig.start({ tls: 'h2', access: () => pod.access })
    pod.findServer(rig.api.port)
    await pod.login('old')
    rig.api.authorization = 'Bearer old'
    const followed = await rig.followOpen()
    await pod.login('new')
    rig.api.authorization = 'Bearer new'
    rig.clock.advance(1_001)
    rig.apart(() => rig.put('a', 1))
    await rig.untilObjects(followed, { a: 1 })
    expect([followed.failures, rig.cluster.load().lists]).toEqual([[], 1])
  })
})
