import { createHash } from 'node:crypto'
import { type IncomingMessage, request } from 'node:http'
import { connect } from 'node:net'
import { describe, expect, it } from 'vitest'
import { FakeClock } from '../fakes/clock.fake.ts'
import { endpointAt } from './naming.fake.ts'
import { errorOf, keepAliveAgent, send, settled, startNamed, startTestProxy, startUpstream } from './proxy.fixture.ts'

const megabyte = 1024 * 1024
const threeMegabytes = Buffer.alloc(3 * megabyte, 'nameplane ')

/** A proxy that sends `web` to an upstream with this listener. */
async function setUp(
  listener: Parameters<typeof startUpstream>[0],
  options: Parameters<typeof startTestProxy>[0] = {},
) {
  const upstream = await startUpstream(listener)
  const test = await startTestProxy(options)
  test.naming.route('/svc/web', '/#/web', [endpointAt(upstream.port)])
  return { upstream, ...test }
}

/** Sends only the head of a request; the caller has the body and the response. */
function open(port: number, method = 'GET') {
  const outgoing = request({ host: '127.0.0.1', port, method, headers: { host: 'web' }, agent: false })
  const response = new Promise<IncomingMessage>((resolve, reject) => {
    outgoing.on('response', resolve).on('error', reject)
  })
  return { outgoing, response }
}

const sha = (body: Buffer): string => createHash('sha256').update(body).digest('hex')

describe('bodies', () => {
  it.each(['content-length', 'chunked'] as const)('of 3 MB pass whole both ways, %s', async framing => {
    const { port } = await setUp((message, response) => {
      const { 'content-length': length } = message.headers
      if (length !== undefined) response.setHeader('content-length', length)
      message.pipe(response)
    })
    const { outgoing, response } = open(port, 'POST')
    if (framing === 'content-length') outgoing.setHeader('content-length', threeMegabytes.length)
    else outgoing.write('')
    for (let at = 0; at < threeMegabytes.length; at += megabyte)
      outgoing.write(threeMegabytes.subarray(at, at + megabyte))
    outgoing.end()
    const message = await response
    expect(message.headers[framing === 'chunked' ? 'transfer-encoding' : 'content-length']).toBeDefined()
    const received = createHash('sha256')
    for await (const chunk of message) received.update(chunk)
    expect(received.digest('hex')).toBe(sha(threeMegabytes))
  })

  it('that a client does not read are not read from the upstream either', async () => {
    const total = 64 * megabyte
    let written = 0
    const { port } = await setUp((_message, response) => {
      const chunk = Buffer.alloc(megabyte)
      const more = (): void => {
        while (written < total) {
          written += chunk.length
          if (!response.write(chunk)) return
        }
        response.end()
      }
      response.on('drain', more)
      more()
    })
    const { outgoing, response } = open(port)
    outgoing.end()
    const message = await response
    await settled(() => written)
    expect(written).toBeLessThan(total / 2)
    let read = 0
    for await (const chunk of message) read += (chunk as Buffer).length
    expect(read).toBe(total)
  })

  it('that an upstream does not read are not read from the client either', async () => {
    const total = 64 * megabyte
    let resume = (): void => {}
    let read = 0
    const { port } = await setUp((message, response) => {
      resume = () => {
        message.on('data', (chunk: Buffer) => {
          read += chunk.length
        })
        message.on('end', () => response.end())
      }
    })
    const { outgoing, response } = open(port, 'POST')
    const chunk = Buffer.alloc(megabyte)
    let written = 0
    const more = (): void => {
      while (written < total) {
        written += chunk.length
        if (!outgoing.write(chunk)) return
      }
      outgoing.end()
    }
    outgoing.on('drain', more)
    more()
    await settled(() => written)
    expect(written).toBeLessThan(total / 2)
    resume()
    await response
    expect(read).toBe(total)
  })

  it('that never end are passed on as they come, the head before them', async () => {
    const released = Promise.withResolvers<(text: string) => void>()
    const { port } = await setUp((_message, response) => {
      response.writeHead(200, { 'content-type': 'text/event-stream' })
      response.flushHeaders()
      released.resolve(text => response.write(text))
    })
    const { outgoing, response } = open(port)
    outgoing.end()
    const message = await response
    expect(message.headers['content-type']).toBe('text/event-stream')
    const say = await released.promise
    for (const text of ['one', 'two']) {
      const next = new Promise(resolve => message.once('data', chunk => resolve(String(chunk))))
      say(text)
      expect(await next).toBe(text)
    }
    message.destroy()
  })

  it('are not awaited by an answer that comes before their end', async () => {
    const { port } = await setUp((_message, response) => response.writeHead(413).end('too large'))
    const response = await send(port, { method: 'POST', body: Buffer.alloc(10 * megabyte), agent: keepAliveAgent() })
    expect([response.status, response.body]).toEqual([413, 'too large'])
  })
})

