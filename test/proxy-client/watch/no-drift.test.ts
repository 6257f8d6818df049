import fc from 'fast-check'
import { expect, test } from 'vitest'
import { NamingError } from '../../../naming/errors.ts'
import type { WatchClientCounts } from '../../../proxy-client/watch/watch-client.ts'
import { endpoints, treeTo } from '../../fakes/interpreter.fake.ts'
import { seededRandom } from '../seeded-random.fixture.ts'
import { NamingWorld } from './naming-world.fixture.ts'

const names = ['/svc/a', '/svc/b', '/svc/c']
const ids = ['/#/fs/1', '/#/fs/2', '/#/fs/3', '/#/fs/4']

type Step = (world: NamingWorld) => void | Promise<void>

const name = fc.constantFrom(...names)
const id = fc.constantFrom(...ids)
/** A failure that may pass by itself, and one that may not. */
const code = fc.constantFrom('namer-unavailable' as const, 'unknown-namer' as const)

const setTree = fc.tuple(name, fc.subarray(ids, { minLength: 1 })).map(
  ([text, leaves]): Step =>
    ({ server }) =>
      server.interpreter.tree(`default${text}`).set(treeTo(...leaves)),
)
const setReplicas = fc.tuple(id, fc.integer({ min: 1, max: 2 })).map(
  ([text, port]): Step =>
    ({ server }) =>
      server.interpreter.set(text).set(endpoints(`127.0.0.1:${port}`)),
)
const failTree = fc.tuple(name, code).map(
  ([text, why]): Step =>
    ({ server }) =>
      server.interpreter.tree(`default${text}`).fail(new NamingError(why, why)),
)
const failReplicas = fc.tuple(id, code).map(
  ([text, why]): Step =>
    ({ server }) =>
      server.interpreter.set(text).fail(new NamingError(why, why)),
)
const toggle = fc.oneof(name, id).map(
  (text): Step =>
    world =>
      world.toggle(text),
)
const cut = fc.integer({ min: 0, max: 150 }).map(
  (bytes): Step =>
    ({ relay }) =>
      relay.cutAfter(bytes),
)
const restart = fc.boolean().map(
  (isCold): Step =>
    world =>
      world.restart(isCold),
)
const turns = fc.integer({ min: 1, max: 40 }).map(
  (count): Step =>
    world =>
      world.turns(count),
)

const steps = fc.array(
  fc.oneof(
    { weight: 6, arbitrary: setTree },
    { weight: 6, arbitrary: setReplicas },
    { weight: 2, arbitrary: failTree },
    { weight: 2, arbitrary: failReplicas },
    { weight: 8, arbitrary: toggle },
    { weight: 2, arbitrary: cut },
    { weight: 1, arbitrary: restart },
    { weight: 8, arbitrary: turns },
  ),
  { minLength: 20, maxLength: 80 },
)

/** No leaf is left pending, so that no new tree has to wait for its time to be over. */
async function end(world: NamingWorld): Promise<void> {
  for (const text of ids)
    if (world.server.interpreter.set(text).peek().kind === 'pending')
      world.server.interpreter.set(text).set(endpoints('127.0.0.1:9'))
  for (const text of [...names, ...ids]) if (!world.isWatched(text)) world.toggle(text)
  await world.until(() => world.drift())
  for (const text of [...names, ...ids]) world.toggle(text)
  await world.until(() => world.leftovers())
}

/** Runs sequences of steps in worlds of their own; gives what each world's client has counted. */
async function runWorlds(numRuns: number, faultRate?: number): Promise<readonly WatchClientCounts[]> {
  const counts: WatchClientCounts[] = []
  await fc.assert(
    fc.asyncProperty(steps, async sequence => {
      const world = await NamingWorld.open(seededRandom(7 + counts.length), faultRate)
      try {
        for (const run of sequence) await run(world)
        await end(world)
        counts.push(world.client.counts())
      } finally {
        await world.close()
      }
    }),
    { seed: 20_261, numRuns, endOnFailure: true },
  )
  return counts
}

const most = (counts: readonly WatchClientCounts[], what: keyof WatchClientCounts): number =>
  Math.max(...counts.map(each => each[what]))

test('after any changes, cuts within messages and restarts the client shows what the server has, and gives all back', async () => {
  const counts = await runWorlds(8)
  expect(most(counts, 'connections')).toBeGreaterThan(2)
})

test('P1: so it does over a link that also loses, repeats and reorders messages, by repair', async () => {
  const counts = await runWorlds(4, 0.3)
  expect(most(counts, 'driftAnswers')).toBeGreaterThan(0)
  expect(most(counts, 'messagesIgnored')).toBeGreaterThan(0)
})

test('P1: so it does when the first message was lost and nothing else is said, on the same stream', async () => {
  const world = await NamingWorld.open(() => 0, 1)
  const { server, link } = world
  for (const text of ids) server.interpreter.set(text).set(endpoints('127.0.0.1:1'))
  server.interpreter.tree('default/svc/a').set(treeTo(...ids))
  world.toggle('/svc/a')
  while (link?.faults === 0) await world.turns(1)
  if (link !== undefined) link.rate = 0
  await world.until(() => world.drift())
  expect(world.client.counts().connections).toBe(1)
  await world.close()
})
