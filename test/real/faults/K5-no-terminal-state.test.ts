// K5: whatever a real API server refuses, or however it ends, the watch begins again and what was known stays.
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { ReplicaSet } from '../../../naming/replica-set.ts'
import { endpointsOf, isNeg, type Watched, WatchedServer } from '../../e2e/watched-server.fixture.ts'
import { eventually } from '../backend-process.fixture.ts'
import { RealKubernetes } from '../kubernetes.fixture.ts'
import { endpointSlice, namespaceObject, namespacesPath, slicePath } from '../kubernetes-objects.fixture.ts'
import { adminToken, namerToken, namerUser } from '../kubernetes-pki.fixture.ts'
import { NamerRights } from '../kubernetes-rights.fixture.ts'
import { shown, shows, staleReason } from '../shown.fixture.ts'

const slices = slicePath('prod')
const path = '/#/io.l5d.k8s/prod/http/web'
const newToken = 'the-next-namer-token'

describe('K5: an API server that is killed, or refuses', () => {
  let kubernetes: RealKubernetes
  let rights: NamerRights
  /** The last that was written. */
  let address = '10.9.0.1'
  beforeAll(async () => {
    kubernetes = await RealKubernetes.start()
    const { api } = kubernetes
    await api.create(namespacesPath, namespaceObject('prod'))
    await api.create(slices, endpointSlice({ name: 'web', service: 'web', endpoints: [{ addresses: [address] }] }))
    rights = await NamerRights.grant(api, 'endpointslices', 'services')
  })
  afterAll(() => kubernetes?.[Symbol.asyncDispose]())

  async function change(to: string): Promise<void> {
    address = to
    await kubernetes.api.patch(`${slices}/web`, { endpoints: [{ addresses: [address] }] })
  }

  /** Follows the name; what is shown of it may not be without an endpoint from then on, which `losses` counts. */
  async function follow(
    server: WatchedServer,
  ): Promise<{ readonly replicas: Watched<ReplicaSet>; readonly losses: string[] }> {
    const replicas = server.replicas(path)
    await replicas.until(shows(`${address}:8080`))
    const losses: string[] = []
    replicas.onDelivery(state => void ((endpointsOf(state)?.length ?? 0) === 0 && losses.push(shown(state))))
    return { replicas, losses }
  }

  it('is followed again on the same etcd after kill -9', async () => {
    await using server = await WatchedServer.start(await kubernetes.namer({ emptyHoldDownMs: 0 }))
    const { replicas, losses } = await follow(server)
    await kubernetes.killApiServer()
    await isDegraded(server, 1)
    expect(shown(replicas.state)).toBe(`${address}:8080`)
    await kubernetes.startApiServer()
    await change('10.9.0.2')
    await replicas.until(shows('10.9.0.2:8080'))
    await isDegraded(server, 0)
    expect(losses).toEqual([])
  })

  it('may lose its etcd: what is known stays, and a name that is new then is not neg', async () => {
    await using server = await WatchedServer.start(await kubernetes.namer({ emptyHoldDownMs: 0 }))
    const { replicas, losses } = await follow(server)
    await kubernetes.killEtcd()
    const absent = server.replicas('/#/io.l5d.k8s/prod/http/absent')
    await eventually('the question about it', async () => (await server.metric('namer_k8s_watches_open')) === 2)
    expect([shown(absent.state), shown(replicas.state)]).toEqual(['pending', `${address}:8080`])
    await kubernetes.startEtcd()
    await absent.until(isNeg)
    await change('10.9.0.5')
    await replicas.until(shows('10.9.0.5:8080'))
    await isDegraded(server, 0)
    expect(losses).toEqual([])
  })

  it('is asked with the token that a file holds now', async () => {
    const tokenFile = join(kubernetes.folder, 'namer-token')
    await writeFile(tokenFile, namerToken)
    const kubeconfig = await kubernetes.tokenFileKubeconfig(tokenFile)
    await using server = await WatchedServer.start({ kind: 'io.l5d.k8s', kubeconfig, emptyHoldDownMs: 0 })
    const { replicas, losses } = await follow(server)
    const admin = `${adminToken},admin,1,"system:masters"\n`
    await writeFile(kubernetes.pki.tokens, `${admin}${newToken},${namerUser},2\n`)
    await kubernetes.killApiServer()
    await kubernetes.startApiServer()
    await replicas.until(state => /unauthorized/i.test(staleReason(state)))
    await change('10.9.0.3')
    await writeFile(tokenFile, newToken)
    await replicas.until(shows('10.9.0.3:8080'))
    await isDegraded(server, 0)
    expect(losses).toEqual([])
  })

  it('is asked again while it forbids, until it allows', async () => {
    const kubeconfig = await kubernetes.tokenKubeconfig(newToken)
    await using server = await WatchedServer.start({ kind: 'io.l5d.k8s', kubeconfig, emptyHoldDownMs: 0 })
    const { replicas, losses } = await follow(server)
    await rights.change()
    await kubernetes.killApiServer()
    await kubernetes.startApiServer()
    await replicas.until(state => /forbidden/.test(staleReason(state)))
    await change('10.9.0.4')
    await rights.change('endpointslices')
    await replicas.until(shows('10.9.0.4:8080'))
    await isDegraded(server, 0)
    expect(losses).toEqual([])
  })

  it('may be down when the server starts: the name is not known, then known, and never neg', async () => {
    await kubernetes.killApiServer()
    await using server = await WatchedServer.start(await kubernetes.namer({ emptyHoldDownMs: 0 }))
    const replicas = server.replicas(path)
    const seen: string[] = []
    replicas.onDelivery(state => seen.push(shown(state)))
    await isDegraded(server, 1)
    await kubernetes.startApiServer()
    await replicas.until(shows(`${address}:8080`))
    expect(seen.filter(each => each === 'neg' || each === 'nothing')).toEqual([])
    await isDegraded(server, 0)
  })
})

async function isDegraded(server: WatchedServer, value: 0 | 1): Promise<void> {
  await eventually(`source_degraded ${value}`, async () => (await server.metric('source_degraded')) === value)
}
