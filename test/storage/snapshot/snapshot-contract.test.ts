// A store with a snapshot around it is the store that it was.
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { createMemoryStore } from '../../../storage/memory/memory-store.ts'
import { withSnapshot } from '../../../storage/snapshot/index.ts'
import { type StoreFixture, storeCases } from '../../contract/store.contract.ts'
import { FakeClock } from '../../fakes/clock.fake.ts'
import { fixtureOf, tempDirectory, testEnv } from '../store.fixture.ts'

/** They count sources, of which a head and the listing have two here. What they are after is tested below. */
const counting = [
  'opens one upstream watch for any number of observers of a namespace',
  'closes its watches and timers some time after the last watcher left',
]

async function open(): Promise<StoreFixture> {
  const clock = new FakeClock()
  const env = testEnv(clock)
  const directory = tempDirectory()
  const memory = createMemoryStore({ kernel: env.kernel, clock })
  const store = await withSnapshot(memory, { env, path: join(directory.path, 'snapshot'), origin: 'memory' })
  return fixtureOf(store, env, clock, directory.remove)
}

describe('a store with a snapshot', () => {
  let shared: StoreFixture
  beforeAll(async () => {
    shared = await open()
  })
  afterAll(() => shared.close())

  for (const [index, { title, fresh, run }] of storeCases.entries()) {
    if (counting.includes(title)) continue
    it(title, async () => {
      if (fresh !== true) return run(shared, `case-${index}`)
      const own = await open()
      try {
        await run(own, 'own')
      } finally {
        await own.close()
      }
    })
  }

  it('leaves out only cases that there are', () => {
    expect(storeCases.filter(({ title }) => counting.includes(title))).toHaveLength(counting.length)
  })

  it('opens two sources for any number of observers, and closes them with their timers', async () => {
    const own = await open()
    const { store, kernel } = own
    const before = own.waiting
    const ends = Array.from({ length: 50 }, () => store.observe('web').watch(() => {}))
    ends.push(store.list().watch(() => {}))
    expect(kernel.counts().openSources).toBe(4)
    for (const end of ends) end()
    await own.pass(15_000)
    await own.until('the writes', () => own.waiting === before)
    expect(kernel.counts()).toMatchObject({ openSources: 0, watchers: 0 })
    await own.close()
  })
})
