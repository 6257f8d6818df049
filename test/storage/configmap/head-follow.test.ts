import { describe, expect, it } from 'vitest'
import type { Collection, CollectionFollower } from '../../../clients/kubernetes/cluster.ts'
import { fieldManager } from '../../../clients/kubernetes/objects.ts'
import { encodeFacts, factsOf } from '../../../storage/configmap/facts.ts'
import { followHeadObjects } from '../../../storage/configmap/head-follow.ts'
import { encodeTrace } from '../../../storage/configmap/head-object.ts'
import { headName } from '../../../storage/configmap/object-names.ts'
import type { HeadSighting } from '../../../storage/shared/shared-backend.ts'
import { versionOf } from '../../contract/shared-backend.contract.ts'

interface HeadOptions {
  readonly name?: string
  readonly manager?: string
  readonly at?: number
  readonly data?: Readonly<Record<string, string>>
}

/** The head of `web` as we write it at this version, with what a case wants different. */
function headObject(
  version: number,
  { name = headName('web'), manager = fieldManager, at, data }: HeadOptions = {},
): object {
  const text = `/svc => /v${version}`
  return {
    metadata: {
      name,
      uid: 'u',
      resourceVersion: String(at ?? version * 10),
      labels: { 'nameplane.io/dtab': 'head' },
      annotations: encodeFacts(factsOf(versionOf('web', version, text))),
      managedFields: [{ manager, time: '2026-01-01T00:00:00Z' }],
    },
    data: data ?? { namespace: 'web', dtab: text },
  }
}

function traceObject(namespace: string): object {
  return { ...encodeTrace(namespace), metadata: { ...metadataOf(encodeTrace(namespace)), resourceVersion: '5' } }
}

const metadataOf = (object: object): object => (object as { metadata: object }).metadata // as encodeTrace makes it

/** A follow whose lists and events the test makes. */
class Followed {
  readonly resets: { readonly heads: readonly HeadSighting[]; readonly order: number; readonly isRewound: boolean }[] =
    []
  readonly changes: HeadSighting[] = []
  readonly misplaced: string[] = []
  readonly #held = new Map<string, unknown>()
  // What the product gives to the cluster; set by `follow` below, which is called at once.
  #collection: Collection<unknown> | undefined
  #follower: CollectionFollower<unknown> | undefined

  constructor() {
    followHeadObjects({
      cluster: {
        follow: (collection, follower) => {
          this.#collection = collection
          this.#follower = follower as unknown as CollectionFollower<unknown> // of what the collection keeps
          return () => {}
        },
        get: () => Promise.reject(new Error('not asked for')),
        load: () => ({ collections: 0, objects: 0, lists: 0, watches: 0, drift: 0 }),
        close: () => {},
      },
      path: '/configmaps',
      follower: {
        reset: (heads, order, isRewound) => this.resets.push({ heads, order, isRewound }),
        changed: heads => this.changes.push(...heads),
        contact: () => {},
        failed: () => {},
      },
      onMisplaced: (name, reason) => this.misplaced.push(`${name}: ${reason}`),
    })
  }

  /** The cluster holds these under their keys now; undefined removes one. */
  tell(version: number, objects: Readonly<Record<string, object | undefined>>): void {
    for (const [key, object] of Object.entries(objects)) {
      const kept = object === undefined ? undefined : this.#collection?.strip(object)
      if (kept === undefined) this.#held.delete(key)
      else this.#held.set(key, kept)
    }
    const facts = { version: String(version), receivedAt: 0 }
    this.#follower?.changed(this.#held, new Set(Object.keys(objects)), facts)
  }

  fail(): void {
    this.#follower?.failed(new Error('away'), 0)
  }

  contact(version: number): void {
    this.#follower?.contact(String(version))
  }
}

describe('following heads', () => {
  it('tells all at first, then what changes, without texts', () => {
    const followed = new Followed()
    followed.tell(10, { web: headObject(1) })
    followed.tell(20, { web: headObject(2) })
    expect(followed.resets).toMatchObject([{ order: 10, isRewound: false, heads: [{ token: '10', isOurs: true }] }])
    expect(followed.changes).toMatchObject([{ namespace: 'web', token: '20', order: 20, record: { version: 2 } }])
    expect(followed.changes[0]).not.toHaveProperty('content')
  })

  it('does not call ours what somebody else changed last, or whose text is another', () => {
    const followed = new Followed()
    followed.tell(10, { web: headObject(1, { manager: 'kubectl' }) })
    followed.tell(20, { web: headObject(1, { at: 20, data: { namespace: 'web', dtab: '/svc => /other' } }) })
    expect(followed.resets[0]?.heads).toMatchObject([{ isOurs: false, record: { version: 1 } }])
    expect(followed.changes).toMatchObject([{ isOurs: false, record: { version: 1 } }])
  })

  it('tells all anew after a failure, also when nothing has changed meanwhile', () => {
    const followed = new Followed()
    followed.tell(10, { web: headObject(1) })
    followed.fail()
    followed.contact(15)
    followed.fail()
    followed.tell(20, { web: headObject(2) })
    expect(followed.resets.map(({ order, heads }) => [order, heads[0]?.record?.version])).toEqual([
      [10, 1],
      [15, 1],
      [20, 2],
    ])
  })

  it('tells of a cluster that was set back', () => {
    const followed = new Followed()
    followed.tell(50, { web: headObject(5) })
    followed.tell(20, { web: headObject(2) })
    expect(followed.resets).toMatchObject([{ isRewound: false }, { order: 20, isRewound: true }])
  })

  it('tells of a cluster that was set back and has gone on past what was seen, by a head that is older than it was', () => {
    const followed = new Followed()
    followed.tell(50, { web: headObject(5), other: headObject(4) })
    followed.fail()
    followed.tell(70, { web: headObject(2) })
    followed.tell(80, { web: headObject(8) })
    expect(followed.resets).toMatchObject([{ isRewound: false }, { order: 70, isRewound: true }])
    expect(followed.changes).toMatchObject([{ order: 80 }])
  })

  it('tells of a head that was removed, also beside a whole reading, as of one whose versions may be there', () => {
    const followed = new Followed()
    followed.tell(10, { web: headObject(1) })
    followed.fail()
    followed.tell(20, { web: undefined })
    expect(followed.resets[1]?.heads).toEqual([])
    expect(followed.changes).toEqual([{ namespace: 'web', isOurs: false, token: 'none after 1', order: 20 }])
  })

  it('tells of a namespace that has left a trace and no head, once all is known, and of no other', () => {
    const followed = new Followed()
    followed.tell(10, { web: headObject(1), webTrace: traceObject('web'), goneTrace: traceObject('gone') })
    expect(followed.resets[0]?.heads).toMatchObject([{ namespace: 'web' }])
    expect(followed.changes).toEqual([{ namespace: 'gone', isOurs: false, token: 'none after 0', order: 10 }])
    followed.tell(20, { newTrace: traceObject('new') })
    expect(followed.changes).toHaveLength(1)
  })

  it('leaves out what cannot be a head, and says once what its name must be', () => {
    const followed = new Followed()
    const wrong = headObject(1, { name: 'web' })
    followed.tell(10, { web: wrong })
    followed.tell(20, { web: wrong, other: headObject(1, { name: 'other', data: { dtab: '' } }) })
    expect(followed.resets[0]?.heads).toEqual([])
    expect(followed.changes).toEqual([])
    expect(followed.misplaced).toEqual([
      `web: the ConfigMap of the namespace 'web' must be named ${headName('web')}`,
      'other: its data has no key "namespace"',
    ])
  })
})
