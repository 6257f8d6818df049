import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { PushContextOptions } from '../../api/push/push-context.ts'
import { BarePeer, ContentServer, until } from '../api/push/push-peer.fixture.ts'

describe('P5: a stream that is full', () => {
  let server: ContentServer
  let undo: DisposableStack

  beforeEach(() => {
    undo = new DisposableStack()
  })

  afterEach(async () => {
    undo.dispose()
    await server[Symbol.asyncDispose]()
  })

  async function start(unsent: PushContextOptions['unsent'] = {}): Promise<void> {
    server = await ContentServer.start({ unsent })
  }

  it('is written to no more: of 150 states of 50 KB the server holds one', async () => {
    await start()
    const bytes = 50_000
    server.cell('a').set(Buffer.alloc(bytes))
    const stream = undo.use(new BarePeer(server.port)).follow('a')
    await until(() => stream.messages.length === 1)
    stream.pause()
    let most = 0
    for (let round = 0; round < 150; round++) {
      const { deliveries } = server.kernel.counts()
      server.cell('a').set(Buffer.alloc(bytes, round))
      await until(() => server.kernel.counts().deliveries > deliveries)
      most = Math.max(most, server.context.unsent.bytes)
    }
    expect(most).toBe(bytes + 5)
    // One read before the pause, one that the window had room for, one on its way.
    expect(await server.count('nameplane_push_messages_total')).toBeLessThanOrEqual(4)
    expect(await server.count('nameplane_push_conflated_total')).toBeGreaterThan(140)
  })

  it('leaves the rest of its connection a budget, and other connections theirs', async () => {
    await start({ perConnection: 750_000 })
    const crowd = undo.use(new BarePeer(server.port))
    const crowded = Array.from({ length: 6 }, () => crowd.follow('large'))
    const alone = undo.use(new BarePeer(server.port)).follow('large')
    for (const stream of crowded) stream.pause()
    await until(() => server.streams.length === 7)
    server.cell('large').set(Buffer.alloc(300_000, 1))
    await until(() => alone.messages.length === 1)
    await until(() => server.context.unsent.bytes > 750_000)
    expect(server.context.unsent.bytes).toBeLessThanOrEqual(3 * 300_005)
    for (const stream of crowded) stream.resume()
    await until(() => crowded.every(stream => stream.messages.length === 1))
    expect(server.context.unsent.bytes).toBe(0)
  })

  it('makes room on its connection when others wait there', async () => {
    await start({ perConnection: 750_000 })
    const peer = undo.use(new BarePeer(server.port))
    const stopped = Array.from({ length: 3 }, () => peer.follow('large'))
    for (const stream of stopped) stream.pause()
    await until(() => server.streams.length === 3)
    server.cell('large').set(Buffer.alloc(300_000, 1))
    await until(() => server.context.unsent.bytes === 3 * 300_005)
    server.cell('late').set(Buffer.from('news'))
    const late = peer.follow('late')
    await until(() => server.streams.at(-1)?.isCrowding === true)
    server.clock.advance(2_500)
    await until(() => late.messages.length === 1)
    expect(await server.count('nameplane_push_resets_total')).toBeGreaterThanOrEqual(1)
  })

  it('makes room when others wait for it, whoever has waited longest first', async () => {
    await start({ perThread: 750_000 })
    const peers = Array.from({ length: 3 }, () => undo.use(new BarePeer(server.port)))
    const stopped = peers.map(peer => peer.follow('large'))
    for (const stream of stopped) stream.pause()
    await until(() => server.streams.length === 3)
    server.cell('large').set(Buffer.alloc(300_000, 1))
    await until(() => server.context.unsent.bytes === 3 * 300_005)
    server.cell('late').set(Buffer.from('news'))
    const late = undo.use(new BarePeer(server.port)).follow('late')
    await until(() => server.context.unsent.waiting === 1)
    expect(late.messages).toEqual([])
    server.clock.advance(2_500)
    await until(() => late.messages.length === 1)
    expect(server.context.streams).toBeGreaterThanOrEqual(2)
    expect(server.context.streams).toBeLessThan(4)
    expect(await server.count('nameplane_push_resets_total')).toBe(4 - server.context.streams)
  })
})
