import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { ProxiesApplied } from '../../../api/proxies.ts'
import { type ProxyRecord, ProxyRegistry } from '../../../api/push/proxy-registry.ts'
import type { Input } from '../../../watch/cell.ts'
import { createKernel } from '../../../watch/kernel.ts'
import { FakeClock } from '../../fakes/clock.fake.ts'

interface Rules {
  readonly version: number
}

interface World {
  readonly clock: FakeClock
  readonly registry: ProxyRegistry
  /** Rules go by this version; streams and the registry hear of it in the next flush. */
  goBy(namespace: string, version: number): void
  join(id: string): ProxyRecord
  /** `id namespace version`, with ` behind` for those that are. */
  shown(): readonly string[]
}

function createWorld(): World {
  const clock = new FakeClock()
  const kernel = createKernel({
    clock,
    onError: error => {
      throw error
    },
  })
  const rules = new Map<string, Input<Rules>>()
  const namespace = (name: string): Input<Rules> => {
    const known = rules.get(name) ?? kernel.input<Rules>(name)
    rules.set(name, known)
    return known
  }
  const registry = new ProxyRegistry({ clock, kernel, namespace, server: 'self' })
  return {
    clock,
    registry,
    goBy: (name, version) => namespace(name).set({ version }),
    join: id => {
      const proxy = registry.join({ protocol: 'nameplane.v1', confirms: true, address: `${id}:1` })
      proxy.identify(id, '1')
      return proxy
    },
    shown: () =>
      registry
        .pageNow({ limit: 1_000 })
        .proxies.flatMap(({ id, namespaces }) =>
          namespaces.map(
            told => `${id} ${told.namespace} ${told.version}${told.behindSince === undefined ? '' : ' behind'}`,
          ),
        ),
  }
}

/** The proxy holds a name, and has all of it. */
function settle(proxy: ProxyRecord, namespace = 'default'): void {
  proxy.namespace(namespace).addNames(1)
  proxy.namespace(namespace).addUnsettled(1)
  proxy.namespace(namespace).addUnsettled(-1)
}

describe('the version that a proxy has applied', () => {
  it('is none before it has confirmed all it follows', () => {
    const { clock, goBy, join, shown } = createWorld()
    goBy('default', 7)
    const progress = join('a').namespace('default')
    progress.addNames(2)
    progress.addUnsettled(2)
    clock.settle()
    expect(shown()).toEqual(['a default 0 behind'])
    progress.addUnsettled(-1)
    expect(shown()).toEqual(['a default 0 behind'])
    progress.addUnsettled(-1)
    expect(shown()).toEqual(['a default 7'])
  })

  it('moves when the delivery of a version has ended, not before, for whoever it changes nothing', () => {
    const { clock, goBy, join, shown } = createWorld()
    goBy('default', 7)
    settle(join('a'))
    clock.settle()
    goBy('default', 8)
    clock.turn()
    expect(shown()).toEqual(['a default 7'])
    clock.settle()
    expect(shown()).toEqual(['a default 8'])
  })

  it('stays what it was while something is unconfirmed, however many versions come', () => {
    const { clock, goBy, join, shown } = createWorld()
    goBy('default', 7)
    const proxy = join('a')
    settle(proxy)
    clock.settle()
    proxy.namespace('default').addUnsettled(1)
    for (const version of [8, 9]) {
      goBy('default', version)
      clock.settle()
    }
    expect(shown()).toEqual(['a default 7 behind'])
    proxy.namespace('default').addUnsettled(-1)
    expect(shown()).toEqual(['a default 9'])
  })

  it('follows what was confirmed as a whole while something is always on its way', () => {
    const { clock, registry, goBy, join, shown } = createWorld()
    goBy('default', 1)
    const proxy = join('a')
    settle(proxy)
    clock.settle()
    proxy.namespace('default').addUnsettled(1)
    for (let version = 2; version <= 100; version++) {
      goBy('default', version)
      clock.settle()
      clock.advance(50)
      proxy.hadAllAt(clock.monotonic() - 25)
    }
    expect(shown()).toEqual(['a default 100 behind'])
    const told = registry.pageNow({ limit: 1 }).proxies[0]?.namespaces[0]
    expect(told?.behindSince).toBe(clock.now() - 25)
  })

  it('is forgotten with the last name, and to be proved again', () => {
    const { clock, goBy, join, shown } = createWorld()
    goBy('default', 7)
    const proxy = join('a')
    settle(proxy)
    clock.settle()
    proxy.namespace('default').addNames(-1)
    expect(shown()).toEqual([])
    proxy.namespace('default').addNames(1)
    clock.settle()
    expect(shown()).toEqual(['a default 0 behind'])
  })

  it('is to be proved again also where something was on its way meanwhile', () => {
    const { clock, goBy, join, shown } = createWorld()
    goBy('default', 7)
    const proxy = join('a')
    settle(proxy)
    settle(join('b'))
    clock.settle()
    const progress = proxy.namespace('default')
    progress.addUnsettled(1)
    progress.addNames(-1)
    expect(shown()).toEqual(['b default 7'])
    progress.addNames(1)
    expect(shown()).toEqual(['a default 0 behind', 'b default 7'])
    progress.addUnsettled(-1)
    expect(shown()).toEqual(['a default 7', 'b default 7'])
  })
})

