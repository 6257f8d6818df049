import { describe, expect, it } from 'vitest'
import { answer, fill, requestHead, settled, startTestListener, until } from './client.fixture.ts'

const get = requestHead('GET /')
const limits = { headTimeoutMs: 1_000, stallTimeoutMs: 3_000, serverSession: { idleTimeMs: 10_000 } }
const listening = (config: object = limits) => startTestListener(() => {}, { config })

describe('a client that is slow', () => {
  it('with its first head is answered with 408 when the time is over, however often it sends a byte', async () => {
    const { open, clock, refused, inbounds } = await listening()
    const client = open()
    for (const byte of 'GET / HT') {
      client.send(byte)
      await settled(() => clock.waiting)
      clock.advance(120)
    }
    clock.advance(40)
    expect(await client.ends()).toMatch(
      /^HTTP\/1.1 408 Request Timeout\r\n.*l5d-err: protocol%3A.*Connection: close\r\n/s,
    )
    expect(refused.map(({ status }) => status)).toEqual([408])
    expect(inbounds).toHaveLength(0)
  })

  it('and sends nothing at all on a new connection is closed without a word', async () => {
    const { open, clock, refused, listener } = await listening()
    const client = open()
    await until(() => listener.connections === 1)
    clock.advance(1_000)
    expect(await client.ends()).toBe('')
    expect(refused).toHaveLength(0)
  })

  it('with a later head has its time from the first byte on', async () => {
    const { open, clock, inbound } = await listening()
    const client = open().send(get)
    answer(await inbound())
    await client.sees('hi')
    clock.advance(9_000)
    client.send('GET /')
    await settled(() => clock.waiting)
    clock.advance(999)
    await settled(() => client.text.length)
    expect(client.text).not.toContain('408')
    clock.advance(1)
    await client.sees('408')
  })

  it('with its body is cut off when nothing has come for the stall time', async () => {
    const { open, clock, inbound, refused } = await listening()
    const client = open().send(`${requestHead('POST /', 'Content-Length: 100')}a`)
    const request = await inbound()
    request.body?.open({ isDrained: true, onData: () => true, onEnd: () => {}, onCut: () => {}, onFlush: () => {} })
    for (let i = 0; i < 4; i++) {
      client.send('b')
      await until(() => request.bytesIn === i + 2)
      clock.advance(3_000)
    }
    expect(request.isAbandoned).toBe(false)
    clock.advance(6_000)
    expect(await client.ends()).toMatch(/^HTTP\/1.1 408/)
    expect(request.isAbandoned).toBe(true)
    expect(refused).toHaveLength(1)
  })

  it('with its body is not blamed while nobody takes it', async () => {
    const { open, clock, inbound } = await listening()
    open().send(`${requestHead('POST /', 'Content-Length: 100')}a`)
    const request = await inbound()
    await settled(() => request.bytesIn)
    clock.advance(20_000)
    await settled(() => clock.waiting)
    expect(request.isAbandoned).toBe(false)
  })

  it('to read its response is cut off when it has taken nothing for the stall time', async () => {
    const { open, clock, inbound, listener } = await listening()
    const client = open().send(get)
    client.socket.pause()
    const request = await inbound()
    request.response.start(200, 'Fine', '', { kind: 'chunked' })
    await fill(request.response)
    clock.advance(6_000)
    await until(() => request.isAbandoned)
    expect(listener.requests).toBe(0)
  })

  /** A connection that is to close, whose last bytes the client has not taken. */
  const unread = async () => {
    const test = await listening({ stallTimeoutMs: 60_000 })
    const client = test.open().send(requestHead('GET /', 'Connection: close'))
    client.socket.pause()
    const { response } = await test.inbound()
    response.start(200, 'Fine', '', { kind: 'chunked' })
    await fill(response)
    response.end()
    return { ...test, client }
  }

  it('to read the end of a last response gets it all the same', async () => {
    const { client, clock } = await unread()
    clock.advance(50_000)
    client.socket.resume()
    expect((await client.ends()).endsWith('\r\n0\r\n\r\n')).toBe(true)
  })

  it('to read the end of a last response is cut off when it takes nothing of it', async () => {
    const { clock, listener } = await unread()
    clock.advance(120_000)
    await until(() => listener.connections === 0)
  })

  it('to ask again is closed after the idle time', async () => {
    const { open, clock, inbound } = await listening()
    const client = open().send(get)
    answer(await inbound())
    await client.sees('hi')
    clock.advance(9_999)
    await settled(() => clock.waiting)
    expect(client.hasEnded).toBe(false)
    clock.advance(1)
    await client.ends()
  })

  it('to ask again gains no time by empty lines', async () => {
    const { open, clock, inbound } = await listening()
    const client = open().send(get)
    answer(await inbound())
    await client.sees('hi')
    clock.advance(9_000)
    client.send('\r')
    await settled(() => clock.waiting)
    client.send('\n')
    await settled(() => clock.waiting)
    clock.advance(1_000)
    expect(await client.ends()).toMatch(/hi$/)
  })

  it('is not closed while the answer takes its time', async () => {
    const { open, clock, inbound } = await listening()
    const client = open().send(get)
    const request = await inbound()
    clock.advance(1_000_000)
    answer(request)
    await client.sees('hi')
  })
})

describe('a connection with a life time', () => {
  const limited = { serverSession: { lifeTimeMs: 1_000 } }

  it('is closed when that is over and it is idle', async () => {
    const { open, clock, inbound } = await listening(limited)
    const client = open().send(get)
    answer(await inbound())
    await client.sees('hi')
    clock.advance(1_000)
    await client.ends()
  })

  it('ends the request in progress first, and says that it closes', async () => {
    const { open, clock, inbound } = await listening(limited)
    const client = open().send(get)
    const request = await inbound()
    clock.advance(1_000)
    answer(request)
    expect(await client.ends()).toMatch(/Connection: close\r\n\r\nhi$/)
  })
})

describe('many clients', () => {
  it('that are slow or idle hold one timer for each kind of limit, and all are closed', async () => {
    const { open, clock, listener, inbounds } = await startTestListener(inbound => answer(inbound), { config: limits })
    const slow = Array.from({ length: 50 }, () => open().send('GET / HTTP/1.1\r\nX: '))
    const idle = Array.from({ length: 50 }, () => open().send(get))
    await until(() => inbounds.length === 50 && listener.connections === 100)
    await Promise.all(idle.map(client => client.sees('hi')))
    expect(clock.waiting).toBeLessThanOrEqual(3)
    await open().send(get).sees('hi')
    clock.advance(1_000)
    await Promise.all(slow.map(client => client.sees('408')))
    clock.advance(10_000)
    await until(() => listener.connections === 0)
    expect(clock.waiting).toBe(0)
  })
})
