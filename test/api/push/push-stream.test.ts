import { status } from '@grpc/grpc-js'
import { afterEach, beforeEach, describe, expect, onTestFinished, test, vi } from 'vitest'
import { transportOf } from '../../../api/push/http2-of-call.ts'
import type { PushStream } from '../../../api/push/push-stream.ts'
import { seededRandom } from '../../proxy-client/seeded-random.fixture.ts'
import { BarePeer, type BareStream, ContentServer, until } from './push-peer.fixture.ts'

describe('a push stream', () => {
  let server: ContentServer
  let peer: BarePeer

  beforeEach(async () => {
    server = await ContentServer.start()
    peer = new BarePeer(server.port)
  })

  afterEach(async () => {
    peer[Symbol.dispose]()
    await server[Symbol.asyncDispose]()
  })

  /** The server's end of the newest stream. */
  const newest = (): PushStream => server.streams.at(-1) ?? fail()

  test('stands on the HTTP/2 stream of its call, and says so when there is none', async () => {
    const stream = peer.follow('a')
    await until(() => server.streams.length === 1)
    expect(newest().transport?.session.type).toBe(0)
    newest().reset()
    expect(await stream.ended()).toEqual({ resetCode: 8 })
    expect(() => transportOf({}, () => {})).toThrow('keeps its HTTP/2 streams elsewhere')
    expect(() => transportOf({ call: { stream: {} } }, () => {})).toThrow('keeps its HTTP/2 streams elsewhere')
  })

  test.each([0, 1, 4_096, 4_097, 65_536, 700_001])(
    'sends a message of %i bytes whole, and the next after it',
    async size => {
      const first = Buffer.from(Array.from({ length: size }, (_, i) => i % 251))
      server.cell('a').set(first)
      const stream = peer.follow('a')
      await until(() => stream.messages.length === 1)
      server.cell('a').set(Buffer.from('next'))
      await until(() => stream.messages.length === 2)
      expect(stream.messages[0]?.equals(first)).toBe(true)
      expect(stream.messages[1]?.toString()).toBe('next')
      expect(server.context.unsent.bytes).toBe(0)
    },
  )

  test('ends with its status after what is on its way, however large', async () => {
    server.cell('a').set(Buffer.alloc(1_000_000, 7))
    const stream = peer.follow('a')
    stream.pause()
    await until(() => server.context.unsent.bytes > 0)
    newest().end(status.NOT_FOUND, 'no longer')
    server.cell('a').set(Buffer.from('late'))
    expect(server.context.streams).toBe(0)
    stream.resume()
    expect(await stream.ended()).toEqual({ resetCode: 0, status: '5' })
    expect(stream.messages.map(message => message.length)).toEqual([1_000_000])
    await until(() => server.context.unsent.bytes === 0)
  })

  test('ends when its client waits no longer, also in the midst of a large message', async () => {
    vi.useFakeTimers({ toFake: ['setTimeout'] })
    onTestFinished(() => void vi.useRealTimers())
    server.cell('a').set(Buffer.alloc(1_000_000))
    const stream = peer.followFor('1S', 'a')
    stream.pause()
    await until(() => server.context.unsent.bytes > 0)
    vi.advanceTimersByTime(1_000)
    stream.resume()
    expect(await stream.ended()).toEqual({ resetCode: 0, status: '4' })
    await until(() => server.context.streams === 0)
    expect(server.context.unsent.bytes).toBe(0)
  })

  test('tells one that it sends away when to come back', async () => {
    const stream = peer.follow('a')
    await until(() => server.streams.length === 1)
    newest().turnAway(1234.5)
    expect(await stream.ended()).toEqual({ resetCode: 0, status: '14', pushback: '1235' })
  })

  test('leaves nothing behind: no watch, no timer, no bytes', async () => {
    const streams = Array.from({ length: 20 }, () => peer.follow('a', 'b'))
    server.cell('a').set(Buffer.alloc(100_000))
    for (const [i, stream] of streams.entries()) if (i % 2 === 0) stream.pause()
    await until(() => streams.every((stream, i) => i % 2 === 0 || stream.messages.length === 1))
    for (const stream of streams) stream.cancel()
    await until(() => server.context.streams === 0 && server.kernel.counts().watchers === 0)
    await until(() => server.context.unsent.bytes === 0)
    expect(server.clock.waiting).toBe(0)
  })

  test('leaves nothing behind whatever happens to it, and those that come later have all at once', async () => {
    const random = seededRandom(7)
    const below = (limit: number): number => Math.floor(random() * limit)
    const names = Array.from({ length: 6 }, (_, i) => `name-${i}`)
    const change = (): void => server.cell(names[below(6)] ?? '').set(Buffer.alloc(1 + below(200_000)))
    const peers: BarePeer[] = []
    const streams: BareStream[] = []
    const openOne = (): void => {
      const from = peers[below(peers.length)] ?? fail()
      streams.push(below(4) === 0 ? from.followFor(`${1 + below(20)}m`, ...names) : from.follow(...names))
    }
    const actions: readonly (() => void)[] = [
      openOne,
      openOne,
      change,
      change,
      () => streams[below(streams.length)]?.pause(),
      () => streams[below(streams.length)]?.resume(),
      () => streams[below(streams.length)]?.cancel(),
      () => server.streams[below(server.streams.length)]?.reset(),
      () => server.streams[below(server.streams.length)]?.finish(),
      () => server.streams[below(server.streams.length)]?.end(status.ABORTED, 'chance'),
      () => server.clock.advance(below(1_500)),
      () => peers.splice(below(20), 1)[0]?.[Symbol.dispose](),
    ]
    for (let step = 0; step < 400; step++) {
      while (peers.length < 4) peers.push(new BarePeer(server.port))
      actions[below(actions.length)]?.()
      if (below(3) === 0) await new Promise(resolve => setImmediate(resolve))
    }
    for (const each of peers) each[Symbol.dispose]()
    await until(() => server.calls === 0 && server.context.streams === 0 && server.kernel.counts().watchers === 0)
    expect([server.context.unsent.bytes, server.context.unsent.waiting, server.clock.waiting]).toEqual([0, 0, 0])
    for (const name of names) server.cell(name).set(Buffer.from(name))
    const fresh = peer.follow(...names)
    await until(() => fresh.messages.length === names.length)
    expect(fresh.messages.map(String)).toEqual(names)
  })
})

function fail(): never {
  throw new Error('there is no stream')
}