describe('a client that leaves', () => {
  it('in mid-response ends the exchange with the upstream', async () => {
    const left = Promise.withResolvers<void>()
    const { port, upstream, scrape } = await setUp((_message, response) => {
      response.on('close', () => left.resolve())
      response.write('a beginning')
    })
    const { outgoing, response } = open(port)
    outgoing.end()
    const message = await response
    message.on('error', () => {})
    outgoing.destroy()
    await left.promise
    await upstream.allClosed()
    expect(await scrape()).toContain('result="abandoned"} 1')
  })

  it('before the answer ends the exchange with the upstream', async () => {
    const asked = Promise.withResolvers<void>()
    const left = Promise.withResolvers<void>()
    const { port } = await setUp((_message, response) => {
      response.on('close', () => left.resolve())
      asked.resolve()
    })
    const { outgoing, response } = open(port)
    response.catch(() => {})
    outgoing.end()
    await asked.promise
    outgoing.destroy()
    await left.promise
  })

  it('in the middle of its body lets the upstream see that it is not whole', async () => {
    const begun = Promise.withResolvers<void>()
    const cut = Promise.withResolvers<boolean>()
    const { port } = await setUp(message => {
      message.once('data', () => begun.resolve())
      message.on('error', () => {}).on('close', () => cut.resolve(message.complete))
    })
    const { outgoing, response } = open(port, 'POST')
    response.catch(() => {})
    outgoing.write('half')
    await begun.promise
    outgoing.destroy()
    expect(await cut.promise).toBe(false)
  })

  it('while its name is not bound leaves nothing behind', async () => {
    const { port, adminPort, naming, scrape } = await startTestProxy()
    const upstream = await startNamed('web')
    const stateHas = async (text: string): Promise<boolean> =>
      (await (await fetch(`http://127.0.0.1:${adminPort}/state`)).text()).includes(text)
    const { outgoing, response } = open(port)
    response.catch(() => {})
    outgoing.end()
    while (!(await stateHas('"activeRequests": 1')));
    outgoing.destroy()
    while (!(await stateHas('"connections": 0')));
    naming.route('/svc/web', '/#/web', [endpointAt(upstream.port)])
    while (!(await stateHas('"activeRequests": 0')));
    expect(upstream.requests()).toBe(0)
    expect(await scrape()).toContain('result="abandoned"} 1')
  })
})

describe('an upstream that dies', () => {
  it.each([{}, { 'content-length': '100' }])('in mid-response cuts the response of the client %j', async headers => {
    const { port, upstream } = await setUp((_message, response) => {
      response.writeHead(200, headers)
      response.write('a beginning', () => response.destroy())
    })
    await expect(send(port)).rejects.toThrow(/aborted|hang up|ECONNRESET/)
    expect(upstream.requests()).toBe(1)
  })

  it('before its answer makes a POST fail with 502, sent once', async () => {
    const { port, upstream } = await setUp(message => message.socket.destroy())
    const response = await send(port, { method: 'POST', body: 'x' })
    expect(response.status).toBe(502)
    expect(errorOf(response)).toContain(`response: 127.0.0.1:${upstream.port} gave no answer`)
    expect(response.headers).not.toHaveProperty('l5d-retryable')
    expect(upstream.requests()).toBe(1)
  })

  it('before its answer has a GET sent once more', async () => {
    let isFirst = true
    const { port, upstream } = await setUp((message, response) => {
      if (isFirst) message.socket.destroy()
      else response.end('well')
      isFirst = false
    })
    expect((await send(port)).body).toBe('well')
    expect(upstream.requests()).toBe(2)
  })

  it('each time makes a GET fail after the second try', async () => {
    const { port, upstream } = await setUp(message => message.socket.destroy())
    expect((await send(port)).status).toBe(502)
    expect(upstream.requests()).toBe(2)
  })
})

