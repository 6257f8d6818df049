// E3: a namespace that someone watches stays compiled and observed; asking again costs a look into a table.
import { describe, expect, it } from 'vitest'
import { createWorld, recorded } from '../interpreters/world.fixture.ts'

describe('E3: hot namespaces', () => {
  it('evaluates nothing for a second watcher of a watched name', async () => {
    const world = createWorld()
    await world.put('default', '/svc => /#/io.test')
    recorded(world.bind('/svc/web'))
    const before = world.kernel.counts()
    for (let i = 0; i < 100; i++) expect(recorded(world.bind('/svc/web'))).toEqual(['/#/io.test/web'])
    const after = world.kernel.counts()
    expect(after.evaluations).toBe(before.evaluations)
    expect(after.openSources).toBe(before.openSources)
  })

  it('keeps a namespace compiled between one-off questions', async () => {
    const world = createWorld()
    await world.put('default', '/svc => /#/io.test')
    const openedAt = (): number | undefined =>
      world.kernel.sources().find(source => source.name === 'dtab default')?.openedAt
    world.bind('/svc/web').watch(() => {})()
    const first = openedAt()
    expect(first).toBeDefined()
    for (let i = 0; i < 20; i++) {
      world.clock.advance(1_000)
      world.bind('/svc/web').watch(() => {})()
      expect(openedAt()).toBe(first)
    }
  })
})
