import { describe, expect, it } from 'vitest'
import type { ProxiesReport, ProxiesWait, ProxySource } from '../../../api/proxies.ts'
import type { ServerState } from '../../../api/servers.ts'
import { Fleet } from '../../../server/proxies/fleet.ts'
import type { Input } from '../../../watch/cell.ts'
import { createKernel } from '../../../watch/kernel.ts'
import { FakeClock } from '../../fakes/clock.fake.ts'
import { FakePeer, FakePeers } from '../../fakes/peers.fake.ts'

interface World {
  readonly clock: FakeClock
  readonly own: FakePeer
  readonly peers: FakePeers
  /** `b down` for one that does not reply. */
  present(...ids: readonly string[]): void
  /** From now on the store does not say who is present. */
  blind(): void
  /** Waits; `text` shows the report once it is there. */
  wait(enough: ProxiesWait['enough'], options?: Partial<ProxiesWait>): { text: () => Promise<string | undefined> }
}

function stateOf(text: string): ServerState {
  const [id = '', isDown] = text.split(' ')
  const replies = isDown === undefined
  const about = {
    id,
    isSelf: id === 'self',
    address: `${id}:1`,
    version: '1',
    startedAt: 1,
    since: 1,
    dtabs: new Map(),
  }
  return { ...about, replies, ...(!replies && { error: 'connection refused' }) }
}

function createWorld(): World {
  const clock = new FakeClock()
  const kernel = createKernel({
    clock,
    onError: error => {
      throw error
    },
  })
  const list: Input<readonly ServerState[]> = kernel.input('servers', { initial: [stateOf('self')] })
  const own = new FakePeer()
  const peers = new FakePeers()
  const peer = (id: string): ProxySource => peers.at(id)
  const fleet = new Fleet({ clock, own, servers: { list: () => list, newest: () => 0 }, peer })
  return {
    clock,
    own,
    peers,
    present: (...ids) => {
      list.set(['self', ...ids].map(stateOf))
      clock.settle()
    },
    blind: () => {
      list.fail(new Error('the store is away'))
      clock.settle()
    },
    wait: (enough, options = {}) => {
      const signal = new AbortController().signal
      const wanted = { namespace: 'default', version: 2, enough, timeoutMs: 5_000, signal, ...options }
      let done: ProxiesReport | undefined
      void fleet.whenApplied(wanted).then(report => {
        done = report
      })
      return {
        text: async () => {
          await Promise.resolve()
          if (done === undefined) return undefined
          const silent = done.silent.map(({ id, error }) => `, ${id}: ${error}`).join('')
          return `${done.applied}/${done.total}${done.isReached ? ' reached' : ''}${silent}`
        },
      }
    },
  }
}

describe('waiting for a share of the proxies', () => {
  it('ends when the whole of all servers has it, not the part of one', async () => {
    const { own, peers, present, wait } = createWorld()
    present('b')
    own.count(9, 10)
    const waiting = wait({ share: 0.9 })
    expect(await waiting.text()).toBeUndefined()
    peers.at('b').count(5, 10)
    expect(await waiting.text()).toBeUndefined()
    own.count(10, 10)
    peers.at('b').count(8, 10)
    expect(await waiting.text()).toBe('18/20 reached')
    expect([own.listeners.size, peers.at('b').listeners.size]).toEqual([0, 0])
  })

  it('does not end while a server is silent, whose proxies nobody knows, and names it when the time is over', async () => {
    const { clock, own, peers, present, wait } = createWorld()
    present('b', 'c down')
    own.count(10, 10)
    const waiting = wait({ share: 0.5 })
    expect(await waiting.text()).toBeUndefined()
    clock.advance(4_999)
    expect(await waiting.text()).toBeUndefined()
    clock.advance(1)
    expect(await waiting.text()).toBe('10/10, b: it has not answered in time, c: connection refused')
    expect([clock.waiting, peers.at('b').listeners.size]).toEqual([0, 0])
  })

  it('does not end while the store does not say who is present, for nobody knows of other servers', async () => {
    const { clock, own, present, blind, wait } = createWorld()
    blind()
    own.count(10, 10)
    const [waiting, counting] = [wait({ share: 0.5 }), wait({ count: 10 })]
    expect([await waiting.text(), await counting.text()]).toEqual([undefined, '10/10 reached'])
    present()
    expect(await waiting.text()).toBe('10/10 reached')
    blind()
    const late = wait({ share: 0.5 })
    clock.advance(5_000)
    expect(await late.text()).toBe('10/10')
  })

  it('ends once a silent server is gone from the store', async () => {
    const { own, present, wait } = createWorld()
    present('c down')
    own.count(10, 10)
    const waiting = wait({ share: 1 })
    present()
    expect(await waiting.text()).toBe('10/10 reached')
  })

  it('asks again a server whose stream broke, and counts what it said before no more', async () => {
    const { clock, own, peers, present, wait } = createWorld()
    present('b')
    own.count(1, 2)
    const waiting = wait({ share: 0.5 })
    peers.at('b').count(0, 10)
    peers.at('b').lose('reset')
    own.count(2, 2)
    expect(await waiting.text()).toBeUndefined()
    peers.at('b').count(10, 10)
    clock.advance(500)
    expect(await waiting.text()).toBe('12/12 reached')
  })

  it('listens to a server that comes while it waits', async () => {
    const { own, peers, present, wait } = createWorld()
    own.count(0, 1)
    const waiting = wait({ share: 1 })
    present('b')
    own.count(1, 1)
    expect(await waiting.text()).toBeUndefined()
    peers.at('b').count(3, 3)
    expect(await waiting.text()).toBe('4/4 reached')
  })
})

describe('waiting for a number of proxies', () => {
  it('ends when so many have it, whoever is silent', async () => {
    const { own, present, wait } = createWorld()
    present('b down')
    own.count(2, 10)
    const waiting = wait({ count: 3 })
    expect(await waiting.text()).toBeUndefined()
    own.count(3, 10)
    expect(await waiting.text()).toBe('3/10 reached, b: connection refused')
  })

  it('ends at once without time, and when nobody waits any more', async () => {
    const { own, wait } = createWorld()
    own.count(2, 10)
    expect(await wait({ count: 3 }, { timeoutMs: 0 }).text()).toBe('2/10')
    const left = new AbortController()
    const waiting = wait({ count: 3 }, { signal: left.signal })
    left.abort()
    expect(await waiting.text()).toBe('2/10')
    expect(own.listeners.size).toBe(0)
  })
})