describe('a request that is not HTTP/1.1 as we take it', () => {
  const sendRaw = (port: number, text: string): Promise<string> =>
    new Promise((resolve, reject) => {
      let answer = ''
      const socket = connect(port, '127.0.0.1', () => socket.write(text))
      socket.on('data', chunk => {
        answer += String(chunk)
      })
      socket.on('close', () => resolve(answer)).on('error', reject)
    })

  it.each([
    [
      'Content-Length beside Transfer-Encoding',
      'POST / HTTP/1.1\r\nHost: web\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n',
    ],
    ['two lengths', 'POST / HTTP/1.1\r\nHost: web\r\nContent-Length: 3\r\nContent-Length: 4\r\n\r\n'],
    ['a space before the colon', 'GET / HTTP/1.1\r\nHost : web\r\n\r\n'],
    ['no HTTP at all', 'hello\r\n\r\n'],
  ])('is 400 with l5d-err and closes: %s', async (_what, text) => {
    const { port, upstream } = await setUp((_message, response) => response.end())
    const answer = await sendRaw(port, text)
    expect(answer).toMatch(/^HTTP\/1.1 400 Bad Request\r\n/)
    expect(answer).toContain('l5d-err: protocol%3A')
    expect(upstream.requests()).toBe(0)
  })

  it('is 431 when its head is too long, and closes', async () => {
    const { port, upstream } = await setUp((_message, response) => response.end())
    const answer = await sendRaw(port, `GET / HTTP/1.1\r\nHost: web\r\nX: ${'x'.repeat(20_000)}\r\n\r\n`)
    expect(answer).toMatch(/^HTTP\/1.1 431 .*l5d-err: protocol%3A/s)
    expect(upstream.requests()).toBe(0)
  })

  it('cuts a response in progress rather than writing into it', async () => {
    const { port } = await setUp((_message, response) => {
      response.writeHead(200, { 'content-length': '100' })
      response.write('a beginning')
    })
    const socket = connect(port, '127.0.0.1', () =>
      socket.write('POST / HTTP/1.1\r\nHost: web\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nx\r\n'),
    )
    let answer = ''
    const closed = new Promise(resolve => socket.on('close', resolve))
    socket
      .on('error', () => {})
      .on('data', chunk => {
        answer += String(chunk)
        if (answer.includes('a beginning')) socket.write('this is no chunk\r\n')
      })
    await closed
    expect(answer.match(/HTTP\/1\.1/g)).toHaveLength(1)
  })

  it('is told to go on when it expects that, by the upstream', async () => {
    const { port, upstream } = await setUp((message, response) => {
      message.resume().on('end', () => response.end(`expect: ${message.headers.expect}`))
    })
    const outgoing = request({
      host: '127.0.0.1',
      port,
      method: 'POST',
      agent: false,
      headers: { host: 'web', expect: '100-continue' },
    })
    const response = new Promise<IncomingMessage>(resolve => outgoing.on('response', resolve))
    outgoing.on('continue', () => outgoing.end('body')).flushHeaders()
    const chunks = await (await response).toArray()
    expect(chunks.join('')).toBe('expect: 100-continue')
    expect(upstream.requests()).toBe(1)
  })

  it('is 400 without a Host', async () => {
    const { port } = await setUp((_message, response) => response.end())
    expect(await sendRaw(port, 'GET / HTTP/1.1\r\nConnection: close\r\n\r\n')).toContain('l5d-err: protocol%3A')
  })

  it.each([
    'CONNECT web:80 HTTP/1.1\r\nHost: web:80\r\n\r\n',
    'GET / HTTP/1.1\r\nHost: web\r\n\r\n',
    'garbage\r\n\r\n',
  ])('harms nobody when its connection is reset: %j', async text => {
    const { port } = await setUp((_message, response) => response.end('well'))
    for (let i = 0; i < 20; i++) {
      const socket = connect(port, '127.0.0.1', () => socket.write(text.repeat(50), () => socket.resetAndDestroy()))
      await new Promise(resolve => socket.on('close', resolve))
    }
    expect((await send(port)).body).toBe('well')
  })
})

describe('a proxy that is closed', () => {
  it('takes no new connection and lets a request in progress end', async () => {
    const asked = Promise.withResolvers<() => void>()
    const { proxy, port, naming, upstream, kernel } = await setUp((_message, response) => {
      asked.resolve(() => response.end('whole'))
    })
    const agent = keepAliveAgent()
    const response = send(port, { agent })
    const finish = await asked.promise
    const closed = proxy.close()
    await expect(send(port)).rejects.toThrow('ECONNREFUSED')
    finish()
    expect(await response).toMatchObject({ body: 'whole', headers: { connection: 'close' } })
    await closed
    await upstream.allClosed()
    expect(naming.isClosed).toBe(true)
    expect(kernel.counts().watchers).toBe(0)
  })

  it('cuts what has not ended when the drain time is over', async () => {
    const asked = Promise.withResolvers<void>()
    const clock = new FakeClock()
    const { proxy, port } = await setUp(() => asked.resolve(), { clock })
    const response = send(port)
    await asked.promise
    const closed = proxy.close(5000)
    clock.advance(5000)
    await expect(response).rejects.toThrow()
    await closed
  })

  it('closes once, however often it is asked to', async () => {
    const { proxy } = await startTestProxy()
    await Promise.all([proxy.close(), proxy.close()])
  })

  it('closes idle connections at once', async () => {
    const { proxy, port, upstream } = await setUp((_message, response) => response.end())
    await send(port, { agent: keepAliveAgent() })
    await proxy.close(60_000)
    await upstream.allClosed()
  })
})