describe('the registry', () => {
  it('tells who waits at most ten times a second, and soon after a pause', () => {
    const { clock, registry, goBy, join } = createWorld()
    goBy('default', 1)
    const proxies = Array.from({ length: 50 }, (_, i) => join(`p${i}`))
    for (const proxy of proxies) settle(proxy)
    clock.settle()
    const heard: string[] = []
    const listener = {
      heard: ({ applied, total }: ProxiesApplied): void => void heard.push(`${applied}/${total}`),
      lost: () => {},
    }
    const stop = registry.followApplied({ namespace: 'default', version: 2 }, listener)
    for (const proxy of proxies) proxy.namespace('default').addUnsettled(1)
    goBy('default', 2)
    clock.settle()
    for (const proxy of proxies) {
      proxy.namespace('default').addUnsettled(-1)
      clock.advance(10)
    }
    expect(heard.length).toBeLessThanOrEqual(2 + 500 / 100)
    clock.advance(100)
    expect([heard[0], heard.at(-1)]).toEqual(['0/50', '50/50'])
    stop()
    const { length } = heard
    proxies[0]?.leave()
    clock.advance(1_000)
    expect([heard.length, clock.waiting]).toEqual([length, 0])
  })

  it('keeps nothing of proxies that are gone', () => {
    const { clock, registry, goBy, join, shown } = createWorld()
    goBy('default', 1)
    const proxy = join('a')
    const progress = proxy.namespace('default')
    progress.addNames(2)
    progress.addUnsettled(2)
    proxy.leave()
    proxy.leave()
    progress.addUnsettled(-1)
    proxy.namespace('default').addNames(1)
    clock.settle()
    expect([registry.size, shown(), registry.behindCounts(), registry.settledVersion('default')]).toEqual([
      0,
      [],
      [],
      0,
    ])
  })

  it('lists proxies of one id apart, page by page', () => {
    const { registry, join } = createWorld()
    for (const id of ['b', 'a', 'a', 'a', 'c']) join(id)
    const refs = new Set<string>()
    const ids: string[] = []
    for (let after: string | undefined; ; ) {
      const page = registry.pageNow({ limit: 2, ...(after !== undefined && { after }) })
      for (const { id, ref } of page.proxies) {
        ids.push(id)
        refs.add(ref)
      }
      if (page.next === undefined) break
      after = page.next
    }
    expect([ids, refs.size]).toEqual([['a', 'a', 'a', 'b', 'c'], 5])
  })
})

it('counts who is behind by namespace, in an order that all threads have in common', () => {
  const { registry, clock, join } = createWorld()
  for (const name of ['c', 'a', 'b']) settle(join(name), name)
  join('late').namespace('d').addNames(1)
  clock.settle()
  expect(registry.behindCounts()).toEqual([
    ['d', 1],
    ['a', 0],
    ['b', 0],
    ['c', 0],
  ])
})

