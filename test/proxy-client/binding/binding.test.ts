import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { union } from '../../../naming/name-tree.ts'
import { showPath } from '../../../naming/path.ts'
import type { ReplicaSet } from '../../../naming/replica-set.ts'
import { eachLeaf } from '../../../naming/tree-leaves.ts'
import { createBalancer } from '../../../proxy-client/balancer/create-balancer.ts'
import type { Binding } from '../../../proxy-client/binding/binding.ts'
import { BindingCache } from '../../../proxy-client/binding/binding-cache.ts'
import type { ClientParts } from '../../../proxy-client/client/bound-client.ts'
import { ClientCache } from '../../../proxy-client/client/client-cache.ts'
import type { Upstream } from '../../../proxy-client/pool/upstream.ts'
import { createBackoff } from '../../../proxy-client/retry/backoff.ts'
import { createRetryBudget } from '../../../proxy-client/retry/retry-budget.ts'
import type { ServiceParts } from '../../../proxy-client/service/service.ts'
import { ServiceTable } from '../../../proxy-client/service/service-table.ts'
import { createKernel } from '../../../watch/kernel.ts'
import { FakeClock } from '../../fakes/clock.fake.ts'
import { endpointAt, FakeNaming, leafOf, pathOf } from '../naming.fake.ts'
import { noStats } from '../no-stats.fixture.ts'

const budget = { ttlSecs: 10, minRetriesPerSec: 10, percentCanRetry: 0.2 }

function clientParts(clock: FakeClock): ClientParts {
  const balancer = createBalancer<Upstream>(
    { kind: 'p2c', maxEffort: 5, enableProbation: false },
    { random: () => 0, clock, open: () => upstream, close: () => {} },
  )
  const requeueBudget = createRetryBudget(budget, clock)
  return { balancer, requeueBudget, attemptTimeouts: undefined, attemptTimeoutMs: undefined, stats: noStats }
}

function serviceParts(clock: FakeClock): ServiceParts {
  return {
    classify: () => 'success',
    budget: createRetryBudget(budget, clock),
    createBackoff: () => createBackoff({ kind: 'constant', ms: 0 }, () => 0),
    totalTimeouts: undefined,
    totalTimeoutMs: undefined,
    stats: noStats,
  }
}

const upstream: Upstream = {
  send: () => {
    throw new Error('nothing is sent here')
  },
  connections: 0,
  close: () => Promise.resolve(),
  destroy: () => Promise.resolve(),
}

function setUp(limits: { readonly paths?: number; readonly clients?: number } = {}) {
  const clock = new FakeClock()
  const kernel = createKernel({
    clock,
    onError: error => {
      throw error
    },
  })
  const naming = new FakeNaming(kernel)
  const idleMs = 600_000
  const released: string[] = []
  const clients = new ClientCache({
    resolver: naming,
    clock,
    max: limits.clients ?? 10,
    idleMs,
    create: () => clientParts(clock),
    onRelease: id => released.push(id),
  })
  const services = new ServiceTable({ create: () => serviceParts(clock), onRelease: name => released.push(name) })
  const bindings = new BindingCache({
    namespace: 'default',
    resolver: naming,
    services,
    clients,
    clock,
    max: limits.paths ?? 10,
    idleMs,
  })
  const named = (text: string) => ({ path: pathOf(text), text })
  const tryAt = (text: string, dtab = '') => bindings.at(named(text), dtab)
  const at = (text: string, dtab = ''): Binding => {
    const binding = tryAt(text, dtab)
    if (binding === undefined) throw new Error(`${text} got no binding`)
    return binding
  }
  return { clock, kernel, naming, clients, services, bindings, released, tryAt, at }
}

function drawnId(binding: Binding): string {
  const drawn = binding.draw(() => 0)
  return drawn.kind === 'leaf' ? drawn.value.client.idText : drawn.kind
}

const replicas = (...ports: readonly number[]): ReplicaSet => ({
  kind: 'bound',
  endpoints: ports.map(port => endpointAt(port)),
})

