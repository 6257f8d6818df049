import { expect, it } from 'vitest'
import type { AppliedListener, ProxiesApplied, ProxiesPart, ProxySource } from '../../../api/proxies.ts'
import { JoinedProxies } from '../../../server/proxies/joined-proxies.ts'

/** A place with so many proxies that says what a test has it say. */
class FakeSource implements ProxySource {
  readonly listeners = new Set<AppliedListener>()
  readonly #total: number

  constructor(total: number) {
    this.#total = total
  }

  async page(): Promise<ProxiesPart> {
    return { proxies: [], total: this.#total, behind: 1 }
  }

  followApplied(_: unknown, listener: AppliedListener): () => void {
    this.listeners.add(listener)
    return () => this.listeners.delete(listener)
  }

  say(applied: number): void {
    for (const listener of this.listeners) listener.heard({ total: this.#total, applied })
  }
}

const wanted = { namespace: 'default', version: 2 }

it('adds up what all places know, those that come while somebody waits included', async () => {
  const joined = new JoinedProxies()
  const [a, b] = [new FakeSource(3), new FakeSource(4)]
  joined.join(a)
  const heard: ProxiesApplied[] = []
  const end = joined.followApplied(wanted, { heard: counts => heard.push(counts), lost: expect.fail })
  a.say(1)
  const leave = joined.join(b)
  a.say(2) // nobody knows yet of the other
  b.say(4)
  expect(await joined.page({ limit: 10 }, new AbortController().signal)).toMatchObject({ total: 7, behind: 2 })
  leave()
  end()
  expect(heard).toEqual([
    { total: 3, applied: 1 },
    { total: 7, applied: 6 },
    { total: 3, applied: 2 },
  ])
  expect([a.listeners.size, b.listeners.size]).toEqual([0, 0])
})

it('counts a place no more that is lost, and says at once that there is nobody where there is no place', () => {
  const joined = new JoinedProxies()
  const [a, b] = [new FakeSource(1), new FakeSource(2)]
  const heard: ProxiesApplied[] = []
  joined.followApplied(wanted, { heard: counts => heard.push(counts), lost: expect.fail })
  joined.join(a)
  joined.join(b)
  a.say(1)
  for (const listener of b.listeners) listener.lost('it ended')
  expect(heard).toEqual([
    { total: 0, applied: 0 },
    { total: 1, applied: 1 },
  ])
})