it('ends a page early where proxies follow names of very many namespaces, and lacks nobody', () => {
  const { registry, join } = createWorld()
  for (const id of ['a', 'b', 'c']) {
    const proxy = join(id)
    for (let i = 0; i < 1_000; i++) proxy.namespace(`n${i}`).addNames(1)
  }
  for (let i = 0; i < 18; i++) {
    const proxy = join(`d${i}`)
    for (let j = 0; j < 500; j++) proxy.namespace(`n${j}`).addNames(1)
  }
  const pages: number[] = []
  for (let after: string | undefined = ''; after !== undefined; ) {
    const page = registry.pageNow({ limit: 1_000, ...(after !== '' && { after }) })
    expect(page.total).toBe(21)
    pages.push(page.proxies.length)
    after = page.next
  }
  expect(pages).toEqual([17, 4])
})

const namespaces = ['x', 'y'] as const

/** One proxy in one namespace, as plainly as it can be said. */
interface NaiveProgress {
  names: number
  unsettled: number
  /** What it had applied at the last moment in which it had all; 0 before any. */
  had: number
  hasSettled: boolean
  behindSince: number
}

/** The rules of versions, told by going through everybody at every step. */
class Naive {
  readonly progress = new Map<string, NaiveProgress>()
  readonly confirmedAt = new Map<number, number>()
  readonly goesBy = new Map<string, number>()
  /** What was settled, and when; only while somebody follows. */
  readonly settled = new Map<string, { readonly version: number; readonly at: number }[]>()

  at(proxy: number, namespace: string): NaiveProgress {
    const key = `${proxy} ${namespace}`
    const known = this.progress.get(key) ?? { names: 0, unsettled: 0, had: 0, hasSettled: false, behindSince: 0 }
    this.progress.set(key, known)
    return known
  }

  settledVersion(namespace: string): number {
    return this.settled.get(namespace)?.at(-1)?.version ?? 0
  }

  flush(now: number): void {
    for (const namespace of namespaces) {
      const history = this.settled.get(namespace)
      const version = this.goesBy.get(namespace)
      if (history === undefined || version === undefined || history.at(-1)?.version === version) continue
      history.push({ version, at: now })
    }
  }

  version(proxy: number, namespace: string): number {
    const { unsettled, hasSettled, had, behindSince } = this.at(proxy, namespace)
    if (unsettled === 0 && hasSettled) return this.settledVersion(namespace)
    const confirmedAt = this.confirmedAt.get(proxy) ?? Number.NEGATIVE_INFINITY
    const confirmed = this.settled.get(namespace)?.findLast(({ at }) => at < confirmedAt)?.version ?? 0
    return confirmedAt > behindSince ? Math.max(had, confirmed) : had
  }

  /** Namespaces that nobody follows are forgotten. */
  follow(): void {
    for (const namespace of namespaces) {
      const isFollowed = [...this.progress].some(([key, { names }]) => key.endsWith(` ${namespace}`) && names > 0)
      if (!isFollowed) this.settled.delete(namespace)
      else if (!this.settled.has(namespace)) this.settled.set(namespace, [])
    }
  }
}

const proxyCount = 2
const all = [...Array(proxyCount).keys()].flatMap(proxy => namespaces.map(namespace => ({ proxy, namespace })))
const step = fc.record({
  what: fc.constantFrom(
    ...'name,name,news,news,confirm,confirm,unname,unname,version,flush,flush,had,leave'.split(','),
  ),
  proxy: fc.nat({ max: proxyCount - 1 }),
  namespace: fc.constantFrom(...namespaces),
})

