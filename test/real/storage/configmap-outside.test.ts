// What people do to the ConfigMaps with kubectl, seen by three servers on one API server.
import { setTimeout as delay } from 'node:timers/promises'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { headName, versionName } from '../../../storage/configmap/object-names.ts'
import type { Store, Version } from '../../../storage/store.ts'
import { request } from '../../contract/store.contract.ts'
import { type Kubectl, kubectlIn } from '../kubectl.fixture.ts'
import { RealKubernetes } from '../kubernetes.fixture.ts'
import { freshPlace, startStore } from './configmap-store.fixture.ts'
import type { OpenStore } from './open-store.fixture.ts'
import { untilTrue } from './store.fixture.ts'

let kubernetes: RealKubernetes
let kubeconfig: string

beforeAll(async () => {
  kubernetes = await RealKubernetes.start()
  kubeconfig = await kubernetes.namerKubeconfig()
})

afterAll(() => kubernetes[Symbol.asyncDispose]())

/** Longer than it takes the servers to see a change and take it in twice. */
const settledAfterMs = 700

/** Three servers that observe one namespace of a place of their own. */
class Trio implements AsyncDisposable {
  readonly kubectl: Kubectl
  readonly place: string
  #open: readonly OpenStore[] = []
  #heads: (Version | undefined)[] = []

  private constructor(kubectl: Kubectl, place: string) {
    this.kubectl = kubectl
    this.place = place
  }

  static async start(): Promise<Trio> {
    const place = await freshPlace(kubernetes)
    const trio = new Trio(await kubectlIn(kubernetes, place), place)
    await trio.open()
    return trio
  }

