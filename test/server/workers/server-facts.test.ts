import { expect, it } from 'vitest'
import { OwnVersions } from '../../../server/servers/own-versions.ts'
import { factsOfServer, ServerFactsMirror } from '../../../server/workers/server-facts.ts'
import { createKernel } from '../../../watch/kernel.ts'
import { ok } from '../../../watch/state.ts'
import { FakeClock } from '../../fakes/clock.fake.ts'

it('a thread knows where another server has newer rules than its own, until there are none', () => {
  const kernel = createKernel({ clock: new FakeClock(), onError: error => expect.fail(String(error)) })
  const told = new OwnVersions()
  const differing = ['late', 'early', 'new'].map(namespace => {
    const [self, b] = { late: [1, 3], early: [5, 4], new: [0, 2] }[namespace] ?? []
    if (self) told.takeInUse(namespace, self)
    return { namespace, since: 1, versions: new Map(Object.entries({ self: self ?? 0, b: b ?? 0 })) }
  })
  const disagreements = kernel.derive('disagreements', () => ok(differing))
  const mirror = new ServerFactsMirror()
  mirror.take(factsOfServer({ streams: () => 7, told, disagreements: () => disagreements }))
  expect([mirror.streams, ...['late', 'early', 'new', 'same'].map(name => mirror.ahead(name))]).toEqual([7, 3, 0, 2, 0])
  told.takeInUse('late', 3)
  mirror.take(factsOfServer({ streams: () => 7, told, disagreements: () => disagreements }))
  expect(mirror.ahead('late')).toBe(0)
})