describe('a binding', () => {
  it('is asked for once per name and local dtab', () => {
    const { at, naming } = setUp()
    expect(at('/svc/web')).toBe(at('/svc/web'))
    at('/svc/web', '/a=>/b')
    expect(naming.asked).toEqual(['default /svc/web', 'default /svc/web /a=>/b'])
  })

  it('waits for a tree no longer than it is told to', () => {
    const { at, clock } = setUp()
    const binding = at('/svc/web')
    let ended = 0
    binding.whenSettled(1000, () => ended++)
    expect(binding.isAwaited).toBe(true)
    clock.advance(999)
    expect(ended).toBe(0)
    clock.advance(1)
    expect({ ended, isBound: binding.isBound, isAwaited: binding.isAwaited }).toEqual({
      ended: 1,
      isBound: false,
      isAwaited: false,
    })
    expect(clock.waiting).toBe(1) // the cache's own timer
  })

  it('calls nobody who has left', () => {
    const { at, naming, clock } = setUp()
    const cancel = at('/svc/web').whenSettled(1000, () => {
      throw new Error('called')
    })
    cancel()
    naming.route('/svc/web', '/#/web', [endpointAt(1)])
    clock.advance(1000)
    expect(at('/svc/web').isAwaited).toBe(false)
  })

  it('lets those who wait go on as soon as it is bound, or has failed', () => {
    const { at, naming, clock } = setUp()
    const bound = at('/svc/web')
    const failing = at('/svc/bad')
    const settled: string[] = []
    for (const binding of [bound, failing]) binding.whenSettled(1000, () => settled.push(binding.pathText))
    naming.route('/svc/web', '/#/web', [endpointAt(1)])
    naming.tree('/svc/bad').fail(new Error('too deep'))
    clock.settle()
    expect(settled.toSorted()).toEqual(['/svc/bad', '/svc/web'])
    expect(drawnId(bound)).toBe('/#/web')
    expect(failing.unboundState).toMatchObject({ kind: 'failed', error: { message: 'too deep' } })
  })

  it('keeps its last tree when the name fails later', () => {
    const { at, naming, clock } = setUp()
    naming.route('/svc/web', '/#/web', [endpointAt(1)])
    const binding = at('/svc/web')
    naming.tree('/svc/web').fail(new Error('server away'))
    clock.settle()
    expect(drawnId(binding)).toBe('/#/web')
    expect(binding.stale).toMatchObject({ since: clock.now(), reason: { message: 'server away' } })
  })

  it('serves each new tree at once and gives the clients of the old one back', () => {
    const { at, naming, clock, clients } = setUp()
    naming.route('/svc/web', '/#/old', [endpointAt(1)])
    const binding = at('/svc/web')
    naming.route('/svc/web', '/#/new', [endpointAt(2)])
    clock.settle()
    expect(drawnId(binding)).toBe('/#/new')
    expect(Array.from(clients.values(), ({ idText, users }) => [idText, users])).toEqual([
      ['/#/old', 0],
      ['/#/new', 1],
    ])
  })

  it('tells the upstream its service, client, residual and dtab', () => {
    const { at, naming } = setUp()
    naming.tree('/svc/web', '/a=>/b').set(leafOf('/#/web', '/rest'))
    const drawn = at('/svc/web', '/a=>/b').draw(() => 0)
    expect(drawn.kind === 'leaf' && drawn.value.lines).toBe(
      'l5d-dst-service: /svc/web\r\nl5d-dst-client: /#/web\r\nl5d-dst-residual: /rest\r\nl5d-ctx-dtab: /a=>/b\r\n',
    )
  })
})