describe('any sequence of subscriptions, news, confirmations and versions', () => {
  it('shows what going through everybody at every step would show', () => {
    const property = fc.property(fc.array(step, { minLength: 40, maxLength: 80, size: 'max' }), steps => {
      const world = createWorld()
      const naive = new Naive()
      const proxies = Array.from({ length: proxyCount }, (_, i) => world.join(`p${i}`))
      let version = 0
      for (const { what, proxy, namespace } of steps) {
        world.clock.pass(1)
        const now = world.clock.monotonic()
        const known = naive.at(proxy, namespace)
        const record = proxies[proxy]
        if (record === undefined) throw new Error('no such proxy')
        if (what === 'name') {
          record.namespace(namespace).addNames(1)
          if (known.names++ === 0) Object.assign(known, { had: 0, hasSettled: false, behindSince: now })
        } else if (what === 'unname' && known.names > 0) {
          record.namespace(namespace).addNames(-1)
          known.names--
        } else if (what === 'news' && known.names > 0) {
          if (known.unsettled === 0 && known.hasSettled)
            Object.assign(known, { had: naive.settledVersion(namespace), behindSince: now })
          record.namespace(namespace).addUnsettled(1)
          known.unsettled++
        } else if (what === 'confirm' && known.unsettled > 0) {
          record.namespace(namespace).addUnsettled(-1)
          known.unsettled--
          if (known.unsettled === 0) known.hasSettled = true
        } else if (what === 'version') {
          world.goBy(namespace, ++version)
          naive.goesBy.set(namespace, version)
        } else if (what === 'flush') {
          world.clock.settle()
          naive.flush(now)
        } else if (what === 'had') {
          record.hadAllAt(now)
          naive.confirmedAt.set(proxy, now)
        } else if (what === 'leave') {
          record.leave()
          proxies[proxy] = world.join(`p${proxy}`)
          naive.confirmedAt.delete(proxy)
          for (const each of namespaces) naive.progress.delete(`${proxy} ${each}`)
        }
        naive.follow()
        compare(world, naive)
      }
    })
    fc.assert(property, { seed: 707, numRuns: 150 })
  })
})

/** One text each, for there are very many comparisons. */
function compare({ registry, shown }: World, naive: Naive): void {
  const followers = all.filter(({ proxy, namespace }) => naive.at(proxy, namespace).names > 0)
  const isBehind = ({ proxy, namespace }: (typeof all)[number]): boolean => {
    const { unsettled, hasSettled } = naive.at(proxy, namespace)
    return unsettled > 0 || !hasSettled
  }
  const lines = followers.map(each => {
    const version = naive.version(each.proxy, each.namespace)
    return `p${each.proxy} ${each.namespace} ${version}${isBehind(each) ? ' behind' : ''}`
  })
  const counts = namespaces.map(namespace => {
    const own = followers.filter(each => each.namespace === namespace)
    const applied = own.filter(({ proxy }) => naive.version(proxy, namespace) >= 3)
    return `${own.length} ${applied.length} ${own.filter(isBehind).length}`
  })
  const told = namespaces.map(namespace => {
    const { total, applied } = appliedOf(registry, namespace, 3)
    return `${total} ${applied} ${registry.behindCounts().find(([name]) => name === namespace)?.[1] ?? 0}`
  })
  const isRight = [...shown(), ...told].join() === [...lines, ...counts].join()
  if (!isRight) expect([shown(), told]).toEqual([lines, counts])
}

function appliedOf(registry: ProxyRegistry, namespace: string, version: number): ProxiesApplied {
  let told: ProxiesApplied = { total: -1, applied: -1 }
  const heard = (counts: ProxiesApplied): void => {
    told = counts
  }
  registry.followApplied({ namespace, version }, { heard, lost: () => {} })()
  return told
}

describe('what a proxy says of itself', () => {
  it('is cut where it is long, for it is shown to others', () => {
    const { join, registry } = createWorld()
    const long = 'x'.repeat(100_000)
    const proxy = join(long)
    proxy.identify(long, long)
    proxy.refused(long, long)
    const { proxies } = registry.pageNow({ limit: 10 })
    expect(proxies).toMatchObject([{ id: `${'x'.repeat(252)}…`, version: `${'x'.repeat(63)}…` }])
    expect(JSON.stringify(proxies.map(({ lastRefusal }) => lastRefusal)).length).toBeLessThan(2_200)
  })
})
