import { describe, expect, it } from 'vitest'
import type { ReplicaSet } from '../../../naming/replica-set.ts'
import { createP2c } from '../../../proxy-client/balancer/p2c.ts'
import type { Binding } from '../../../proxy-client/binding/binding.ts'
import { BindingCache } from '../../../proxy-client/binding/binding-cache.ts'
import { ClientCache } from '../../../proxy-client/client/client-cache.ts'
import type { Upstream } from '../../../proxy-client/pool/upstream.ts'
import { createKernel } from '../../../watch/kernel.ts'
import { FakeClock } from '../../fakes/clock.fake.ts'
import { endpointAt, FakeNaming, leafOf, pathOf } from '../naming.fake.ts'

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
  const createBalancer = () => createP2c<Upstream>({ random: () => 0, open: () => upstream, close: () => {} })
  const idleMs = 600_000
  const clients = new ClientCache({ resolver: naming, clock, max: limits.clients ?? 10, idleMs, createBalancer })
  const bindings = new BindingCache({
    namespace: 'default',
    resolver: naming,
    clients,
    clock,
    max: limits.paths ?? 10,
    idleMs,
  })
  const at = (path: string, dtab = ''): Binding => {
    const binding = bindings.at(pathOf(path), dtab)
    if (binding === undefined) throw new Error(`${path} got no binding`)
    return binding
  }
  return { clock, kernel, naming, clients, bindings, at }
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

  it('waits for a tree no longer than it is told to', async () => {
    const { at, clock } = setUp()
    const binding = at('/svc/web')
    const settled = binding.settle(1000)
    expect(binding.isAwaited).toBe(true)
    clock.advance(1000)
    await settled
    expect(binding.isBound).toBe(false)
    expect(clock.waiting).toBe(1) // the cache's own timer
  })

  it('lets those who wait go on as soon as it is bound, or has failed', async () => {
    const { at, naming, clock } = setUp()
    const bound = at('/svc/web')
    const failing = at('/svc/bad')
    const settled = Promise.all([bound.settle(1000), failing.settle(1000)])
    naming.route('/svc/web', '/#/web', [endpointAt(1)])
    naming.tree('/svc/bad').fail(new Error('too deep'))
    clock.settle()
    await settled
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
      ['/#/new', 1],
      ['/#/old', 0],
    ])
  })

  it('tells the upstream its service, client, residual and dtab', () => {
    const { at, naming } = setUp()
    naming.tree('/svc/web', '/a=>/b').set(leafOf('/#/web', '/rest'))
    const drawn = at('/svc/web', '/a=>/b').draw(() => 0)
    expect(drawn.kind === 'leaf' && drawn.value.headers).toEqual([
      ...['l5d-dst-service', '/svc/web', 'l5d-dst-client', '/#/web'],
      ...['l5d-dst-residual', '/rest', 'l5d-ctx-dtab', '/a=>/b'],
    ])
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
    clock.advance(600_000)
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

  it('refuse a new name while requests wait for every one that is held', async () => {
    const { at, bindings, clock } = setUp({ paths: 1 })
    const settled = at('/svc/a').settle(1000)
    expect(bindings.at(pathOf('/svc/b'), '')).toBeUndefined()
    clock.advance(1000)
    await settled
    expect(bindings.at(pathOf('/svc/b'), '')).toBeDefined()
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
