import { describe, expect, it } from 'vitest'
import type { Inbound } from '../../../proxy-client/exchange/inbound.ts'
import { answer, fill, requestHead, settled, startTestListener, until } from './client.fixture.ts'

const get = (target = '/') => requestHead(`GET ${target}`)
const statuses = (text: string) => [...text.matchAll(/HTTP\/1\.1 (\d+)/g)].map(match => Number(match[1]))

describe('a request', () => {
  it('comes with its head, its target, its host and its peer', async () => {
    const { open, inbound, listener } = await startTestListener()
    open().send(requestHead('GET /a?b=c', 'X-A: 1'))
    const { method, target, host, head, peer, body, isAbandoned } = await inbound()
    expect({ method, target, host, body, isAbandoned }).toEqual({
      method: 'GET',
      target: '/a?b=c',
      host: 'web',
      body: undefined,
      isAbandoned: false,
    })
    expect(head.fields.first('x-a')).toBe('1')
    expect(peer).toMatchObject({ remoteAddress: '127.0.0.1', localAddress: '127.0.0.1', localPort: listener.port })
  })

  it.each([
    ['GET http://other:81/x?y', '/x?y', 'other:81'],
    ['OPTIONS *', '*', 'web'],
    ['TRACE /', '/', 'web'],
    ['CONNECT db:5432', 'db:5432', 'db:5432'],
  ])('%s is for %s of %s', async (first, target, host) => {
    const { open, inbound } = await startTestListener()
    open().send(requestHead(first))
    expect(await inbound()).toMatchObject({ target, host })
  })

  it.each([
    ['a target that is no URI of ours', requestHead('GET https://web/'), 400],
    ['credentials in it', requestHead('GET http://me:secret@web/'), 400],
    ['what is no HTTP', 'hello\r\n\r\n', 400],
    ['a coding that we lack', requestHead('POST /', 'Transfer-Encoding: gzip, chunked'), 501],
    ['a first line that is too long', requestHead(`GET /${'x'.repeat(5_000)}`), 414],
    ['a head that is too long', requestHead('GET /', `X: ${'x'.repeat(9_000)}`), 431],
    ['another version', 'GET / HTTP/2.0\r\n\r\n', 505],
  ])('with %s is answered with l5d-err, and the connection closes', async (_what, text, status) => {
    const { open, refused, inbounds, listener } = await startTestListener()
    const answered = await open()
      .send(text + get('/smuggled'))
      .ends()
    expect(statuses(answered)).toEqual([status])
    expect(answered).toMatch(/\r\nl5d-err: protocol%3A.*\r\nConnection: close\r\n/s)
    expect(answered).not.toContain('secret')
    expect(refused.map(failure => [failure.status, failure.stage])).toEqual([[status, 'protocol']])
    expect(inbounds).toHaveLength(0)
    expect(listener.requests).toBe(0)
  })

  it.each([
    ['its head', 'HEAD / HTTP/1.1\r\n\r\n'],
    ['its target', requestHead('HEAD https://web/')],
    ['its body', `${requestHead('HEAD /', 'Transfer-Encoding: chunked')}z`],
  ])('of HEAD is answered without a body when it cannot be read in %s', async (_what, text) => {
    const { open } = await startTestListener()
    expect(await open().send(text).ends()).toMatch(
      /^HTTP\/1.1 400 .*\r\nContent-Length: \d+\r\nConnection: close\r\n\r\n$/s,
    )
  })

  it('may come byte by byte', async () => {
    const { open, inbounds } = await startTestListener(inbound => answer(inbound))
    const client = open()
    for (const byte of get()) {
      client.send(byte)
      await new Promise(setImmediate)
    }
    await client.sees('hi')
    expect(inbounds).toHaveLength(1)
  })

  it('may follow an empty line that comes in two parts', async () => {
    const { open, inbound, inbounds } = await startTestListener()
    const client = open().send(get())
    answer(await inbound(0))
    await client.sees('hi')
    client.send('\r')
    await settled(() => client.text.length)
    client.send(`\n${get('/2')}`)
    answer(await inbound(1))
    expect(inbounds[1]?.target).toBe('/2')
  })

  it('is one of those in progress until its response is over', async () => {
    const { open, inbound, listener } = await startTestListener()
    const client = open().send(get())
    const request = await inbound()
    let closes = 0
    request.onClose(() => closes++)
    expect([listener.connections, listener.requests, closes]).toEqual([1, 1, 0])
    answer(request)
    expect([listener.connections, listener.requests, closes]).toEqual([1, 0, 1])
    client.socket.destroy()
    await until(() => listener.connections === 0)
    expect(closes).toBe(1)
  })
})

