// What a server was told is never undone by what is on its disk.
import { existsSync, rmSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { type Started, WarmWorld } from './warm-world.fixture.ts'

const old = '/svc => /#/fake/v1'
const newer = '/svc => /#/fake/v2'

let world: WarmWorld
beforeEach(() => {
  world = new WarmWorld()
})
afterEach(() => world.close())

/** What a watcher of the head sees, until it leaves. */
function watchHead({ store }: Started): { readonly seen: string[]; leave(): void } {
  const seen: string[] = []
  const leave = store.observe('default').watch(state => {
    if (state.kind !== 'ok') seen.push(state.kind)
    else seen.push(`${state.value?.text}${state.stale === undefined ? '' : ' (stale)'}`)
  })
  return { seen, leave }
}

async function hears(started: Started, text: string): Promise<void> {
  const { seen, leave } = watchHead(started)
  await world.until('the store', () => seen.at(-1) === text)
  leave()
  await world.idle()
}

it('what the store said a moment ago is served, though no file holds it yet', async () => {
  await world.learn()
  const started = await world.start()
  await world.backend.put('default', newer)
  await hears(started, newer)
  world.backend.mode = 'failing'
  const { seen } = watchHead(started)
  await world.until('what was said', () => seen.at(-1) === `${newer} (stale)`)
  expect(world.onDisk()).not.toContain(newer)
  await started.stop()
})

it('what this server could not save is not replaced by an older file', async () => {
  await world.learn()
  const owner = await world.start()
  const other = await world.start()
  await world.backend.put('default', newer)
  await hears(other, newer)
  world.backend.mode = 'failing'
  const { seen } = watchHead(other)
  await world.until('an end', () => seen.at(-1) === 'failed')
  expect(seen).toEqual(['pending', 'failed'])
  await other.stop()
  await owner.stop()
})

it('a namespace that the listing on the disk calls deleted is not served from its file', async () => {
  await world.learn()
  await world.backend.put('default', undefined)
  const started = await world.start()
  started.store.list().watch(() => {})
  await world.pass(200)
  await world.until('the listing', () => world.onDisk().includes('"deleted":true'))
  expect(world.onDisk()).toContain('/#/fake/v1')
  started.crash()
  world.backend.mode = 'failing'
  const again = await world.start()
  const { seen } = watchHead(again)
  await world.until('an end', () => seen.at(-1) === 'failed')
  await again.stop()
})

it('of a head that is newer in the listing the last text is served: it is better than none', async () => {
  await world.learn()
  await world.backend.put('default', newer)
  const started = await world.start()
  started.store.list().watch(() => {})
  await world.pass(200)
  await world.until('the listing', () => world.onDisk().includes('"version":2'))
  started.crash()
  world.backend.mode = 'failing'
  const again = await world.start()
  const { seen } = watchHead(again)
  await world.until('the snapshot', () => seen.at(-1) === `${old} (stale)`)
  await again.stop()
})

it('a text that has the number of another one, after the store was restored, takes its place', async () => {
  await world.learn()
  await world.pass(1_000)
  world.backend.beginAnew()
  await world.backend.put('default', newer)
  const started = await world.start()
  await world.eventually('the file', () => world.onDisk().includes(newer))
  await started.stop()
})

it('a listing is not said to be of a time at which there was another one', async () => {
  await world.learn()
  const started = await world.start()
  await world.pass(9_900, 300)
  await world.backend.put('other', old)
  const confirmed = world.clock.now()
  await world.pass(100, 100)
  const file = join(world.path, 'namespaces.json')
  expect(statSync(file).mtimeMs).toBeLessThan(confirmed)
  await world.eventually('the listing', () => statSync(file).mtimeMs > confirmed)
  await started.stop()
})

it('an answer that was long under way does not overwrite what was heard meanwhile', async () => {
  await world.learn()
  await world.backend.put('default', newer)
  let arrive = (): void => {}
  world.backend.underWay = new Promise<void>(resolve => {
    arrive = resolve
  })
  const started = await world.start()
  await world.eventually('a question', () => world.backend.reads > 0)
  await world.backend.put('default', '/svc => /#/fake/v3')
  await hears(started, '/svc => /#/fake/v3')
  await world.eventually('the file', () => world.onDisk().includes('/#/fake/v3'))
  arrive()
  await world.idle()
  await world.backend.put('later', '/svc => /#/fake/later')
  started.store.observe('later').watch(() => {})
  await world.eventually('a later file', () => world.onDisk().includes('/#/fake/later'))
  expect(world.onDisk()).not.toContain('/#/fake/v2')
  await started.stop()
})

it('a stop does not wait for an answer of the store', async () => {
  await world.learn()
  await world.backend.put('default', newer)
  world.backend.underWay = new Promise(() => {})
  const started = await world.start()
  await world.eventually('a question', () => world.backend.reads > 0)
  await started.stop()
  expect(existsSync(join(world.path, 'owner.json'))).toBe(false)
})

it('files that are removed under a server are written again', async () => {
  await world.learn()
  const started = await world.start()
  started.bindings()
  await world.pass(1_000)
  rmSync(world.path, { recursive: true })
  await world.eventually('the file', () => existsSync(world.path) && world.onDisk().includes('/#/fake/v1'))
  await started.stop()
})
