// The server around the routes: metrics, broken requests, stopping.
import { connect, createServer, type Socket } from 'node:net'
import { afterEach, describe, expect, it } from 'vitest'
import { answerBrokenRequest, namingErrorOf } from '../../../api/http/send-problem.ts'
import { createFixture, type Fixture, openStream, turns } from './http-api.fixture.ts'
import { SpiedStore } from './spied-store.fake.ts'

let fixture: Fixture
afterEach(() => fixture?.close())

function raw(port: number, text: string): Promise<string> {
  return new Promise((resolve, reject) => {
    let answer = ''
    const socket = connect({ port, host: '127.0.0.1' }, () => socket.write(text))
    socket.on('data', chunk => {
      answer += String(chunk)
    })
    socket.on('close', () => resolve(answer))
    socket.on('error', reject)
  })
}

async function listener(onSocket: (socket: Socket) => void): Promise<{ port: number; close(): Promise<void> }> {
  const server = createServer(onSocket)
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  const bound = server.address()
  const port = typeof bound === 'object' ? (bound?.port ?? 0) : 0
  return { port, close: () => new Promise(resolve => server.close(() => resolve())) }
}

describe('the server', () => {
  it('answers bytes that are not HTTP with a problem and closes', async () => {
    fixture = await createFixture()
    const { port } = await fixture.api.listen({ host: '127.0.0.1', port: 0 })
    const answer = await raw(port, 'nonsense\r\n\r\n')
    expect(answer).toMatch(/^HTTP\/1\.1 400 Bad Request\r\nContent-Type: application\/problem\+json/)
    expect(answer).toContain('"code":"bad-request"')
  })

  it('answers a head that is too large with 431', async () => {
    fixture = await createFixture()
    const { port } = await fixture.api.listen({ host: '127.0.0.1', port: 0 })
    const answer = await raw(port, `GET / HTTP/1.1\r\nHost: x\r\nX-Long: ${'x'.repeat(20_000)}\r\n\r\n`)
    expect(answer).toMatch(/^HTTP\/1\.1 431 Request Header Fields Too Large\r\n/)
    expect(answer).toContain('"code":"headers-too-large"')
  })

  it('answers a request that does not arrive whole in time with 408', async () => {
    const slow = Object.assign(new Error('slow'), { code: 'ERR_HTTP_REQUEST_TIMEOUT' })
    const { port, close } = await listener(socket => answerBrokenRequest(slow, socket.resume()))
    expect(await raw(port, 'GET')).toMatch(/^HTTP\/1\.1 408 Request Timeout\r\n.*"retryable":true/s)
    await close()
  })

  it('takes a body whose client went away for the fault of the client', () => {
    const aborted = Object.assign(new Error('aborted'), { code: 'ECONNRESET' })
    const { code, message } = namingErrorOf(aborted)
    expect([code, message]).toEqual(['bad-request', 'The connection ended before the whole body had come.'])
  })

  it('answers a bad percent-encoding with a problem', async () => {
    fixture = await createFixture()
    const { port } = await fixture.api.listen({ host: '127.0.0.1', port: 0 })
    const answer = await raw(port, 'GET /api/dtabs/%zz HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n')
    expect(answer).toMatch(/^HTTP\/1\.1 400 /)
    expect(answer).toContain('"code":"bad-request"')
  })

  it('refuses a text that is too long by its Content-Length, before the body is sent', async () => {
    fixture = await createFixture({ maxDtabBytes: 100 })
    const { port } = await fixture.api.listen({ host: '127.0.0.1', port: 0 })
    const head =
      'PUT /api/dtabs/n HTTP/1.1\r\nHost: x\r\nContent-Type: text/plain\r\nContent-Length: 101\r\nConnection: close\r\n\r\n'
    const answer = await raw(port, head)
    expect(answer).toMatch(/^HTTP\/1\.1 413 /)
    expect(answer).toContain('"used":101,"limit":100')
  })

  it('refuses a text that is too long and did not say so, without parsing it', async () => {
    fixture = await createFixture({ maxDtabBytes: 100 })
    const { port } = await fixture.api.listen({ host: '127.0.0.1', port: 0 })
    const head =
      'PUT /api/dtabs/n HTTP/1.1\r\nHost: x\r\nContent-Type: text/plain\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\n'
    const answer = await raw(port, `${head}65\r\n${'('.repeat(101)}\r\n0\r\n\r\n`)
    expect(answer).toMatch(/^HTTP\/1\.1 413 /)
    expect(answer).toContain('"used":101,"limit":100')
  })

  it('waits five seconds for a store that has not answered yet, and then says so', async () => {
    const spy = new SpiedStore()
    fixture = await createFixture({
      wrapStore: (store, kernel) => ({ ...spy.wrap(store), list: () => kernel.input('a store that is silent') }),
    })
    const answer = fixture.api.inject({ url: '/api/dtabs' })
    await turns()
    fixture.clock.advance(5_000)
    expect((await answer).json()).toMatchObject({ status: 503, code: 'store-unavailable', retryable: true })
  })

  it('says on which address a port is taken', async () => {
    fixture = await createFixture()
    const { port } = await fixture.api.listen({ host: '127.0.0.1', port: 0 })
    const other = await createFixture()
    await expect(other.api.listen({ host: '127.0.0.1', port })).rejects.toMatchObject({
      code: 'unavailable',
      message: expect.stringContaining(String(port)),
    })
    await other.close()
  })

  it('counts requests by route and status, whatever names clients ask for, and shows open streams', async () => {
    fixture = await createFixture({ namespaces: { default: '' } })
    const { port } = await fixture.api.listen({ host: '127.0.0.1', port: 0 })
    for (let i = 0; i < 50; i++) await fixture.api.inject({ url: `/api/dtabs/n${i}` })
    for (let i = 0; i < 50; i++) await fixture.api.inject({ url: `/api/1/bind/n${i}?path=/n${i}` })
    const stream = await openStream(port, '/api/dtabs?watch=true')
    await stream.event()
    const { body } = await fixture.metrics.expose()
    expect(body).toContain('http_api_requests_total{route="/api/dtabs/:namespace",status="4xx"} 50')
    expect(body).toContain('http_api_streams_open 1')
    expect(body).toContain('# TYPE http_api_events_conflated_total counter')
    expect(body).toContain('# TYPE http_api_streams_behind gauge')
    stream.response.destroy()
    while (!(await fixture.metrics.expose()).body.includes('http_api_streams_open 0')) await turns(1)
    expect((await fixture.metrics.expose()).body).toContain('http_api_request_seconds_count 100')
    expect(body.split('\n').filter(line => line.startsWith('http_api_')).length).toBeLessThan(30)
  })

  it('lets a request that is under way finish and leaves nothing behind when it is closed', async () => {
    fixture = await createFixture({ namespaces: { default: '/svc => /#/io.test' } })
    const { port } = await fixture.api.listen({ host: '127.0.0.1', port: 0 })
    const waiting = openStream(port, '/api/1/bind/default?path=/svc/wait')
    const before = fixture.kernel.counts().watchers
    while (fixture.kernel.counts().watchers === before) await turns(1)
    fixture.shutdown.abort()
    expect((await waiting).response.statusCode).toBe(503)
    await fixture.api.close()
    await expect(openStream(port, '/')).rejects.toMatchObject({ code: 'ECONNREFUSED' })
  })
})
