import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { BarePeer, ContentServer, until } from '../api/push/push-peer.fixture.ts'

/** About what 10,000 endpoints take on the wire. */
const largeBytes = 700_000

describe('P3: a state larger than the window', () => {
  let server: ContentServer
  let peer: BarePeer

  beforeEach(async () => {
    server = await ContentServer.start()
    peer = new BarePeer(server.port, 65_535)
  })

  afterEach(async () => {
    peer[Symbol.dispose]()
    await server[Symbol.asyncDispose]()
  })

  it('reaches a client with windows of 64 KB whole, under churn too, the last one always', async () => {
    server.cell('large').set(Buffer.alloc(largeBytes, 0))
    const stream = peer.follow('large')
    for (let change = 1; change <= 6; change++) {
      const known = stream.messages.length
      server.cell('large').set(Buffer.alloc(largeBytes, change))
      if (change % 3 === 0) await until(() => stream.messages.length > known)
    }
    await until(() => stream.messages.at(-1)?.[0] === 6)
    expect(stream.messages.every(message => message.length === largeBytes && message[0] === message.at(-1))).toBe(true)
  })

  it('is given up, that stream alone, for a client that never says it has room', async () => {
    const stuck = peer.follow('large')
    const healthy = peer.follow('small')
    stuck.pause()
    server.cell('large').set(Buffer.alloc(largeBytes))
    server.cell('small').set(Buffer.from('one'))
    await until(() => healthy.messages.length === 1 && server.context.unsent.bytes > 0)
    server.clock.advance(11_500)
    expect(await stuck.ended()).toMatchObject({ resetCode: 8 })
    expect(server.context.unsent.bytes).toBe(0)
    server.cell('small').set(Buffer.from('two'))
    await until(() => healthy.messages.length === 2)
    expect(await server.count('nameplane_push_resets_total')).toBe(1)
  })

  it('may take longer than the deadline as long as the client reads on', async () => {
    server.cell('large').set(Buffer.alloc(largeBytes))
    const stream = peer.follow('large')
    stream.pause()
    await until(() => server.context.unsent.bytes > 0)
    const [pushed] = server.streams
    for (let pauses = 0; pauses < 3; pauses++) {
      server.clock.advance(6_000)
      const since = pushed?.unsentSince
      while (pushed?.unsentSince === since) await stream.readSome()
    }
    expect(pushed?.unsentBytes).toBeGreaterThan(0)
    stream.resume()
    await until(() => stream.messages.length === 1)
    expect(await server.count('nameplane_push_resets_total')).toBe(0)
  })
})
