// Three servers, people with kubectl, lost answers and deaths, in every order that chance finds: what becomes of the history.
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { KubernetesObjects } from '../../../clients/kubernetes/cluster.ts'
import { headName } from '../../../storage/configmap/object-names.ts'
import { decodeObject } from '../../../storage/configmap/stored-object.ts'
import type { Store } from '../../../storage/store.ts'
import { request } from '../../contract/store.contract.ts'
import { FakeKubernetesStore } from '../../fakes/kubernetes-store.fake.ts'
import { createServer, type Mishaps, steps } from './servers.fixture.ts'

const namespace = 'web'
const collection = '/api/v1/namespaces/place/configmaps'
const path = `${collection}/${headName(namespace)}`

const call = fc.integer({ min: 1, max: 30 })
const mishaps = fc.record({ diesAt: call, losesAt: call, stallsAt: call }, { requiredKeys: [] })

/** What somebody does with kubectl after so many other things have happened. */
const deed = fc.record({
  after: fc.integer({ min: 5, max: 40 }),
  act: fc.constantFrom('edit', 'delete', 'put back', 'label'),
})

/** Sends a write with its key to one server after the other until it is acknowledged; gives its version. */
async function insist(servers: readonly Store[], first: number, edit: string): Promise<number> {
  let last: unknown
  for (let turn = 0; turn < 20; turn++) {
    const server = servers[(first + turn) % servers.length]
    const idempotency = { key: edit, fingerprint: edit }
    try {
      const result = await server?.write(request(namespace, `/svc => /${edit}`, { author: edit, idempotency }))
      if (result !== undefined) return result.written.version
    } catch (error) {
      last = error // dead, or it does not know: the next one is asked
    }
  }
  throw new Error(`${edit} was never acknowledged`, { cause: last })
}

interface Outcome {
  readonly acknowledged: ReadonlyMap<string, number>
  /** The text that was put in by hand last; undefined when nothing was, or was removed since. */
  readonly byHand: string | undefined
}

/** What is wrong with the history after all that. */
async function faultsOf(store: Store, { acknowledged, byHand }: Outcome): Promise<readonly string[]> {
  const head = await store.head(namespace)
  const history = await store.history(namespace, { limit: 1_000 })
  const texts: (string | undefined)[] = []
  const faults: string[] = []
  if (history[0]?.version !== head?.version) faults.push(`head ${head?.version}, history from ${history[0]?.version}`)
  for (const [i, { version, meta }] of history.entries()) {
    const read = await store.version(namespace, version)
    texts.push(read?.text)
    if (meta.parent !== (history[i + 1]?.version ?? 0)) faults.push(`${version} has the parent ${meta.parent}`)
    if (read?.meta.author !== meta.author) faults.push(`${version} is read otherwise than listed`)
  }
  for (const [edit, version] of acknowledged) {
    const found = history.filter(({ meta }) => meta.author === edit).map(each => each.version)
    if (found.join() !== String(version)) faults.push(`${edit} was acknowledged as ${version}, is there as ${found}`)
  }
  if (byHand !== undefined && !texts.includes(byHand)) faults.push(`${byHand} was never taken in`)
  const numbers = new Set(history.map(({ version }) => version))
  for (let version = 1; version <= (head?.version ?? 0); version++)
    if (!numbers.has(version) && (await store.version(namespace, version))) faults.push(`${version} was never a head`)
  return faults
}

/** Runs everything there is, in the scheduler's order. `people` gives the text that they put in last. */
async function run(
  scheduler: fc.Scheduler,
  plans: readonly Mishaps[],
  people: (cluster: FakeKubernetesStore) => Promise<string | undefined>,
): Promise<readonly string[]> {
  const cluster = new FakeKubernetesStore()
  const well = createServer(cluster, scheduler, {})
  const servers = [...plans.map(plan => createServer(cluster, scheduler, plan)), well]
  const acknowledged = new Map<string, number>()
  const edits = plans.flatMap((_, server) => [1, 2].map(n => ({ server, edit: `edit-${server}-${n}` })))
  const clients = edits.map(async ({ server, edit }) => {
    acknowledged.set(edit, await insist(servers, server, edit))
  })
  const done = async (): Promise<readonly string[]> => {
    const [byHand] = await Promise.all([people(cluster), ...clients])
    acknowledged.set('last', await insist([well], 0, 'last'))
    return await faultsOf(well, { acknowledged, byHand })
  }
  return await scheduler.waitFor(done())
}

/** As tools do that mark every object there is. */
async function labelVersions(objects: KubernetesObjects, team: string): Promise<void> {
  const { items } = await objects.listMetadata(collection, { labelSelector: 'nameplane.io/dtab=version' })
  for (const item of items) {
    const { name } = decodeObject(item)
    await objects.patch(`${collection}/${name}`, { metadata: { labels: { team } } }).catch(() => undefined) // taken back since
  }
}

/** What is put back is the first head that they have seen. Gives the text that they put in last and did not remove. */
async function act(
  objects: KubernetesObjects,
  scheduler: fc.Scheduler,
  deeds: readonly { readonly after: number; readonly act: string }[],
): Promise<string | undefined> {
  let exported: ReturnType<typeof decodeObject> | undefined
  let byHand: string | undefined
  for (const [n, { after, act }] of deeds.entries()) {
    await steps(scheduler, after)
    if (act === 'label') {
      await labelVersions(objects, `label-${n}`)
      continue
    }
    const found = await objects.find(path)
    const head = found === undefined ? undefined : decodeObject(found)
    exported ??= head?.data.dtab === undefined ? undefined : head
    if (act === 'delete' && (await objects.remove(path))) byHand = undefined
    else if (head?.data.dtab === undefined) continue
    const old = exported && { metadata: { annotations: exported.annotations }, data: exported.data }
    const change = act === 'edit' ? { data: { dtab: `/svc => /by/hand/${n}` } } : act === 'put back' ? old : undefined
    if (change === undefined) continue
    const isThere = await objects.patch(path, change).then(
      () => true,
      () => false, // somebody has deleted it since
    )
    if (isThere) byHand = change.data.dtab
  }
  return byHand
}

function kubectl(cluster: FakeKubernetesStore, scheduler: fc.Scheduler): KubernetesObjects {
  const step = async (when: 'before' | 'after'): Promise<void> => {
    if (when === 'before') await scheduler.schedule(Promise.resolve(), 'kubectl')
  }
  return cluster.connect(step, 'kubectl')
}

describe('servers on one cluster', () => {
  it('keep every acknowledged edit exactly once, whatever dies between the two steps of a write', async () => {
    const nobody = (): Promise<undefined> => Promise.resolve(undefined)
    const property = fc.asyncProperty(fc.scheduler(), fc.tuple(mishaps, mishaps, mishaps), async (scheduler, plans) => {
      expect(await run(scheduler, plans, nobody)).toEqual([])
    })
    await fc.assert(property, { seed: 5, numRuns: 30 })
  })

  it('do so while people edit, delete, put back what they have exported and label what they see', async () => {
    const deeds = fc.array(deed, { minLength: 1, maxLength: 6 })
    const property = fc.asyncProperty(
      fc.scheduler(),
      fc.tuple(mishaps, mishaps),
      deeds,
      async (scheduler, plans, planned) => {
        const people = (cluster: FakeKubernetesStore) => act(kubectl(cluster, scheduler), scheduler, planned)
        expect(await run(scheduler, plans, people)).toEqual([])
      },
    )
    await fc.assert(property, { seed: 5, numRuns: 30 })
  })
})
