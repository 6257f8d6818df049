// Hosts and ports in paths: where addresses come from, and what happens when they change or cannot be had.
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { type NamerFixture, namerContract } from '../../contract/namer.contract.ts'
import { addressesOf, InetWorld } from './inet.fixture.ts'

const dnsIsAway = new Error('DNS does not answer')

describe('inet', () => {
  let world: InetWorld
  beforeEach(() => {
    world = new InetWorld()
    world.hosts = '10.0.0.9 listed\n10.0.0.8 Listed # twice\nnonsense listed\n'
  })
  afterEach(() => world.dispose())

  it.each([
    ['/$/inet/127.0.0.1/80', '127.0.0.1|80'],
    ['/$/inet/::1/80', '::1|80'],
    ['/$/inet/8080', '127.0.0.1|8080'],
    ['/$/inet/localhost/80', '127.0.0.1|80 ::1|80'],
    ['/$/inet/LISTED/80', '10.0.0.8|80 10.0.0.9|80'],
    ['/$/inet/unknown.example.org/80', 'neg'],
    ['/$/inet/not..a..host\\x20/80', 'neg'],
    ['/$/inet/127.0.0.1/0', 'failed'],
    ['/$/inet/127.0.0.1/99999', 'failed'],
    ['/$/inet/127.0.0.1/-1', 'failed'],
    ['/$/inet', 'failed'],
    ['/$/io.buoyant.rinet/80/127.0.0.1', '127.0.0.1|80'],
    ['/$/io.buoyant.rinet/http/127.0.0.1', 'failed'],
    ['/$/io.buoyant.rinet/80', 'neg'],
    ['/$/fixedinet/listed/80', '10.0.0.8|80 10.0.0.9|80'],
  ])('%s is at %s', async (id, expected) => {
    const seen = world.replicas(id)
    await world.settle()
    expect(addressesOf(seen.at(-1))).toBe(expected)
    expect(world.resolver.asked.filter(host => host !== 'unknown.example.org')).toEqual([])
  })

  it('asks DNS again when the time to live is over, within bounds', async () => {
    world.resolver.set('web', { addresses: ['10.1.0.2', '10.1.0.1', '10.1.0.2'], ttlSeconds: 0 })
    const seen = world.replicas('/$/inet/web/80')
    await world.settle()
    expect(addressesOf(seen.at(-1))).toBe('10.1.0.1|80 10.1.0.2|80')
    world.resolver.set('web', { addresses: ['10.1.0.3'], ttlSeconds: 86_400 })
    await world.pass(1_900)
    expect(world.resolver.asked).toHaveLength(1)
    await world.pass(100)
    expect(addressesOf(seen.at(-1))).toBe('10.1.0.3|80')
    await world.pass(59_000)
    expect(world.resolver.asked).toHaveLength(2)
    await world.pass(1_000)
    expect(world.resolver.asked).toHaveLength(3)
    expect(seen).toHaveLength(3)
  })

  it('keeps the last addresses while DNS is away, backs off, and recovers', async () => {
    world.resolver.set('web', { addresses: ['10.1.0.1'], ttlSeconds: 5 })
    const seen = world.replicas('/$/inet/web/80')
    await world.settle()
    world.resolver.set('web', dnsIsAway)
    await world.pass(5_000)
    expect(addressesOf(seen.at(-1))).toBe('10.1.0.1|80 (stale)')
    const asked: number[] = []
    for (const ms of [499, 1, 999, 1, 1_999, 1]) {
      await world.pass(ms)
      asked.push(world.resolver.asked.length)
    }
    expect(asked).toEqual([2, 3, 3, 4, 4, 5])
    world.resolver.set('web', { addresses: ['10.1.0.1'], ttlSeconds: 5 })
    await world.pass(30_000)
    expect(addressesOf(seen.at(-1))).toBe('10.1.0.1|80')
  })

  it('is neg as soon as DNS says that the host is gone, and back when it is there again', async () => {
    world.resolver.set('web', { addresses: ['10.1.0.1'], ttlSeconds: 5 })
    const seen = world.replicas('/$/inet/web/80')
    await world.settle()
    world.resolver.set('web', { addresses: [], ttlSeconds: 0 })
    await world.pass(5_000)
    expect(addressesOf(seen.at(-1))).toBe('neg')
    world.resolver.set('web', { addresses: ['10.1.0.1'], ttlSeconds: 5 })
    await world.pass(5_000)
    expect(addressesOf(seen.at(-1))).toBe('10.1.0.1|80')
  })

  it('shares one question among all ports and flavours of a host', async () => {
    world.resolver.set('web', { addresses: ['10.1.0.1'], ttlSeconds: 5 })
    for (const id of ['/$/inet/web/80', '/$/inet/web/81', '/$/io.buoyant.rinet/80/web', '/$/fixedinet/web/80'])
      world.replicas(id)
    await world.settle()
    expect(world.resolver.asked).toEqual(['web'])
  })

  /** Until a change of the hosts file was seen, and seen again. */
  async function passTrial(): Promise<void> {
    await world.pass(2_000)
    await world.pass(100)
  }

  it('reads the hosts file again when it has changed, and lives without it', async () => {
    const seen = world.replicas('/$/inet/listed/80')
    await world.settle()
    world.hosts = '10.0.0.7 listed'
    await passTrial()
    expect(addressesOf(seen.at(-1))).toBe('10.0.0.7|80')
    world.hosts = new Error('permission denied')
    await passTrial()
    expect(addressesOf(seen.at(-1))).toBe('10.0.0.7|80 (stale)')
    world.hosts = '10.0.0.7 listed'
    await passTrial()
    expect(addressesOf(seen.at(-1))).toBe('10.0.0.7|80')
    world.hosts = undefined
    await passTrial()
    expect(addressesOf(seen.at(-1))).toBe('neg')
  })

  it('does not take a hosts file that is just being written', async () => {
    const seen = world.replicas('/$/inet/listed/80')
    await world.settle()
    const before = seen.length
    for (const text of ['', undefined, '10.0.0.', '10.0.0.8 lis']) {
      world.hosts = text
      await world.pass(100)
    }
    world.hosts = '10.0.0.8 listed'
    await passTrial()
    expect(seen.slice(before).map(addressesOf)).toEqual(['10.0.0.8|80'])
  })

  it('keeps the addresses of one family while only the other can be asked for', async () => {
    world.resolver.set('web', { addresses: ['10.1.0.1', 'fd00::1'], ttlSeconds: 5 })
    const seen = world.replicas('/$/inet/web/80')
    await world.settle()
    world.resolver.set('web', { addresses: ['10.1.0.2'], ttlSeconds: 5, unanswered: 6 })
    await world.pass(5_000)
    expect(addressesOf(seen.at(-1))).toBe('10.1.0.2|80 fd00::1|80')
    world.resolver.set('web', { addresses: ['fd00::2'], ttlSeconds: 5, unanswered: 4 })
    await world.pass(5_000)
    expect(addressesOf(seen.at(-1))).toBe('10.1.0.2|80 fd00::2|80')
    world.resolver.set('web', { addresses: ['fd00::2'], ttlSeconds: 5 })
    await world.pass(5_000)
    expect(addressesOf(seen.at(-1))).toBe('fd00::2|80')
  })

  it('keeps the first addresses for a fixed host', async () => {
    world.resolver.set('web', { addresses: ['10.1.0.1'], ttlSeconds: 2 })
    const seen = world.replicas('/$/fixedinet/web/80')
    await world.settle()
    world.resolver.set('web', { addresses: ['10.1.0.2'], ttlSeconds: 2 })
    await world.pass(31_000)
    const asked = world.resolver.asked.length
    await world.pass(300_000)
    expect(seen.map(addressesOf)).toEqual(['pending', '10.1.0.1|80'])
    expect(world.resolver.asked).toHaveLength(asked)
  })

  it('asks nobody any more after the last watcher has left', async () => {
    world.resolver.set('web', { addresses: ['10.1.0.1'], ttlSeconds: 2 })
    world
      .namer('inet')
      .replicas(['$', 'inet', 'web', '80'])
      .watch(() => {})()
    await world.pass(31_000)
    const asked = world.resolver.asked.length
    await world.pass(300_000)
    expect(world.resolver.asked).toHaveLength(asked)
    expect(world.clock.waiting).toBe(0)
  })
})

const makeInet = async (): Promise<NamerFixture> => {
  const world = new InetWorld()
  world.resolver.set('web', { addresses: ['10.1.0.1'], ttlSeconds: 2 })
  return {
    namer: world.namer('inet'),
    kernel: world.kernel,
    known: ['web', '80'],
    misshapen: ['web'],
    settle: () => world.settle(),
    setFailing: async isFailing => {
      world.resolver.set('web', isFailing ? dnsIsAway : { addresses: ['10.1.0.1'], ttlSeconds: 2 })
      await world.pass(30_000)
    },
    opened: () => world.resolver.asked.length,
    passLinger: () => world.pass(60_000),
    dispose: async () => world.dispose(),
  }
}

// Every host and port is bound, whether or not DNS knows it.
namerContract('inet', makeInet, ['unknown', 'setKnown'])
