import { connect } from 'node:net'
import { describe, expect, it } from 'vitest'
import { startListener } from '../../../proxy-client/exchange/listener.ts'
import { serverConfig } from '../../../proxy-client/exchange/server-config.ts'
import { FakeClock } from '../../fakes/clock.fake.ts'
import { answer, requestHead, settled, startTestListener, until } from './client.fixture.ts'

const get = requestHead('GET /')

describe('a listener that closes', () => {
  it('takes no connection, closes idle ones at once and lets requests in progress end', async () => {
    const { listener, open, inbound, clock } = await startTestListener()
    const idle = open().send(get)
    answer(await inbound(0))
    await idle.sees('hi')
    const busy = open().send(get)
    const request = await inbound(1)
    const closed = listener.close(5_000)
    await idle.ends()
    await expect(
      new Promise((resolve, reject) => {
        connect(listener.port || 1, '127.0.0.1')
          .on('connect', resolve)
          .on('error', reject)
      }),
    ).rejects.toThrow('ECONNREFUSED')
    answer(request)
    expect(await busy.ends()).toMatch(/Connection: close\r\n\r\nhi$/)
    busy.socket.end()
    await closed
    expect([listener.connections, clock.waiting]).toEqual([0, 0])
  })

  it('closes a connection whose response had begun, once that is whole', async () => {
    const { listener, open, inbound } = await startTestListener()
    const client = open().send(get)
    const { response } = await inbound()
    response.start(200, 'Fine', '', { kind: 'length', bytes: 2 })
    response.flush()
    await client.sees('\r\n\r\n')
    const closed = listener.close(5_000)
    response.write(Buffer.from('hi'))
    response.end()
    expect(await client.ends()).toMatch(/hi$/)
    client.socket.end()
    await closed
  })

  it('lets a request whose head has begun come, and answers it', async () => {
    const { listener, open, inbound } = await startTestListener()
    const client = open().send('GET / HTTP/1.1\r\n')
    await until(() => listener.connections === 1)
    await settled(() => client.socket.bytesWritten)
    const closed = listener.close(5_000)
    client.send('Host: web\r\n\r\n')
    answer(await inbound())
    expect(await client.ends()).toMatch(/Connection: close\r\n\r\nhi$/)
    client.socket.end()
    await closed
  })

  it('cuts what has not ended when the drain time is over, tunnels too', async () => {
    const { listener, open, inbound, clock } = await startTestListener()
    open().send(get)
    const request = await inbound(0)
    const tunnelled = open().send(requestHead('CONNECT db:1'))
    const tunnel = (await inbound(1)).response.tunnel(200, 'OK', '')
    await tunnelled.sees('200')
    const closed = listener.close(5_000)
    await settled(() => listener.connections)
    expect(listener.connections).toBe(2)
    clock.advance(5_000)
    await closed
    expect([request.isAbandoned, tunnel?.socket.destroyed, listener.requests]).toEqual([true, true, 0])
  })

  it('may be closed twice', async () => {
    const { listener } = await startTestListener()
    await Promise.all([listener.close(0), listener.close(0)])
  })
})

describe('a listener', () => {
  it('says which address it cannot have', async () => {
    const { listener } = await startTestListener()
    const second = startListener({
      config: serverConfig.parse({ port: listener.port }),
      role: 'router http',
      clock: new FakeClock(),
      handle: () => {},
      onRefused: () => {},
      onCrash: () => {},
    })
    await expect(second).rejects.toThrow(`router http: cannot listen on 127.0.0.1:${listener.port}`)
  })

  it('cuts the connection that an error of ours befell, tells of it, and goes on', async () => {
    const mistake = new Error('a mistake')
    const { open, crashes } = await startTestListener(({ target, response }) => {
      if (target === '/bad') throw mistake
      response.start(200, 'OK', '', { kind: 'none' })
      response.end()
    })
    const bad = open().send('GET /bad HTTP/1.1\r\nHost: a\r\n\r\n')
    expect(await bad.ends()).toBe('')
    expect(crashes).toEqual([mistake])
    expect(await open().send(get).sees('\r\n\r\n')).toMatch(/^HTTP\/1\.1 200 /)
  })

  it('turns a request away when as many as it may have are in progress, and keeps the connection', async () => {
    const { open, inbound, inbounds, refused, listener } = await startTestListener(() => {}, {
      config: { maxConcurrentRequests: 1 },
    })
    const first = open().send(get)
    const second = open().send(`${requestHead('POST /', 'Content-Length: 4')}body`)
    await until(() => first.text !== '' || second.text !== '')
    const turnedAway = first.text === '' ? second : first
    expect(turnedAway.text).toMatch(/^HTTP\/1.1 503 .*l5d-err: overload%3A.*l5d-retryable: true\r\n/s)
    expect([inbounds.length, listener.requests, refused.length]).toEqual([1, 1, 1])
    answer(await inbound(0))
    turnedAway.send(get)
    answer(await inbound(1))
    await turnedAway.sees(/503.*200/s)
  })

  it('says that it closes when a request that it turns away has a large body', async () => {
    const { open, inbound } = await startTestListener(() => {}, { config: { maxConcurrentRequests: 1 } })
    open().send(get)
    await inbound()
    const text = await open().send(requestHead('POST /', 'Content-Length: 10000000')).ends()
    expect(text).toMatch(/^HTTP\/1.1 503 .*Connection: close\r\n/s)
  })

  it('tells of each connection that opens and closes', async () => {
    const events = { opens: 0, closes: 0 }
    const { open } = await startTestListener(() => {}, {
      connectionEvents: {
        opened: () => {
          events.opens++
        },
        closed: () => {
          events.closes++
        },
      },
    })
    const clients = [open(), open()]
    await until(() => events.opens === 2)
    for (const { socket } of clients) socket.destroy()
    await until(() => events.closes === 2)
  })
})
