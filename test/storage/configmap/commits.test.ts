// Commits on one fake cluster: which calls they make, and what is left over of writes that came to nothing.
import { describe, expect, it } from 'vitest'
import type { KubernetesObjects } from '../../../clients/kubernetes/cluster.ts'
import { silentLog } from '../../../runtime/log.ts'
import { ConfigMapBackend } from '../../../storage/configmap/configmap-backend.ts'
import { encodeEmptyHead } from '../../../storage/configmap/head-object.ts'
import { headName, versionName } from '../../../storage/configmap/object-names.ts'
import { decodeObject } from '../../../storage/configmap/stored-object.ts'
import { encodeVersion } from '../../../storage/configmap/version-object.ts'
import { createSharedStore } from '../../../storage/shared/shared-store.ts'
import { versionOf } from '../../contract/shared-backend.contract.ts'
import { codeOf, request } from '../../contract/store.contract.ts'
import { FakeClock } from '../../fakes/clock.fake.ts'
import { FakeKubernetesStore } from '../../fakes/kubernetes-store.fake.ts'
import { testEnv } from '../store.fixture.ts'

const path = '/api/v1/namespaces/place/configmaps'
/** After so long nobody goes by what was read before. */
const aWhileMs = 60_000
const key = { idempotency: { key: 'k', fingerprint: 'f' } }

/** A store, on a cluster of its own if none is given; `between` stands between it and the cluster. */
class Rig {
  readonly clock = new FakeClock()
  /** As administrators have them. */
  readonly objects: KubernetesObjects
  readonly kubectl: KubernetesObjects
  /** Since they were cleared. */
  readonly calls: string[] = []
  readonly store

  constructor(
    between: (objects: KubernetesObjects) => KubernetesObjects = objects => objects,
    cluster = new FakeKubernetesStore(),
  ) {
    this.objects = cluster.connect(async () => {})
    this.kubectl = cluster.connect(async () => {}, 'kubectl')
    const counted = cluster.connect(async (when, call) => {
      if (when === 'before') this.calls.push(call)
    })
    const backend = new ConfigMapBackend({
      kind: 'configMap',
      cluster: {
        objects: between(counted),
        follow: () => () => {},
        get: () => Promise.reject(new Error('not asked for')),
        load: () => ({ collections: 0, objects: 0, lists: 0, watches: 0, drift: 0 }),
        close: () => {},
      },
      kubernetesNamespace: 'place',
      clock: this.clock,
      log: silentLog,
    })
    this.store = createSharedStore(backend, testEnv(this.clock))
  }

  /** With the clock running; gives the calls that were made, too. */
  async run<T>(work: () => Promise<T>): Promise<{ readonly result: T; readonly calls: readonly string[] }> {
    this.calls.length = 0
    let isDone = false
    const result = work().finally(() => {
      isDone = true
    })
    while (!isDone) {
      await new Promise(resolve => setImmediate(resolve))
      this.clock.advance(1)
    }
    return { result: await result, calls: [...this.calls] }
  }

  write(
    text: string,
    more = {},
  ): Promise<{ readonly result: { written: { version: number } }; calls: readonly string[] }> {
    return this.run(() => this.store.write(request('web', text, more)))
  }

  async numbers(): Promise<readonly number[]> {
    const { result } = await this.run(() => this.store.history('web', { limit: 100 }))
    return result.map(({ version }) => version)
  }

  /** What servers leave that die once they have made a version, and before they have moved the head. */
  async cutOff(from: number, to: number): Promise<void> {
    const over = decodeObject(await this.objects.find(`${path}/${headName('web')}`)).resourceVersion
    for (let number = from; number <= to; number++) {
      const version = { ...versionOf('web', number, '/never => /was', { idempotencyKey: 'k', parent: from - 1 }) }
      await this.objects.create(path, encodeVersion(version, { over, fingerprint: 'f' }))
    }
  }
}