describe('a client that pipelines', () => {
  it('gets its answers in order, each request begun when the answer before is over', async () => {
    const { open, inbounds } = await startTestListener()
    const client = open().send(get('/1') + get('/2') + get('/3'))
    for (const count of [1, 2, 3]) {
      await until(() => inbounds.length === count)
      await settled(() => inbounds.length)
      const inbound = inbounds[count - 1]
      if (inbound !== undefined) answer(inbound, inbound.target)
    }
    await client.sees('/3')
    expect(client.text.match(/\/\d$|\/\d(?=HTTP)/gm)).toEqual(['/1', '/2', '/3'])
  })

  it('may end its side at once and still gets all answers', async () => {
    const { open } = await startTestListener(inbound => answer(inbound, inbound.target))
    const client = open()
    client.socket.end(get('/1') + get('/2'))
    expect(statuses(await client.ends())).toEqual([200, 200])
  })

  it('is answered at once as often as it asks, by a handler that answers at once', async () => {
    const { open, inbounds } = await startTestListener(inbound => answer(inbound, ''))
    const client = open().send(get().repeat(5_000))
    await until(() => inbounds.length === 5_000)
    client.send(requestHead('GET /', 'Connection: close'))
    expect(statuses(await client.ends())).toHaveLength(5_001)
  })

  it('is not read further while a request is in progress', async () => {
    const { open, inbounds } = await startTestListener()
    const client = open()
    let sent = 0
    const more = (): void => {
      while (sent < 50_000_000 && client.socket.write(get().repeat(1_000))) sent += get().length * 1_000
    }
    client.socket.on('drain', more)
    more()
    const taken = await settled(() => client.socket.bytesWritten - client.socket.writableLength)
    expect(taken).toBeLessThan(20_000_000)
    expect(inbounds).toHaveLength(1)
  })

  it('and does not read its answers is not read either', async () => {
    const body = 'x'.repeat(20_000)
    const { open, inbounds } = await startTestListener(inbound => answer(inbound, body))
    const client = open()
    client.socket.pause()
    client.send(get().repeat(1_000))
    const served = await settled(() => inbounds.length)
    expect(served).toBeLessThan(800)
    client.socket.resume()
    await until(() => inbounds.length === 1_000)
  })
})

