import { describe, expect, it } from 'vitest'
import { storeKinds } from '../../storage/registry.ts'
import type { Store } from '../../storage/store.ts'
import { FakeClock } from '../fakes/clock.fake.ts'
import { testEnv } from './store.fixture.ts'

async function open(name: string, config: object): Promise<Store> {
  const kind = await storeKinds[name]?.()
  if (kind === undefined) throw new Error(`there is no ${name}`)
  return kind.open(kind.config.parse(config), testEnv(new FakeClock()))
}

async function complaints(name: string, config: object): Promise<readonly string[]> {
  const kind = await storeKinds[name]?.()
  const parsed = kind?.config.safeParse(config)
  return (parsed?.error?.issues ?? []).map(({ path, message }) => `${path.join('.')}: ${message}`)
}

describe('the kinds of stores', () => {
  it.each(Object.keys(storeKinds))('%s is registered under its own name', async name => {
    expect((await storeKinds[name]?.())?.kind).toBe(name)
  })

  it.each(Object.keys(storeKinds))('%s refuses a key that it does not know', async name => {
    expect((await complaints(name, { path: 'x', colour: 'red' })).join()).toMatch(/colour/)
  })

  it.each(['memory', 'io.l5d.inMemory'])('%s begins with the namespaces of its configuration', async name => {
    const store = await open(name, { namespaces: { default: '/svc => /#/io.l5d.fs ;' } })
    expect(store.kind).toBe(name)
    expect(await store.head('default')).toMatchObject({
      version: 1,
      text: '/svc => /#/io.l5d.fs ;',
      meta: { author: 'configuration', verified: false },
    })
  })

  it('memory needs no configuration', async () => {
    expect(await (await open('memory', {})).head('default')).toBeUndefined()
  })

  it.each([
    ['a dtab that does not parse', { web: '/a => ' }, /^namespaces\.web: .*expected/],
    ['a namespace that is none', { '../web': '' }, /^namespaces\.\.\.\/web: .*is not a namespace/],
    ['a weight that cannot be kept', { web: `/a => ${'9'.repeat(400)} * /b & /c` }, /^namespaces\.web: .*weight/],
    ['a null', { web: null }, /^namespaces\.web: .*string/],
  ])('memory refuses %s, with its place', async (_what, namespaces, complaint) => {
    expect((await complaints('io.l5d.inMemory', { namespaces })).join()).toMatch(complaint)
  })

  it('sqlite needs a path, and one of a file', async () => {
    expect((await complaints('sqlite', {})).join()).toMatch(/^path: /)
    expect((await complaints('sqlite', { path: '' })).join()).toMatch(/^path: /)
    expect((await complaints('sqlite', { path: ':memory:' })).join()).toMatch(/use the kind `memory`/)
  })
})