describe('a write to ConfigMaps', () => {
  it('reads the head, makes the version and moves the head; one list more finds a key', async () => {
    const rig = new Rig()
    await rig.write('/svc => /a')
    rig.clock.advance(aWhileMs)
    expect((await rig.write('/svc => /b')).calls).toEqual(['find', 'create', 'patch'])
    rig.clock.advance(aWhileMs)
    expect((await rig.write('/svc => /c', key)).calls).toEqual(['find', 'list', 'create', 'patch'])
  })

  it('that a proxy has moved twice was written, and is there once', async () => {
    const rig = new Rig(objects => ({
      ...objects,
      patch: async (at, change) => {
        await objects.patch(at, change)
        return objects.patch(at, change)
      },
    }))
    expect((await rig.write('/svc => /a')).result.written.version).toBe(1)
    expect((await rig.write('/svc => /b')).result.written.version).toBe(2)
    expect(await rig.numbers()).toEqual([2, 1])
  })
})

describe('a write whose move is refused', () => {
  /** What others do just before the first move of the head to this version. */
  const beforeMove = (number: number, others: (objects: KubernetesObjects) => Promise<void>) => {
    let isDone = false
    return new Rig(objects => ({
      ...objects,
      patch: async (at, change) => {
        if (!isDone && JSON.stringify(change).includes(`/svc => /v${number}`)) {
          isDone = true
          await others(objects)
        }
        return objects.patch(at, change)
      },
    }))
  }
  const touchHead = (objects: KubernetesObjects): Promise<unknown> =>
    objects.patch(`${path}/${headName('web')}`, { metadata: { annotations: { team: 'blue' } } })

  it('is made anew when its version was removed meanwhile, and not taken for written', async () => {
    const rig = beforeMove(2, async objects => {
      await touchHead(objects)
      await objects.remove(`${path}/${versionName('web', 2)}`)
    })
    await rig.write('/svc => /v1')
    const { written } = (await rig.write('/svc => /v2')).result
    const { result } = await rig.run(() => rig.store.version('web', written.version))
    expect(result).toMatchObject({ text: '/svc => /v2' })
    expect(await rig.numbers()).toEqual([2, 1])
  })

  it('takes its version back though somebody has put a label on it', async () => {
    const rig = beforeMove(2, async objects => {
      await touchHead(objects)
      await objects.patch(`${path}/${versionName('web', 2)}`, { metadata: { labels: { team: 'blue' } } })
    })
    await rig.write('/svc => /v1')
    await rig.write('/svc => /v2')
    expect(await rig.numbers()).toEqual([2, 1])
    const { result } = await rig.run(() => rig.store.head('web'))
    expect(result).toMatchObject({ version: 2, text: '/svc => /v2', meta: { author: 'ann' } })
  })
})

describe('many writes that were cut off', () => {
  it('are passed over by the next one, by a few calls', async () => {
    const rig = new Rig()
    await rig.write('/svc => /a')
    await rig.cutOff(2, 601)
    const { result, calls } = await rig.write('/svc => /b', key)
    expect(result.written.version).toBe(602)
    expect(calls.length).toBeLessThan(50)
    expect(await rig.numbers()).toEqual([602, 1])
  })

  it('are passed over by an edit from outside too', async () => {
    const rig = new Rig()
    await rig.write('/svc => /a')
    await rig.cutOff(2, 601)
    await rig.kubectl.patch(`${path}/${headName('web')}`, { data: { dtab: '/svc => /by/hand' } })
    const { result } = await rig.run(() => rig.store.head('web'))
    expect(result).toMatchObject({ text: '/svc => /by/hand', meta: { author: 'external' } })
  })

  it('are gone with the versions around them, those too whose makers have marked them as unused', async () => {
    const rig = new Rig()
    await rig.write('/svc => /a')
    await rig.cutOff(2, 3)
    const unused = `${path}/${versionName('web', 2)}`
    await rig.objects.patch(unused, { metadata: { labels: { 'nameplane.io/dtab': 'unused' } } })
    for (const text of ['/svc => /b', '/svc => /c']) await rig.write(text)
    await rig.run(() => rig.store.forget('web', [4]))
    for (const number of [2, 3, 4])
      expect(await rig.objects.find(`${path}/${versionName('web', number)}`)).toBeUndefined()
    expect(await rig.numbers()).toEqual([5, 1])
  })

  it('are known for what they are by a few calls', async () => {
    const rig = new Rig()
    await rig.write('/svc => /a')
    await rig.cutOff(2, 81)
    await rig.write('/svc => /b')
    const { result, calls } = await rig.run(() => rig.store.version('web', 3))
    expect(result).toBeUndefined()
    expect(calls.length).toBeLessThan(10)
    const recalled = await rig.run(() => rig.store.recall('web', key.idempotency))
    expect(recalled.result).toBeUndefined()
    expect(recalled.calls.length).toBeLessThan(10)
  })
})