describe('a client that ends its side after its request', () => {
  it('gets its answer and the end of the connection', async () => {
    const { open, inbound } = await startTestListener()
    const client = open()
    client.socket.end(get())
    const request = await inbound()
    await settled(() => client.text.length)
    answer(request)
    expect(await client.ends()).toMatch(/^HTTP\/1.1 200 Fine\r\nContent-Length: 2\r\nConnection: close\r\n\r\nhi$/)
    expect(request.isAbandoned).toBe(false)
  })

  it('is asked after a while whether it is there, in an interim response that it may skip', async () => {
    const { open, inbound, clock } = await startTestListener()
    const client = open()
    client.socket.end(get())
    const request = await inbound()
    await settled(() => client.socket.bytesWritten + clock.waiting)
    await settled(() => clock.waiting)
    clock.advance(200)
    await client.sees('HTTP/1.1 100 Continue\r\n')
    answer(request)
    expect(await client.ends()).toMatch(/^HTTP\/1.1 100 Continue\r\n\r\nHTTP\/1.1 200 Fine\r\n.*hi$/s)
  })

  it('and has closed it altogether is found out, and its request abandoned', async () => {
    const { open, inbound, clock } = await startTestListener()
    const client = open().send(get())
    const request = await inbound()
    let abandoned = 0
    request.onAbandon(() => abandoned++)
    client.socket.destroy()
    await settled(() => clock.waiting)
    clock.advance(200)
    await settled(() => abandoned)
    clock.advance(200)
    await until(() => request.isAbandoned)
    expect(abandoned).toBe(1)
  })

  it('is not told anything in between when it speaks HTTP/1.0', async () => {
    const { open, inbound, clock } = await startTestListener()
    const client = open()
    client.socket.end(requestHead('GET / HTTP/1.0'))
    const request = await inbound()
    await settled(() => clock.waiting)
    clock.advance(1_000)
    await settled(() => client.text.length)
    answer(request)
    expect(statuses(await client.ends())).toEqual([200])
  })

  it('in the middle of its response has left, when nothing flows', async () => {
    const { open, inbound, clock } = await startTestListener()
    const client = open().send(get())
    const request = await inbound()
    request.response.start(200, 'Fine', '', { kind: 'chunked' })
    request.response.flush()
    await client.sees('\r\n\r\n')
    client.socket.destroy()
    await settled(() => client.socket.bytesWritten + clock.waiting)
    clock.advance(200)
    await until(() => request.isAbandoned)
  })

  it('in the middle of its response gets the rest when that flows', async () => {
    const { open, inbound, clock } = await startTestListener()
    const client = open().send(get())
    const { response } = await inbound()
    response.start(200, 'Fine', '', { kind: 'chunked' })
    response.flush()
    await client.sees('\r\n\r\n')
    client.socket.end()
    await settled(() => client.socket.bytesWritten + clock.waiting)
    for (const word of ['one', 'two', 'three']) {
      response.write(Buffer.from(word))
      response.flush()
      await client.sees(word)
      clock.advance(200)
    }
    response.end()
    expect(await client.ends()).toMatch(/three\r\n0\r\n\r\n$/)
  })

  it('in the middle of its response may be slow to read the rest', async () => {
    const { open, inbound, clock } = await startTestListener()
    const client = open().send(get())
    client.socket.pause()
    const request = await inbound()
    request.response.start(200, 'Fine', '', { kind: 'chunked' })
    await fill(request.response)
    client.socket.end()
    await settled(() => client.socket.bytesWritten + clock.waiting)
    clock.advance(1_000)
    await settled(() => clock.waiting)
    expect(request.isAbandoned).toBe(false)
  })

  it('before its request is whole is cut off', async () => {
    const { open, inbound } = await startTestListener()
    const client = open()
    client.socket.end(`${requestHead('POST /', 'Content-Length: 10')}half`)
    const request = await inbound()
    expect(await client.ends()).toBe('')
    expect(request.isAbandoned).toBe(true)
  })
})

describe('a client that leaves', () => {
  const openedAnd = async (begin: (inbound: Inbound) => void) => {
    const test = await startTestListener()
    const client = test.open().send(get())
    const request = await test.inbound()
    const calls: string[] = []
    request.onAbandon(() => calls.push('abandon'))
    request.onClose(() => calls.push('close'))
    begin(request)
    return { ...test, client, request, calls }
  }

  it.each([
    ['before its answer', () => {}],
    [
      'in the middle of it',
      ({ response }: Inbound) => {
        response.start(200, 'Fine', '', { kind: 'chunked' })
        response.flush()
      },
    ],
  ])('with a reset, %s, is told to the handler once', async (_when, begin) => {
    const { client, request, calls, listener } = await openedAnd(begin)
    await settled(() => client.text.length)
    client.socket.resetAndDestroy()
    await until(() => listener.connections === 0)
    expect([request.isAbandoned, listener.requests]).toEqual([true, 0])
    expect(calls).toEqual(['abandon', 'close'])
    request.response.start(200, 'Fine', '', { kind: 'none' })
    request.response.end()
    expect(calls).toEqual(['abandon', 'close'])
  })

  it('after its answer leaves nothing behind', async () => {
    const { client, request, calls, listener } = await openedAnd(answer)
    await client.sees('hi')
    client.socket.destroy()
    await until(() => listener.connections === 0)
    expect([request.isAbandoned, calls]).toEqual([false, ['close']])
  })

  it('in a crowd harms nobody', async () => {
    const { open, listener } = await startTestListener(inbound => answer(inbound))
    for (let i = 0; i < 20; i++) {
      const client = open()
      client.socket.write(get().repeat(50), () => client.socket.resetAndDestroy())
    }
    await until(() => listener.connections === 0)
    expect(listener.requests).toBe(0)
    await open().send(get()).sees('hi')
  })
})
