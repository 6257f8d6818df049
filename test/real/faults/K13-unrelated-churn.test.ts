// K13: slices that nobody asked for come and go; the server neither holds them nor asks for more.
import { describe, expect, it } from 'vitest'
import { WatchedServer } from '../../e2e/watched-server.fixture.ts'
import { RealKubernetes } from '../kubernetes.fixture.ts'
import {
  endpointSlice,
  namespaceObject,
  namespacesPath,
  readyEndpoints,
  slicePath,
} from '../kubernetes-objects.fixture.ts'
import { shows } from '../shown.fixture.ts'

const slices = slicePath('prod')
const unrelated = 300

const counts = ['namer_k8s_watches_open', 'namer_k8s_objects', 'namer_k8s_lists', 'namer_k8s_watches'] as const

describe('K13: churn of slices that nobody follows', () => {
  it(`${unrelated} that are made, changed and deleted are not held, not computed and open no watch`, async () => {
    await using kubernetes = await RealKubernetes.start()
    const { api } = kubernetes
    await api.create(namespacesPath, namespaceObject('prod'))
    await api.create(slices, endpointSlice({ name: 'web', service: 'web', endpoints: [{ addresses: ['10.10.0.1'] }] }))
    await using server = await WatchedServer.start(await kubernetes.namer())
    const replicas = server.replicas('/#/io.l5d.k8s/prod/http/web')
    await replicas.until(shows('10.10.0.1:8080'))
    const count = async (): Promise<readonly number[]> => await Promise.all(counts.map(name => server.metric(name)))
    const before = await count()
    const computed = await server.metric('namer_k8s_updates_total')

    const names = Array.from({ length: unrelated }, (_, n) => `other-${n}`)
    await api.createAll(
      slices,
      names.map(name => endpointSlice({ name, service: name, endpoints: readyEndpoints(5) })),
    )
    expect(await count()).toEqual(before)
    for (const name of names) await api.patch(`${slices}/${name}`, { endpoints: readyEndpoints(3) })
    for (const name of names) await api.delete(`${slices}/${name}`)

    const deliveries = replicas.deliveries
    await api.patch(`${slices}/web`, { endpoints: [{ addresses: ['10.10.0.2'] }] })
    await replicas.until(shows('10.10.0.2:8080'))
    expect(replicas.deliveries).toBe(deliveries + 1)
    expect(await server.metric('namer_k8s_updates_total')).toBe(computed + 1)
    expect(await count()).toEqual(before)
    expect(before).toEqual([1, 1, 1, 1])
    expect(await server.metric('source_degraded')).toBe(0)
  })
})
