import { Readable } from 'node:stream'
import { describe, expect, it } from 'vitest'
import { KubernetesStatusError } from '../../../clients/kubernetes/cluster.ts'
import type { Wire } from '../../../clients/kubernetes/exchange.ts'
import { createObjects } from '../../../clients/kubernetes/objects.ts'
import { Requests } from '../../../clients/kubernetes/requests.ts'
import { plainTarget, type Target } from '../../../clients/kubernetes/target.ts'
import { FakeClock } from '../../fakes/clock.fake.ts'
import { startInPod } from './pod.fixture.ts'
import { Rig } from './rig.fixture.ts'

const path = '/api/v1/namespaces/place/configmaps'
const object = { metadata: { name: 'web' }, data: { dtab: `/svc => /ñ ; ${'#'.repeat(100_000)}` } }

/** What the call rejects with, as far as a caller goes by it. */
async function refusalOf(call: Promise<unknown>): Promise<unknown> {
  const error = await call.catch((reason: unknown) => reason)
  return error instanceof KubernetesStatusError ? [error.status, error.reason] : error
}

describe.each([
  ['HTTP/1.1', () => Rig.start()],
  ['HTTP/2', () => startInPod()],
])('single objects over %s', (_version, start) => {
  it('are created, patched and deleted with bodies that come whole', async () => {
    await using rig = await start()
    const { objects } = rig.cluster
    expect(await objects.create(path, object)).toEqual(object)
    await objects.patch(`${path}/web`, { data: null })
    expect(await objects.remove(`${path}/web`, { uid: 'u' })).toBe(true)
    expect(rig.api.changes.map(({ method, path: at, contentType, body }) => [method, at, contentType, body])).toEqual([
      ['POST', `${path}?fieldManager=nameplane`, 'application/json', object],
      ['PATCH', `${path}/web?fieldManager=nameplane`, 'application/merge-patch+json', { data: null }],
      ['DELETE', `${path}/web`, 'application/json', expect.objectContaining({ preconditions: { uid: 'u' } })],
    ])
  })

  it('are refused with the status and the reason that the API gives', async () => {
    await using rig = await start()
    const status = { kind: 'Status', message: 'configmaps "web" already exists', reason: 'AlreadyExists', code: 409 }
    rig.api.onChange = () => ({ kind: 'object', status: 409, object: status })
    expect(await refusalOf(rig.cluster.objects.create(path, object))).toEqual([409, 'AlreadyExists'])
    rig.api.onChange = () => ({ kind: 'status', status: 404 })
    expect(await rig.cluster.objects.remove(`${path}/web`)).toBe(false)
    expect(await rig.cluster.objects.find(`${path}/none`)).toBeUndefined()
  })

  it('are changed once, even when the answer is lost', async () => {
    await using rig = await start()
    rig.api.onChange = () => ({ kind: 'cut' })
    expect(await refusalOf(rig.cluster.objects.create(path, object))).toBeInstanceOf(Error)
    rig.api.onChange = () => ({ kind: 'status', status: 500 })
    expect(await refusalOf(rig.cluster.objects.create(path, object))).toEqual([500, ''])
    expect(rig.api.changes).toHaveLength(2)
  })

  it('are waited for some seconds and no longer', async () => {
    await using rig = await start()
    rig.api.onChange = () => ({ kind: 'hang' })
    const refusal = refusalOf(rig.cluster.objects.create(path, object))
    await rig.api.until(() => rig.api.changes.length === 1)
    rig.clock.advance(4_000)
    expect(String(await refusal)).toMatch(/no answer within 4 s/)
  })

  it('are asked for again when the server was too busy to look at the request', async () => {
    await using rig = await start()
    let left = 1
    rig.api.onChange = () => (left-- > 0 ? { kind: 'status', status: 429 } : undefined)
    const created = rig.cluster.objects.create(path, object)
    await rig.api.until(() => rig.api.changes.length === 1)
    await rig.advanceUntil(() => rig.api.changes.length === 2, 1)
    expect(await created).toEqual(object)
  })
})

describe('a list of metadata', () => {
  const labelSelector = 'a=b'
  const put = (rig: Rig, count: number): void => {
    for (let n = 0; n < count; n++) rig.api.put(path, { metadata: { name: `web-${n}`, labels: { a: 'b' } } })
  }

  it('begins anew when the server forgets its version between two pages', async () => {
    await using rig = await Rig.start()
    put(rig, 501)
    let isForgotten = false
    rig.api.onRequest = ({ parameters }) => {
      if (!parameters.has('continue') || isForgotten) return undefined
      isForgotten = true
      return { kind: 'status', status: 410 }
    }
    const { items } = await rig.cluster.objects.listMetadata(path, { labelSelector })
    expect(items).toHaveLength(501)
    expect(rig.api.requests.map(({ parameters }) => parameters.has('continue'))).toEqual([false, true, false, true])
  })

  it('ends when the server never remembers', async () => {
    await using rig = await Rig.start()
    put(rig, 501)
    rig.api.onRequest = ({ parameters }) => (parameters.has('continue') ? { kind: 'status', status: 410 } : undefined)
    expect(await refusalOf(rig.cluster.objects.listMetadata(path, { labelSelector }))).toEqual([410, ''])
  })

  it('of few comes in one page', async () => {
    await using rig = await Rig.start()
    put(rig, 3)
    const query = { labelSelector, notOlderThan: '1001', areFew: true }
    expect((await rig.cluster.objects.listMetadata(path, query)).items).toHaveLength(3)
    expect(rig.api.requests[0]?.parameters.toString()).toBe(
      'labelSelector=a%3Db&resourceVersion=1001&resourceVersionMatch=NotOlderThan',
    )
  })
})

describe('credentials that take long', () => {
  const clock = new FakeClock()
  const credentials = Promise.withResolvers<Target>()
  const exchange = { status: 200, headers: {}, checkWhole: () => {}, isPathChecked: true }
  const wire: Wire = { open: async () => ({ ...exchange, body: Readable.from([Buffer.from('{}')]) }), close: () => {} }
  const access = { target: () => credentials.promise, forget: () => {} }
  const objects = createObjects(new Requests(access, wire, clock), new AbortController().signal)

  it('are no silence of the server, and are waited for longer, but not for ever', async () => {
    const refused = objects.find(path).catch(String)
    clock.advance(6_000)
    const found = objects.find(path)
    clock.advance(4_000)
    expect(await refused).toMatch(/no credentials within 10 s/)
    credentials.resolve(plainTarget(new URL('http://127.0.0.1'), {}))
    expect(await found).toEqual({})
  })
})

describe('a right that is missing', () => {
  it.each([
    ['create', (rig: Rig) => rig.cluster.objects.create(path, object)],
    ['patch', (rig: Rig) => rig.cluster.objects.patch(`${path}/web`, {})],
    ['delete', (rig: Rig) => rig.cluster.objects.remove(`${path}/web`)],
  ])('to %s is named', async (right, call) => {
    await using rig = await Rig.start()
    rig.api.onChange = () => ({ kind: 'status', status: 403 })
    await expect(call(rig)).rejects.toThrow(`grant ${right} on it`)
  })
})
