import { describe, expect, it } from 'vitest'
import type { BodySink, Inbound } from '../../../proxy-client/exchange/inbound.ts'
import type { Fields } from '../../../proxy-client/http1/fields.ts'
import { answer, readBody, requestHead, settled, startTestListener, until } from './client.fixture.ts'

const post = (...fields: readonly string[]) => requestHead('POST /', ...fields)
const statuses = (text: string) => [...text.matchAll(/HTTP\/1\.1 (\d+)/g)].map(match => Number(match[1]))

/** A sink that writes down what it is told, and takes as many slices as it is let. */
class Taker implements BodySink {
  readonly told: string[] = []
  readonly isDrained = true
  bytes = 0
  trailers: Fields | undefined
  room = Number.POSITIVE_INFINITY

  onData(slice: Buffer): boolean {
    this.told.push(slice.toString('latin1'))
    this.bytes += slice.length
    return --this.room > 0
  }

  onEnd(trailers: Fields | undefined): void {
    this.trailers = trailers
    this.told.push('END')
  }

  onCut(): void {
    this.told.push('CUT')
  }

  onFlush(): void {
    this.told.push('FLUSH')
  }
}

async function opened(text: string, taker = new Taker()) {
  const test = await startTestListener()
  const client = test.open().send(text)
  const inbound = await test.inbound()
  return { ...test, client, inbound, taker, open: () => inbound.body?.open(taker), another: test.open }
}

describe('the body of a request', () => {
  it('that came with its head flows when it is opened, to its end', async () => {
    const { open, inbound, taker } = await opened(`${post('Content-Length: 4')}body`)
    expect(inbound.body?.length).toBe(4)
    open()
    expect(taker.told).toEqual(['body', 'END'])
    expect(inbound.bytesIn).toBe(4)
  })

  it('flows as it comes, with a flush after each read', async () => {
    const { open, client, taker } = await opened(post('Content-Length: 4'))
    open()
    expect(taker.told).toEqual(['FLUSH'])
    client.send('bo')
    await until(() => taker.told.length === 3)
    client.send('dy')
    await until(() => taker.told.at(-1) === 'END')
    expect(taker.told).toEqual(['FLUSH', 'bo', 'FLUSH', 'dy', 'END'])
  })

  it('in chunks is given without them, its trailers at the end', async () => {
    const { open, inbound, taker } = await opened(
      `${post('Transfer-Encoding: chunked')}2;x=1\r\nab\r\n3\r\ncde\r\n0\r\nX-Sum: 5\r\n\r\n`,
    )
    expect(inbound.body?.length).toBeUndefined()
    open()
    expect(taker.told).toEqual(['ab', 'cde', 'END'])
    expect(taker.trailers?.first('x-sum')).toBe('5')
  })

  it('of no length ends at once', async () => {
    const { open, taker } = await opened(post('Content-Length: 0'))
    open()
    expect(taker.told).toEqual(['END'])
  })

  it('waits at each slice that its taker has no room after', async () => {
    const taker = new Taker()
    taker.room = 1
    const { open, inbound } = await opened(
      `${post('Transfer-Encoding: chunked')}1\r\na\r\n1\r\nb\r\n1\r\nc\r\n0\r\n\r\n`,
      taker,
    )
    open()
    for (const told of [['a'], ['a', 'b'], ['a', 'b', 'c'], ['a', 'b', 'c', 'END']]) {
      expect(taker.told.filter(word => word !== 'FLUSH')).toEqual(told)
      taker.room = 1
      inbound.body?.resume()
    }
  })

  it('waits also with slices that come together while it flows', async () => {
    const taker = new Taker()
    taker.room = 1
    const { open, client, inbound } = await opened(post('Transfer-Encoding: chunked'), taker)
    open()
    client.send('1\r\na\r\n1\r\nb\r\n0\r\n\r\n')
    await until(() => inbound.bytesIn === 2)
    expect(taker.told).toEqual(['FLUSH', 'a', 'FLUSH'])
    taker.room = Number.POSITIVE_INFINITY
    inbound.body?.resume()
    expect(taker.told).toEqual(['FLUSH', 'a', 'FLUSH', 'b', 'END'])
  })

  it('does not end while its taker has no room', async () => {
    const taker = new Taker()
    taker.room = 1
    const { open, client, inbound } = await opened(post('Content-Length: 1'), taker)
    open()
    client.send('a')
    await until(() => inbound.bytesIn === 1)
    expect(taker.told).toEqual(['FLUSH', 'a', 'FLUSH'])
    inbound.body?.resume()
    expect(taker.told.at(-1)).toBe('END')
  })

  it('that nobody takes is not read: memory stays bounded', async () => {
    const { client, taker, open } = await opened(post('Content-Length: 20000000'))
    client.send(Buffer.alloc(20_000_000))
    const sent = await settled(() => client.socket.writableLength)
    expect(sent).toBeGreaterThan(10_000_000)
    open()
    await until(() => taker.bytes === 20_000_000)
    expect(taker.told.at(-1)).toBe('END')
  })

  it('whose taker has no room is not read on', async () => {
    const taker = new Taker()
    taker.room = 3
    const { client, open, inbound } = await opened(post('Content-Length: 20000000'), taker)
    open()
    client.send(Buffer.alloc(20_000_000))
    await settled(() => taker.bytes)
    expect(taker.bytes).toBeLessThan(1_000_000)
    taker.room = Number.POSITIVE_INFINITY
    inbound.body?.resume()
    await until(() => taker.bytes === 20_000_000)
  })

  it('that nobody wants is not read for long before the answer', async () => {
    const { client, inbound } = await opened(post('Content-Length: 20000000'))
    inbound.body?.discard()
    client.send(Buffer.alloc(20_000_000))
    expect(await settled(() => client.socket.writableLength)).toBeGreaterThan(10_000_000)
    expect(inbound.bytesIn).toBeLessThan(1_000_000)
  })

  it('that breaks off is told to its taker and abandons the request', async () => {
    const { open, client, inbound, taker, listener } = await opened(`${post('Content-Length: 10')}half`)
    open()
    client.socket.destroy()
    await until(() => listener.connections === 0)
    expect(taker.told).toEqual(['half', 'FLUSH', 'CUT'])
    expect(inbound.isAbandoned).toBe(true)
  })

  it('that broke off before it was taken says so when it is', async () => {
    const { open, client, taker, listener } = await opened(post('Content-Length: 10'))
    client.socket.destroy()
    await until(() => listener.connections === 0)
    open()
    expect(taker.told).toEqual(['CUT'])
  })

  it('that is malformed is answered with 400, its request abandoned', async () => {
    const { open, client, inbound, taker, refused } = await opened(`${post('Transfer-Encoding: chunked')}1\r\na\r\n`)
    open()
    client.send('no chunk\r\n')
    expect(statuses(await client.ends())).toEqual([400])
    expect(taker.told).toEqual(['a', 'FLUSH', 'CUT'])
    expect(inbound.isAbandoned).toBe(true)
    expect(refused).toHaveLength(1)
  })

  it('that is malformed from its first byte lets nobody hear of the request', async () => {
    const { open, inbounds } = await startTestListener()
    const client = open().send(`${post('Transfer-Encoding: chunked')}no chunk\r\n`)
    expect(statuses(await client.ends())).toEqual([400])
    expect(inbounds).toHaveLength(0)
  })

  it('that is malformed cuts a response which has begun', async () => {
    const { open, client, inbound, refused } = await opened(`${post('Transfer-Encoding: chunked')}1\r\na\r\n`)
    open()
    inbound.response.start(200, 'Fine', '', { kind: 'chunked' })
    inbound.response.flush()
    await client.sees('\r\n\r\n')
    client.send('no chunk\r\n')
    expect(statuses(await client.ends())).toEqual([200])
    expect(refused).toHaveLength(0)
  })

  it('that was discarded while it flowed is told nothing more', async () => {
    const { open, client, inbound, taker } = await opened(`${post('Content-Length: 8')}half`)
    open()
    inbound.body?.discard()
    client.send('half')
    answer(inbound)
    await client.sees('hi')
    expect(taker.told).toEqual(['half', 'FLUSH'])
  })
})

