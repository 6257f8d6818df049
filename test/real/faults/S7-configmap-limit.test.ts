// S7: sizes around the limit, on a real API server and etcd: what fits is stored whole, what does not changes nothing.
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { maxConfigMapDtabBytes } from '../../../storage/configmap/configmap-backend.ts'
import { headName } from '../../../storage/configmap/object-names.ts'
import { codeOf, request } from '../../contract/store.contract.ts'
import { kubectlIn } from '../kubectl.fixture.ts'
import { RealKubernetes } from '../kubernetes.fixture.ts'
import { freshPlace, startStore } from '../storage/configmap-store.fixture.ts'

let kubernetes: RealKubernetes
let kubeconfig: string

beforeAll(async () => {
  kubernetes = await RealKubernetes.start()
  kubeconfig = await kubernetes.namerKubeconfig()
})

afterAll(() => kubernetes[Symbol.asyncDispose]())

/** A dtab of so many bytes: one entry and a comment. */
function dtabOf(bytes: number, filling = 'x'): string {
  const entry = '/svc => /a ;\n# '
  return entry + filling.repeat(Math.floor((bytes - entry.length) / Buffer.byteLength(filling))).padEnd(0)
}

/** As long as the API lets one be, and of letters that take most room. */
const longest = { message: '"ñ\n\\'.repeat(1_024), author: 'ñ'.repeat(200) }

describe.concurrent('S7: a dtab in a ConfigMap', () => {
  it('of the limit and one byte less is kept to the byte, one byte more is refused and changes nothing', async () => {
    await using open = startStore(kubeconfig, await freshPlace(kubernetes))
    const { store } = open
    for (const [n, bytes] of [maxConfigMapDtabBytes - 1, maxConfigMapDtabBytes].entries()) {
      const text = dtabOf(bytes)
      expect(Buffer.byteLength(text)).toBe(bytes)
      await store.write(request('web', text, longest))
      expect((await store.head('web'))?.text === text).toBe(true)
      expect((await store.version('web', n + 1))?.meta.message).toBe(longest.message)
    }
    expect(await codeOf(store.write(request('web', dtabOf(maxConfigMapDtabBytes + 1), longest)))).toBe('dtab-too-large')
    expect(await store.head('web')).toMatchObject({ version: 2 })
    expect(await store.history('web', { limit: 10 })).toHaveLength(2)
  })

  it('of letters that JSON writes in six goes through, or is refused and leaves nothing', async () => {
    const place = await freshPlace(kubernetes)
    await using open = startStore(kubeconfig, place)
    const { store } = open
    await store.write(request('web', '/svc => /a'))
    const outcome = await codeOf(store.write(request('web', dtabOf(maxConfigMapDtabBytes, '\u0001'))))
    expect([undefined, 'dtab-too-large']).toContain(outcome)
    const kubectl = await kubectlIn(kubernetes, place)
    const versions = await kubectl('get', 'configmaps', '-l', 'nameplane.io/dtab=version', '-o', 'name')
    expect(versions.trim().split('\n')).toHaveLength(outcome === undefined ? 2 : 1)
    await store.write(request('web', '/svc => /b'))
    expect(await store.head('web')).toMatchObject({ text: '/svc => /b' })
  })

  it('is written though what kubectl noted on it leaves no room for our facts', async () => {
    const place = await freshPlace(kubernetes)
    await using open = startStore(kubeconfig, place)
    const kubectl = await kubectlIn(kubernetes, place)
    const head = (text: string): object => ({
      apiVersion: 'v1',
      kind: 'ConfigMap',
      metadata: { name: headName('web'), labels: { 'nameplane.io/dtab': 'head' } },
      data: { namespace: 'web', dtab: text },
    })
    const text = dtabOf(255 * 1024)
    await kubectl('apply', '-f', await kubectl.file(head(text)))
    expect((await open.store.head('web'))?.text === text).toBe(true)
    await open.store.write(request('web', '/svc => /b', longest))
    await open.store.write(request('web', '/svc => /c', longest))
    expect(await open.store.head('web')).toMatchObject({ text: '/svc => /c' })
    const history = await open.store.history('web', { limit: 10 })
    expect(history.map(({ meta }) => meta.author)).toEqual([longest.author, longest.author, 'external'])
  })
})
