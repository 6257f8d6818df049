import { describe, expect, it } from 'vitest'
import { KubernetesWorld } from './kubernetes.fixture.ts'
import { serviceOf, sliceOf } from './objects.fixture.ts'

describe('the paths of io.l5d.k8s', () => {
  it('are lower-cased, in the id too, and the residual stays as it is', async () => {
    const { cluster, ...rest } = worldWith()
    const tree = rest.world.tree('/Prod/HTTP/Web/Rest/X')
    const seen = rest.world.replicas('/PROD/http/wEB')
    await rest.world.settle()
    expect(tree.last).toBe('/#/io.l5d.k8s/prod/http/web + /Rest/X')
    expect(seen.shown).toBe('10.0.0.1:8080')
    expect(cluster.opened).toHaveLength(1)
  })

  it.each([
    '/',
    '/prod',
    '/prod/http',
    '/prod_x/http/web',
    '/prod/http/we.b',
    '/prod/-http/web',
    '/prod/http/web-',
    `/prod/http/${'w'.repeat(64)}`,
    '/prod/0/web',
    '/prod/65536/web',
  ])('are neg without a request when they can be no names: %s', async path => {
    const { world, cluster } = worldWith()
    const tree = world.tree(path)
    const seen = world.replicas(path)
    await world.settle()
    expect([tree.last, seen.shown]).toEqual(['neg', 'neg'])
    expect([cluster.opened, cluster.asked]).toEqual([[], []])
  })

  it('end with the value of the label when there is a labelSelector', async () => {
    const world = new KubernetesWorld({ labelKey: 'version' })
    world.cluster.put(sliceOf({ name: 'a', labels: { version: 'Blue' } }))
    world.cluster.put(sliceOf({ name: 'b', labels: { version: 'green' }, endpoints: ['10.0.0.2'] }))
    world.cluster.put(sliceOf({ name: 'c', endpoints: ['10.0.0.3'] }))
    const shown = ['/prod/http/web/BLUE/x', '/prod/http/web/green', '/prod/http/web/red', '/prod/http/web'].map(
      path => ({
        tree: world.tree(path),
        seen: world.replicas(path),
      }),
    )
    await world.settle()
    expect(shown.map(({ tree, seen }) => [tree.last, seen.shown])).toEqual([
      ['/#/io.l5d.k8s/prod/http/web/blue + /x', '10.0.0.1:8080'],
      ['/#/io.l5d.k8s/prod/http/web/green + /', '10.0.0.2:8080'],
      ['neg', 'neg'],
      ['neg', 'neg'],
    ])
    expect(world.cluster.opened).toEqual([
      '/apis/discovery.k8s.io/v1/namespaces/prod/endpointslices kubernetes.io/service-name=web,version',
    ])
  })

  it('lack the namespace when it is fixed', async () => {
    const world = new KubernetesWorld({ namespace: 'prod' })
    world.cluster.put(sliceOf())
    const tree = world.tree('/http/web/rest')
    await world.settle()
    expect(tree.last).toBe('/#/io.l5d.k8s.ns/http/web + /rest')
  })
})

describe('the ports of io.l5d.k8s', () => {
  it('are names of ports of the slices, TCP only', async () => {
    const { world, cluster } = worldWith()
    const ports = [
      { name: 'http', port: 8080 },
      { name: 'admin', port: 9990 },
      { name: 'dns', port: 53, protocol: 'UDP' },
    ]
    cluster.put(sliceOf({ ports }))
    const seen = ['http', 'admin', 'dns', 'nope'].map(port => world.replicas(`/prod/${port}/web`))
    await world.settle()
    expect(seen.map(({ shown }) => shown)).toEqual(['10.0.0.1:8080', '10.0.0.1:9990', 'neg', 'neg'])
    expect(cluster.opened).toHaveLength(1)
  })

  it('are numbers of the Service, by the name that they have there, and follow it', async () => {
    const { world, cluster } = worldWith()
    cluster.put(serviceOf({ ports: [{ name: 'http', port: 80 }] }))
    const [http, other] = [world.replicas('/prod/80/web'), world.replicas('/prod/81/web')]
    await world.settle()
    expect([http?.shown, other?.shown]).toEqual(['10.0.0.1:8080', 'neg'])
    cluster.put(serviceOf({ ports: [{ name: 'http', port: 81 }] }))
    await world.pass()
    expect([http?.shown, other?.shown]).toEqual(['neg', '10.0.0.1:8080'])
    expect(cluster.opened).toHaveLength(2)
  })

  it('without a name are found by number', async () => {
    const { world, cluster } = worldWith()
    cluster.put(serviceOf({ ports: [{ port: 80 }] }))
    cluster.put(sliceOf({ ports: [{ name: '', port: 8080 }] }))
    const seen = world.replicas('/prod/80/web')
    await world.settle()
    expect(seen.shown).toBe('10.0.0.1:8080')
  })

  it('by number of a Service that does not exist are neg', async () => {
    const { world } = worldWith()
    const seen = world.replicas('/prod/80/web')
    await world.settle()
    expect(seen.shown).toBe('neg')
  })

  it('that are known and have no ready endpoint exist with none', async () => {
    const { world, cluster } = worldWith()
    cluster.put(sliceOf({ endpoints: [{ address: '10.0.0.1', ready: false }] }))
    const [seen, tree] = [world.replicas('/prod/http/web'), world.tree('/prod/http/web')]
    await world.settle()
    expect([seen.shown, tree.last]).toEqual(['none', '/#/io.l5d.k8s/prod/http/web + /'])
  })
})