describe('the caches of a router', () => {
  it('share the client of one id between names', () => {
    const { at, naming, clients } = setUp()
    naming.replicaSet('/#/web').set(replicas(1))
    for (const name of ['/svc/a', '/svc/b']) {
      naming.tree(name).set(leafOf('/#/web'))
      at(name)
    }
    expect(clients.size).toBe(1)
    expect(naming.asked.filter(asked => asked === '/#/web')).toHaveLength(1)
  })

  it('stop watching what nobody asked for in ten minutes', () => {
    const { at, naming, clock, kernel, bindings, clients } = setUp()
    naming.route('/svc/web', '/#/web', [endpointAt(1)])
    at('/svc/web')
    clock.advance(600_000)
    expect(bindings.size).toBe(0)
    expect(clients.size).toBe(1)
    clock.advance(700_000)
    expect({ clients: clients.size, watchers: kernel.counts().watchers, timers: clock.waiting }).toEqual({
      clients: 0,
      watchers: 0,
      timers: 0,
    })
  })

  it('keep a client while a name leads to it', () => {
    const { at, naming, clock, clients } = setUp()
    naming.route('/svc/web', '/#/web', [endpointAt(1)])
    for (let minutes = 0; minutes < 60; minutes += 5) {
      at('/svc/web')
      clock.advance(5 * 60_000)
    }
    expect(clients.size).toBe(1)
  })

  it('hold no more names than the cap, the least recently used goes', () => {
    const { at, naming, bindings, kernel } = setUp({ paths: 2 })
    naming.route('/svc/a', '/#/web', [endpointAt(1)])
    for (const name of ['/svc/a', '/svc/b', '/svc/a', '/svc/c']) at(name)
    expect(Array.from(bindings.values(), ({ pathText }) => pathText)).toEqual(['/svc/a', '/svc/c'])
    expect(kernel.counts().watchers).toBe(3)
  })

  it('keep a client while requests wait for its endpoints, though its name has been dropped', () => {
    const { at, naming, clock, clients } = setUp({ paths: 1, clients: 1 })
    naming.tree('/svc/a').set(leafOf('/#/a'))
    const drawn = at('/svc/a').draw(() => 0)
    if (drawn.kind !== 'leaf') throw new Error('nothing was drawn')
    const { client } = drawn.value
    const settled: string[] = []
    client.whenSettled(1000, () => settled.push(client.state.kind))
    naming.route('/svc/b', '/#/b', [endpointAt(1)])
    at('/svc/b')
    expect(settled).toEqual([])
    naming.replicaSet('/#/a').set(replicas(2))
    clock.settle()
    expect(settled).toEqual(['known'])
    expect(client.balancer.pick()).toBeDefined()
    naming.route('/svc/c', '/#/c', [endpointAt(1)])
    at('/svc/c')
    expect(Array.from(clients.values(), ({ idText }) => idText)).toEqual(['/#/c'])
  })

  it('refuse a new name while requests wait for every one that is held', () => {
    const { at, tryAt, clock } = setUp({ paths: 1 })
    at('/svc/a').whenSettled(1000, () => {})
    expect(tryAt('/svc/b')).toBeUndefined()
    clock.advance(1000)
    expect(tryAt('/svc/b')).toBeDefined()
  })

  it('make the settings of a name once for all its local dtabs, and let them go with the last', () => {
    const { at, clock, services, released } = setUp()
    const service = at('/svc/web').service
    expect(at('/svc/web', '/a=>/b').service).toBe(service)
    expect(services.size).toBe(1)
    clock.advance(1_200_000)
    expect(services.size).toBe(0)
    expect(released).toEqual(['/svc/web'])
  })

  it('tell of a client that nobody keeps any more', () => {
    const { at, naming, clock, released } = setUp()
    naming.route('/svc/web', '/#/web', [endpointAt(1)])
    at('/svc/web')
    clock.advance(2_400_000)
    expect(released).toEqual(['/svc/web', '/#/web'])
  })

  it('hold each client for exactly the names that lead to it, whatever the trees become', () => {
    const names = ['/svc/a', '/svc/b', '/svc/c', '/svc/d']
    const id = fc.constantFrom('/#/1', '/#/2', '/#/3', '/#/4', '/#/5')
    const step = fc.oneof(
      fc.record({ name: fc.constantFrom(...names), ids: fc.constant(undefined) }),
      fc.record({ name: fc.constantFrom(...names), ids: fc.array(id, { maxLength: 4 }) }),
      fc.record({ passMs: fc.integer({ min: 1, max: 900_000 }) }),
    )
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60 }), steps => {
        const { at, naming, clock, kernel, bindings, clients } = setUp({ paths: 3, clients: 3 })
        for (const next of steps) {
          if ('passMs' in next) clock.advance(next.passMs)
          else if (next.ids === undefined) at(next.name)
          else naming.tree(next.name).set(union(next.ids.map(each => ({ tree: leafOf(each), weight: 1 }))))
          clock.settle()
          const users = new Map<string, number>()
          for (const { tree } of bindings.values()) {
            const ids = new Set<string>()
            if (tree !== undefined) eachLeaf(tree, bound => ids.add(showPath(bound.id)))
            for (const each of ids) users.set(each, (users.get(each) ?? 0) + 1)
          }
          const held = Array.from(clients.values(), client => [client.idText, client.users] as const)
          expect(new Map(held.filter(([, count]) => count > 0))).toEqual(users)
          if ('passMs' in next && next.passMs >= 75_000) expect(clients.size - users.size).toBeLessThanOrEqual(3)
          expect(kernel.counts().watchers).toBe(bindings.size + clients.size)
        }
        bindings.close()
        clients.close()
        expect([kernel.counts().watchers, clock.waiting]).toEqual([0, 0])
      }),
      { seed: 11, numRuns: 100 },
    )
  })

  it('release every watch and timer when they are closed', () => {
    const { at, naming, bindings, clients, kernel, clock } = setUp()
    naming.route('/svc/web', '/#/web', [endpointAt(1)])
    at('/svc/web')
    naming.tree('/svc/web').set(leafOf('/#/new'))
    clock.settle()
    bindings.close()
    clients.close()
    clock.settle()
    expect({ watchers: kernel.counts().watchers, timers: clock.waiting }).toEqual({ watchers: 0, timers: 0 })
  })
})