describe('an answer that comes before the end of the body', () => {
  it('keeps the connection: a little that is left is read and dropped', async () => {
    const { inbound, client, inbounds } = await opened(`${post('Content-Length: 8')}half`)
    answer(inbound, 'early')
    await client.sees('early')
    client.send('ha')
    await settled(() => inbound.bytesIn)
    client.send(`lf${requestHead('GET /next')}`)
    await until(() => inbounds.length === 2)
    expect(inbounds[1]).toMatchObject({ method: 'GET', target: '/next' })
  })

  it('may come for one request after the other, each with a little that is left', async () => {
    const { open, inbounds } = await startTestListener(inbound => answer(inbound, 'early'))
    const client = open()
    for (const count of [1, 2, 3]) {
      client.send(post('Content-Length: 200000'))
      await until(() => inbounds.length === count)
      client.send(Buffer.alloc(200_000))
    }
    client.send(requestHead('GET /last'))
    await until(() => inbounds.length === 4)
    expect(client.hasEnded).toBe(false)
  })

  it('is the only one when the rest of the body is malformed', async () => {
    const { inbound, client } = await opened(`${post('Transfer-Encoding: chunked')}1\r\na\r\n`)
    answer(inbound, 'early')
    await client.sees('early')
    client.send('no chunk\r\n')
    expect(statuses(await client.ends())).toEqual([200])
  })

  it('does not outlive a listener that closes: the connection ends with the body', async () => {
    const { inbound, client, listener } = await opened(`${post('Content-Length: 8')}half`)
    answer(inbound, 'early')
    await client.sees('early')
    const closed = listener.close(60_000)
    client.send('half')
    await client.ends()
    client.socket.end()
    await closed
  })

  it('may itself last while the body still comes', async () => {
    const { open, inbound, client, taker, inbounds } = await opened(`${post('Content-Length: 8')}half`)
    open()
    inbound.response.start(200, 'Fine', '', { kind: 'length', bytes: 2 })
    inbound.response.flush()
    await client.sees('\r\n\r\n')
    client.send('half')
    await until(() => taker.told.at(-1) === 'END')
    inbound.response.write(Buffer.from('hi'))
    inbound.response.end()
    client.send(requestHead('GET /next'))
    await until(() => inbounds.length === 2)
    expect(client.text).not.toContain('close')
  })

  it('closes the connection when much is left, and the client can read it to its end', async () => {
    const { inbound, client, clock, listener } = await opened(post('Content-Length: 100000000'))
    client.send(Buffer.alloc(5_000_000))
    await settled(() => client.socket.writableLength)
    inbound.body?.discard()
    answer(inbound, 'too large', 413)
    expect(await client.ends()).toMatch(/^HTTP\/1.1 413 .*Connection: close\r\n\r\ntoo large$/s)
    await until(() => client.socket.writableLength === 0)
    expect(client.error).toBeUndefined()
    clock.advance(5_000)
    await until(() => listener.connections === 0)
  })

  it('closes the connection when a body of unknown length goes on for too long', async () => {
    const { inbound, client, clock, listener } = await opened(post('Transfer-Encoding: chunked'))
    answer(inbound, 'early')
    await client.sees('early')
    client.send(`${(500_000).toString(16)}\r\n`).send(Buffer.alloc(500_000))
    await client.ends()
    clock.advance(5_000)
    await until(() => listener.connections === 0)
  })
})