describe('the endpoints of io.l5d.k8s', () => {
  it('say on which node and in which zone they are', async () => {
    const { world, cluster } = worldWith()
    cluster.put(
      sliceOf({
        endpoints: [
          { address: '10.0.0.1', nodeName: 'n1', zone: 'a' },
          { address: '10.0.0.2', zone: 'b' },
          { address: '10.0.0.3' },
        ],
      }),
    )
    const seen = world.replicas('/prod/http/web')
    await world.settle()
    expect(seen.last).toMatchObject({
      value: {
        endpoints: [
          { address: '10.0.0.1', weight: 1, metadata: { nodeName: 'n1', zone: 'a' } },
          { address: '10.0.0.2', metadata: { zone: 'b' } },
          { address: '10.0.0.3', port: 8080, weight: 1 },
        ],
      },
    })
  })

  it('of both families count, each once, in an order that does not hang on the slices', async () => {
    const { world, cluster } = worldWith()
    cluster.put(sliceOf({ name: 'b', endpoints: ['10.0.0.1', '10.0.0.3'] }))
    cluster.put(sliceOf({ name: 'c', endpoints: ['2001:db8::1'], addressType: 'IPv6' }))
    cluster.put(sliceOf({ name: 'a', endpoints: ['10.0.0.3', '10.0.0.2'] }))
    const seen = world.replicas('/prod/http/web')
    await world.settle()
    const shown = '10.0.0.1:8080 10.0.0.2:8080 10.0.0.3:8080 2001:db8::1:8080'
    expect(seen.shown).toBe(shown)
    const { length } = seen.states
    cluster.remove('EndpointSlice', 'prod', 'web-1')
    cluster.put(sliceOf({ name: 'a', endpoints: ['10.0.0.2', '10.0.0.3', '10.0.0.1'] }))
    await world.pass()
    expect(seen.shown).toBe(shown)
    expect(seen.states).toHaveLength(length)
  })

  it('given by host name are the addresses of the host, for as long as the slice names it', async () => {
    const { world, cluster, resolver } = worldWith()
    resolver.set('db.example.org', { addresses: ['192.0.2.2', '192.0.2.1'], ttlSeconds: 5 })
    cluster.put(sliceOf({ endpoints: ['db.example.org'], addressType: 'FQDN' }))
    const seen = world.replicas('/prod/http/web')
    await world.settle()
    expect(seen.shown).toBe('192.0.2.1:8080 192.0.2.2:8080')
    resolver.set('db.example.org', { addresses: ['192.0.2.3'], ttlSeconds: 5 })
    await world.pass(6_000)
    expect(seen.shown).toBe('192.0.2.3:8080')
    cluster.put(sliceOf({ endpoints: ['192.0.2.9'] }))
    await world.pass()
    expect(seen.shown).toBe('192.0.2.9:8080')
    await world.pass(31_000)
    expect(world.kernel.sources().filter(({ name }) => name.includes('db.example.org'))).toEqual([])
  })

  it('given by a host name that cannot be looked up are left out, and the name says why', async () => {
    const { world, cluster, resolver } = worldWith()
    resolver.set('db.example.org', new Error('no name server answers'))
    cluster.put(sliceOf({ name: 'fqdn', endpoints: ['db.example.org'], addressType: 'FQDN' }))
    const seen = world.replicas('/prod/http/web')
    await world.settle()
    expect(seen.shown).toMatch(/^10\.0\.0\.1:8080 \(stale: .*no name server answers/)
  })
})

describe('the lag of io.l5d.k8s', () => {
  it('from the trigger time is told once per change, and not of what was there at first', async () => {
    const { world, cluster } = worldWith()
    const at = (ms: number): string => new Date(world.clock.now() + ms).toISOString()
    cluster.put(sliceOf({ triggeredAt: at(-60_000) }))
    world.replicas('/prod/http/web')
    await world.pass()
    expect(await world.metric('watch_source_lag_seconds_count{kind="io.l5d.k8s"}')).toBeUndefined()
    cluster.put(sliceOf({ triggeredAt: at(-20), endpoints: ['10.0.0.2'] }))
    await world.pass()
    cluster.put(sliceOf({ name: 'other', endpoints: ['10.0.0.3'] }))
    await world.pass()
    expect(await world.metric('watch_source_lag_seconds_count{kind="io.l5d.k8s"}')).toBe(1)
    expect(await world.metric('watch_lag_seconds_count{kind="io.l5d.k8s"}')).toBe(3)
  })

  it('of changes that wait for the spacing counts from the first of them', async () => {
    const { world, cluster } = worldWith()
    world.replicas('/prod/http/web')
    await world.pass()
    cluster.put(sliceOf({ endpoints: ['10.0.0.2'] }))
    await world.settle()
    const lag = (): Promise<number | undefined> => world.metric('watch_lag_seconds_sum{kind="io.l5d.k8s"}')
    const before = (await lag()) ?? 0
    for (const address of ['10.0.0.3', '10.0.0.4']) {
      world.clock.advance(40)
      cluster.put(sliceOf({ endpoints: [address] }))
      await world.settle()
    }
    await world.pass(20)
    expect((await lag()) ?? 0).toBeCloseTo(before + 0.06)
    expect(await world.metric('watch_lag_seconds_count{kind="io.l5d.k8s"}')).toBe(3)
  })
})

function worldWith() {
  const world = new KubernetesWorld()
  world.cluster.put(sliceOf())
  return { world, cluster: world.cluster, resolver: world.resolver }
}
