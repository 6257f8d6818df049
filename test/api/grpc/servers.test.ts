import { afterEach, describe, expect, it } from 'vitest'
import { createPeerDialer } from '../../../api/grpc/servers-dialer.ts'
import type { PeerListener, PeerMessage } from '../../../api/servers.ts'
import { decodeFollowResponse, encodeFollowResponse } from '../../../proto/server-versions.ts'
import { serversService } from '../../../proto/servers-service.ts'
import { type Clock, systemClock } from '../../../watch/clock.ts'
import { SteppedClock } from '../http/http-api.fixture.ts'
import { startServer, type TestServer, until } from './grpc-api.fixture.ts'

let server: TestServer
let ends: (() => void)[] = []

afterEach(async () => {
  for (const end of ends) end()
  ends = []
  await server.close()
})

/** Takes note of a followed server. */
class Follower implements PeerListener {
  readonly messages: PeerMessage[] = []
  readonly versions = new Map<string, number>()
  isWhole = false
  reason: string | undefined
  readonly close: () => void

  constructor(address: string, clock: Clock = systemClock) {
    this.close = createPeerDialer({ id: 'follower', version: '1.0.0' }, clock)(address, this)
    ends.push(this.close)
  }

  heard(message: PeerMessage): void {
    this.messages.push(message)
    this.isWhole ||= message.isWhole
    for (const { namespace, version } of message.dtabs) this.versions.set(namespace, version)
  }

  lost(reason: string): void {
    this.reason = reason
  }
}

const many = Array.from({ length: 5_000 }, (_, n) => `ns-${n}`)

describe('a server that is followed over gRPC', () => {
  it('says who it is, then all it goes by in several messages, then what changes', async () => {
    server = await startServer()
    for (const namespace of many) server.servers.own.takeInUse(namespace, 1)
    const follower = new Follower(server.address)
    await until(() => follower.messages.length > 0)
    expect(follower.messages[0]).toEqual({ id: 'self', isWhole: false, dtabs: [] })
    server.servers.own.takeListing([])
    await until(() => follower.isWhole)
    expect(follower.versions.size).toBe(5_000)
    const whole = follower.messages.findIndex(({ isWhole }) => isWhole)
    expect(follower.messages.slice(1, whole + 1).map(({ dtabs }) => dtabs.length)).toEqual([2_000, 2_000, 1_000])
    server.servers.own.takeInUse('ns-7', 2)
    server.servers.own.takeInUse('ns-8', undefined)
    await until(() => follower.versions.get('ns-8') === 0)
    expect(follower.versions.get('ns-7')).toBe(2)
  })

  it('tells the newest version only, once for a burst', async () => {
    server = await startServer()
    server.servers.own.takeListing([])
    const follower = new Follower(server.address)
    await until(() => follower.isWhole)
    for (let version = 1; version <= 10_000; version++) server.servers.own.takeInUse('hot', version)
    await until(() => follower.versions.get('hot') === 10_000)
    expect(follower.messages.length).toBeLessThan(20)
  })

  it('shows that it is alive when it has nothing to say, and tells its end to whoever follows', async () => {
    const clock = new SteppedClock()
    server = await startServer({ clock })
    server.servers.own.takeListing([])
    const follower = new Follower(server.address)
    await until(() => follower.isWhole)
    const { length } = follower.messages
    clock.advance(1_000)
    await until(() => follower.messages.length > length)
    expect(follower.messages.at(-1)).toEqual({ isWhole: false, dtabs: [] })
    server.shutdown.abort()
    await until(() => follower.reason !== undefined)
    expect(follower.reason).toBe('The server is stopping.')
  })

  it('cuts off a follower that was silent for ten seconds', async () => {
    const clock = new SteppedClock()
    server = await startServer({ clock })
    const silent = new SteppedClock()
    const follower = new Follower(server.address, silent)
    await until(() => follower.messages.length > 0)
    for (let second = 0; second < 9; second++) {
      clock.advance(1_000)
      expect(follower.reason).toBeUndefined()
    }
    clock.advance(2_000)
    await until(() => follower.reason !== undefined)
    expect(server.api.followers).toBe(0)
  })

  it('keeps nothing of fifty followers that came and went', async () => {
    server = await startServer()
    server.servers.own.takeListing([])
    for (let round = 0; round < 50; round++) {
      const follower = new Follower(server.address)
      await until(() => follower.isWhole)
      follower.close()
    }
    await until(() => server.servers.own.watching === 0)
    expect(server.api.followers).toBe(0)
  })

  it('says why when it cannot be reached', async () => {
    server = await startServer()
    const follower = new Follower('127.0.0.1:1')
    await until(() => follower.reason !== undefined)
    expect(follower.reason).toMatch(/^connect ECONNREFUSED \S+:\d+$/)
    const lost = new Follower('no address at all')
    await until(() => lost.reason !== undefined)
  })
})

describe('messages between servers', () => {
  it('that cannot be read end the stream with a reason', () => {
    const { responseSerialize } = serversService.Follow
    const message = encodeFollowResponse({
      id: '',
      version: '',
      isWhole: false,
      dtabs: [{ namespace: 'a', version: 1 }],
    })
    expect(() => decodeFollowResponse(responseSerialize(message).subarray(0, -1))).toThrow(RangeError)
    expect(() => decodeFollowResponse(Buffer.from('22051003ffffff', 'hex'))).toThrow(RangeError)
  })

  it('say how many streams there are, where it is told, and nothing where it is not', async () => {
    const none = { id: 'a', version: '1', isWhole: true, dtabs: [] }
    for (const message of [none, { ...none, streams: 0 }, { ...none, streams: 10_000 }])
      expect(decodeFollowResponse(encodeFollowResponse(message))).toEqual(message)
    server = await startServer()
    server.servers.countStreams(() => 7)
    const follower = new Follower(server.address)
    await until(() => follower.messages.length > 0)
    expect(follower.messages[0]).toMatchObject({ id: 'self', streams: 7 })
  })

  it('hold versions up to 2^53', () => {
    const dtabs = [{ namespace: 'ü', version: Number.MAX_SAFE_INTEGER }]
    const message = { id: 'a', version: '1', isWhole: true, dtabs }
    expect(decodeFollowResponse(encodeFollowResponse(message))).toEqual(message)
  })
})