describe('a client that expects to be told to go on', () => {
  const expecting = post('Content-Length: 4', 'Expect: 100-continue')

  it('is told so when the upstream says it, and by nobody else', async () => {
    const { open, inbound, client, taker } = await opened(expecting)
    open()
    await settled(() => client.text.length)
    expect(client.text).toBe('')
    inbound.response.interim(100, 'Continue', '')
    await client.sees('HTTP/1.1 100 Continue\r\n\r\n')
    client.send('body')
    await until(() => taker.told.at(-1) === 'END')
    answer(inbound)
    await client.sees('hi')
    expect(client.text).not.toContain('close')
  })

  it('gets other interim responses with their fields', async () => {
    const { inbound, client } = await opened(expecting)
    inbound.response.interim(103, 'Early Hints', 'Link: </a>\r\n')
    await client.sees('HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n')
  })

  it('loses its connection when it is refused, for it may send its body or not', async () => {
    const { inbound, client } = await opened(expecting)
    answer(inbound, 'no', 417)
    expect(await client.ends()).toMatch(/Connection: close\r\n\r\nno$/)
  })

  it('loses it also when only hints came before: they do not tell it to go on', async () => {
    const { inbound, client } = await opened(expecting)
    inbound.response.interim(103, 'Early Hints', '')
    answer(inbound, 'no', 417)
    expect(await client.ends()).toMatch(/Connection: close\r\n\r\nno$/)
  })

  it('keeps it when a part of its body has come', async () => {
    const { inbound, client, inbounds } = await opened(`${expecting}bo`)
    await until(() => inbound.bytesIn === 2)
    answer(inbound, 'well')
    await client.sees('well')
    client.send(`dy${requestHead('GET /next')}`)
    await until(() => inbounds.length === 2)
    expect(inbounds[1]?.method).toBe('GET')
  })

  it('keeps it when it sent its body without waiting', async () => {
    const { inbound, client, inbounds } = await opened(`${expecting}body`)
    answer(inbound, 'well')
    await client.sees('well')
    client.send(requestHead('GET /next'))
    await until(() => inbounds.length === 2)
  })
})

describe('an echo', () => {
  it('of 12 MB comes back whole, neither side being held in memory', async () => {
    let most = 0
    const echo = (inbound: Inbound): void => {
      const { body, response } = inbound
      response.start(200, 'Fine', '', { kind: 'length', bytes: 12_000_000 })
      body?.open({
        get isDrained() {
          return response.isDrained
        },
        onData: slice => response.write(slice),
        onFlush: () => response.flush(),
        onEnd: () => response.end(),
        onCut: () => {},
      })
      inbound.onDrain(() => body?.resume())
    }
    const { open, inbounds } = await startTestListener(echo)
    const client = open()
    let received = 0
    client.socket.removeAllListeners('data').on('data', chunk => {
      received += chunk.length
      most = Math.max(most, (inbounds[0]?.bytesIn ?? 0) - received)
    })
    client.send(post('Content-Length: 12000000'))
    client.send(Buffer.alloc(12_000_000))
    await until(() => received > 12_000_000)
    expect(inbounds[0]?.bytesOut).toBe(12_000_000)
    expect(most).toBeLessThan(10_000_000)
  })
})

describe('a body read as text', () => {
  it('is what was sent', async () => {
    let text = ''
    const { open } = await startTestListener(inbound =>
      readBody(inbound, whole => {
        text = whole
        answer(inbound)
      }),
    )
    await open()
      .send(`${post('Content-Length: 5')}plain`)
      .sees('hi')
    expect(text).toBe('plain')
  })
})