  async open(): Promise<void> {
    this.#open = [1, 2, 3].map(() => startStore(kubeconfig, this.place))
    this.#heads = []
    let answered = 0
    for (const [n, { store }] of this.#open.entries())
      store.observe('default').watch(state => {
        if (state.kind !== 'ok') return
        answered++
        this.#heads[n] = state.value
      })
    await untilTrue('an answer on each', () => answered >= 3)
  }

  async close(): Promise<void> {
    await Promise.all(this.#open.map(open => open[Symbol.asyncDispose]()))
  }

  store(n = 0): Store {
    const open = this.#open[n]
    if (open === undefined) throw new Error('not open')
    return open.store
  }

  async write(text: string | undefined, n = 0): Promise<Version> {
    return (await this.store(n).write(request('default', text))).written
  }

  /** All three show this version, and it stays so. */
  async shows(version: number, text: string | undefined): Promise<void> {
    await untilTrue(`version ${version} on all`, () =>
      [0, 1, 2].every(n => this.#heads[n]?.version === version && this.#heads[n]?.text === text),
    )
    await delay(settledAfterMs)
    expect(this.#heads.map(head => head?.version)).toEqual([version, version, version])
  }

  /** Numbers and authors, newest first, the same on all. */
  async history(): Promise<readonly string[]> {
    const all = await Promise.all([0, 1, 2].map(n => this.store(n).history('default', { limit: 100 })))
    const [first = [], ...others] = all.map(page => page.map(({ version, meta }) => `${version} ${meta.author}`))
    for (const other of others) expect(other).toEqual(first)
    return first
  }

  /** What `kubectl get -o json` gives, without what a person takes out before it is applied again. */
  async export(): Promise<{ metadata: Record<string, unknown>; data: Record<string, string> }> {
    const object = JSON.parse(await this.kubectl('get', 'configmap', headName('default'), '-o', 'json'))
    for (const field of ['resourceVersion', 'uid', 'creationTimestamp']) delete object.metadata[field]
    return object
  }

  async apply(object: object): Promise<void> {
    await this.kubectl('apply', '-f', await this.kubectl.file(object))
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }
}

const handMade = (text: string, name = headName('default')): object => ({
  apiVersion: 'v1',
  kind: 'ConfigMap',
  metadata: { name, labels: { 'nameplane.io/dtab': 'head' } },
  data: { namespace: 'default', dtab: text },
})

describe.concurrent('ConfigMaps that people change past Nameplane', () => {
  it('become a namespace when one is made by hand as the README says', async () => {
    await using trio = await Trio.start()
    const { kubectl } = trio
    const dtab = await kubectl.file(Buffer.from('/svc => /a ;\n'))
    await kubectl(
      'create',
      'configmap',
      headName('default'),
      '--from-literal=namespace=default',
      `--from-file=dtab=${dtab}`,
    )
    await kubectl('label', 'configmap', headName('default'), 'nameplane.io/dtab=head')
    await trio.shows(1, '/svc => /a ;\n')
    expect(await trio.history()).toEqual(['1 external'])
  })

  it('become one version for each edit, by apply and by patch, and none for what changes no text', async () => {
    await using trio = await Trio.start()
    await trio.apply(handMade('/svc => /a'))
    await trio.shows(1, '/svc => /a')
    await trio.write('/svc => /b', 1)
    await trio.shows(2, '/svc => /b')
    await trio.apply(handMade('/svc => /c'))
    await trio.shows(3, '/svc => /c')
    const patch = JSON.stringify({ data: { dtab: '/svc => /d' } })
    await trio.kubectl('patch', 'configmap', headName('default'), '--type=merge', '-p', patch)
    await trio.shows(4, '/svc => /d')
    await trio.kubectl('annotate', 'configmap', headName('default'), 'team=blue')
    await trio.write('/svc => /e', 2)
    await trio.shows(5, '/svc => /e')
    expect(await trio.history()).toEqual(['5 ann', '4 external', '3 external', '2 ann', '1 external'])
    const { metadata } = await trio.export()
    expect(metadata.annotations).toMatchObject({ team: 'blue' })
  })

  it('become a deletion when a head is deleted, and a write goes on after it', async () => {
    await using trio = await Trio.start()
    await trio.write('/svc => /a')
    await trio.write('/svc => /b')
    await trio.kubectl('delete', 'configmap', headName('default'))
    await trio.shows(3, undefined)
    await trio.write('/svc => /a')
    await trio.shows(4, '/svc => /a')
    expect(await trio.history()).toEqual(['4 ann', '3 external', '2 ann', '1 ann'])
  })

  it('become a deletion in the listing too when no server looked on', async () => {
    const place = await freshPlace(kubernetes)
    const kubectl = await kubectlIn(kubernetes, place)
    {
      await using open = startStore(kubeconfig, place)
      for (const namespace of ['kept', 'gone']) await open.store.write(request(namespace, '/svc => /a'))
    }
    await kubectl('delete', 'configmap', headName('gone'))
    await using open = startStore(kubeconfig, place)
    let listed: readonly string[] = []
    const stop = open.store.list().watch(state => {
      if (state.kind === 'ok')
        listed = state.value.map(({ namespace, version, deleted }) => `${namespace} ${version} ${deleted}`)
    })
    await untilTrue('the deletion', () => listed.join() === 'gone 2 true,kept 1 false')
    stop()
  })

  it.each(['apply', 'replace', 'delete and create', 'replace with all that was exported'])(
    'become a new version when an old export is put back: %s',
    async way => {
      await using trio = await Trio.start()
      await trio.write('/svc => /a')
      await trio.shows(1, '/svc => /a')
      const old = await trio.export()
      for (const text of ['/svc => /b', '/svc => /c']) await trio.write(text)
      await trio.shows(3, '/svc => /c')
      const { managedFields, ...metadata } = old.metadata
      const file = await trio.kubectl.file(way.endsWith('exported') ? old : { ...old, metadata })
      if (way === 'apply') await trio.kubectl('apply', '-f', file)
      else if (way.startsWith('replace')) await trio.kubectl('replace', '-f', file)
      else {
        await trio.close()
        await trio.kubectl('delete', 'configmap', headName('default'))
        await trio.kubectl('create', '-f', file)
        await trio.open()
      }
      await trio.shows(4, '/svc => /a')
      expect(await trio.history()).toEqual(['4 external', '3 ann', '2 ann', '1 ann'])
      await trio.write('/svc => /d')
      await trio.shows(5, '/svc => /d')
    },
  )

  it('become a new version when the export is older than all versions that were kept', async () => {
    await using trio = await Trio.start()
    await trio.write('/svc => /a')
    const { metadata, ...old } = await trio.export()
    for (const text of ['/svc => /b', '/svc => /c', '/svc => /d']) await trio.write(text)
    await trio.store().forget('default', [1, 2])
    await trio.close()
    const { managedFields, ...kept } = metadata
    await trio.apply({ ...old, metadata: kept })
    await trio.open()
    await trio.shows(5, '/svc => /a')
    expect(await trio.history()).toEqual(['5 external', '4 ann', '3 ann'])
  })

  it('become one version when an edit and writes of two servers come at once', async () => {
    await using trio = await Trio.start()
    await trio.write('/svc => /a')
    await trio.shows(1, '/svc => /a')
    const writes = [1, 2, 3, 4, 5].flatMap(n => [
      trio.write(`/svc => /one/${n}`, 0),
      trio.write(`/svc => /two/${n}`, 1),
    ])
    await Promise.all([...writes, trio.apply(handMade('/svc => /by/hand'))])
    const written = (await Promise.all(writes)).map(({ version }) => version)
    await delay(settledAfterMs)
    const history = await trio.history()
    expect(new Set(written).size).toBe(10)
    expect(history.filter(each => each.endsWith('ann'))).toHaveLength(11)
    expect(history.filter(each => each.endsWith('external'))).toHaveLength(1)
  })

  it('count for nothing under a wrong name', async () => {
    await using trio = await Trio.start()
    await trio.apply(handMade('/svc => /wrong', 'nameplane-default'))
    await trio.apply(handMade('/svc => /right'))
    await trio.shows(1, '/svc => /right')
  })

  it('lose nothing but themselves when versions are deleted by hand', async () => {
    await using trio = await Trio.start()
    for (const text of ['/svc => /a', '/svc => /b', '/svc => /c']) await trio.write(text)
    await trio.kubectl('delete', 'configmap', versionName('default', 2))
    expect(await trio.history()).toEqual(['3 ann', '1 ann'])
    expect(await trio.store().version('default', 2)).toBeUndefined()
    expect(await trio.store().version('default', 1)).toMatchObject({ text: '/svc => /a' })
    await trio.write('/svc => /d')
    await trio.shows(4, '/svc => /d')
  })
})