describe('a copy of a version under another name', () => {
  it('is no version, whatever its labels and annotations say', async () => {
    const rig = new Rig()
    await rig.write('/svc => /a')
    await rig.write('/svc => /b', key)
    const copied = decodeObject(await rig.objects.find(`${path}/${versionName('web', 2)}`))
    const annotations = { ...copied.annotations, 'nameplane.io/version': '900' }
    for (const [name, noted] of [['backup', copied.annotations] as const, ['raised', annotations] as const])
      await rig.objects.create(path, {
        metadata: { name, labels: copied.labels, annotations: noted },
        data: copied.data,
      })
    await rig.objects.remove(`${path}/${headName('web')}`)
    const { result } = await rig.run(() => rig.store.head('web'))
    expect(result).toMatchObject({ version: 3, meta: { author: 'external', parent: 2 } })
    await rig.run(() => rig.store.forget('web', [2]))
    expect(await rig.numbers()).toEqual([3, 1])
    expect(await rig.objects.find(`${path}/backup`)).toBeDefined()
  })
})

describe('an import into ConfigMaps', () => {
  const past = [1, 2].map(number => versionOf('web', number, `/import => /v${number}`))
  const numberOne = `${path}/${versionName('web', 1)}`
  const turn = () => new Promise(resolve => setImmediate(resolve))

  it('takes nothing from a first write that is under way', async () => {
    const cluster = new FakeKubernetesStore()
    let move = () => {}
    const moving = new Promise<void>(resolve => {
      move = resolve
    })
    const patch = (objects: KubernetesObjects) => async (at: string, change: object) => {
      await moving
      return objects.patch(at, change)
    }
    const writer = new Rig(objects => ({ ...objects, patch: patch(objects) }), cluster)
    const importer = new Rig(undefined, cluster)
    const writing = writer.write('/svc => /a')
    while ((await importer.objects.find(numberOne)) === undefined) await turn()
    const importing = importer.run(() => codeOf(importer.store.importHistory('web', past)))
    for (let turns = 0; turns < 50; turns++) await turn()
    move()
    expect((await writing).result.written.version).toBe(1)
    expect((await importing).result).toBe('dtab-exists')
    const { result } = await importer.run(() => importer.store.version('web', 1))
    expect(result?.text).toBe('/svc => /a')
    expect(await importer.numbers()).toEqual([1])
  })

  it('takes the number of a first write that was cut off', async () => {
    const rig = new Rig()
    await rig.objects.create(path, encodeEmptyHead('web', undefined))
    await rig.cutOff(1, 1)
    await rig.run(() => rig.store.importHistory('web', past))
    const { result } = await rig.run(() => rig.store.version('web', 1))
    expect(result?.text).toBe('/import => /v1')
    expect(await rig.numbers()).toEqual([2, 1])
  })
})
