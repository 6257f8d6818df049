import { once } from 'node:events'
import { request, type ServerResponse } from 'node:http'
import { describe, expect, it } from 'vitest'
import { endpointAt } from './naming.fake.ts'
import { errorOf, keepAliveAgent, send, startNamed, startTestProxy, startUpstream } from './proxy.fixture.ts'

const retryAll = { kind: 'io.l5d.global', responseClassifier: { kind: 'io.l5d.http.retryableAll5XX' } } as const

describe('a request that is tried again', () => {
  it('has its body sent again, over the connection that the dropped response leaves free', async () => {
    const { naming, port } = await startTestProxy({ router: { service: retryAll } })
    const bodies: string[] = []
    const upstream = await startUpstream(async (message, response) => {
      bodies.push((await message.toArray()).join(''))
      response.writeHead(bodies.length < 3 ? 500 : 200).end(`answer ${bodies.length}`)
    })
    naming.route('/svc/web', '/#/web', [endpointAt(upstream.port)])
    const response = await send(port, { method: 'POST', body: 'once and again' })
    expect([response.status, response.body]).toEqual([200, 'answer 3'])
    expect(bodies).toEqual(Array(3).fill('once and again'))
    expect(upstream.connections()).toBeLessThanOrEqual(2)
  })

  it('before its body has come gets the rest of it too', async () => {
    const { naming, port } = await startTestProxy({ router: { service: retryAll } })
    const retried = Promise.withResolvers<void>()
    let count = 0
    const upstream = await startUpstream((message, response) => {
      if (++count === 1) {
        response.writeHead(500).end('too early')
        return
      }
      message.once('data', () => retried.resolve())
      void message.toArray().then(chunks => response.end(chunks.join('')))
    })
    naming.route('/svc/web', '/#/web', [endpointAt(upstream.port)])
    const answered = new Promise<string>((resolve, reject) => {
      const headers = { host: 'web', 'content-length': 6 }
      const outgoing = request({ host: '127.0.0.1', port, method: 'POST', headers, agent: false }, response => {
        response.toArray().then(chunks => resolve(chunks.join('')), reject)
      })
      outgoing.on('error', reject).write('abc')
      retried.promise.then(() => outgoing.end('def'), reject)
    })
    expect(await answered).toBe('abcdef')
    expect(count).toBe(2)
  })

  it('does not bother a replica that is dead: five requests, all of them answered by others', async () => {
    const { naming, port, scrape } = await startTestProxy({ router: { service: retryAll } })
    const alive = await startNamed('alive')
    const sick = await startUpstream((message, response) => {
      message.resume()
      response.writeHead(500).end('sick')
    })
    naming.route('/svc/web', '/#/web', [endpointAt(sick.port), endpointAt(alive.port)])
    const agent = keepAliveAgent()
    for (let i = 0; i < 100; i++) expect((await send(port, { agent })).body).toBe('alive')
    expect(sick.requests()).toBe(5)
    expect(await scrape()).toMatch(/_retries_total\{[^}]*service="\/svc\/web"[^}]*\} 5\n/)
  })

  it('finds a replica alive again by the first good answer, though that is a stream without an end', async () => {
    const failureAccrual = { kind: 'io.l5d.consecutiveFailures', failures: 1, backoff: { kind: 'constant' } } as const
    const client = { kind: 'io.l5d.global', loadBalancer: { kind: 'roundRobin' }, failureAccrual } as const
    const { naming, port } = await startTestProxy({ router: { service: retryAll, client } })
    let isSick = true
    const alive = await startNamed('alive')
    const sick = await startUpstream((_message, response) => {
      if (isSick) response.writeHead(500).end()
      else response.write('event')
    })
    naming.route('/svc/web', '/#/web', [endpointAt(sick.port), endpointAt(alive.port)])
    const agent = keepAliveAgent()
    while (sick.requests() === 0) await send(port, { agent })
    isSick = false
    const before = sick.requests()
    // Its back-off is over at once: each of these is a stream, and more than the probe comes.
    const streams = Array.from({ length: 20 }, () =>
      request({ host: '127.0.0.1', port, headers: { host: 'web' }, agent: false }),
    )
    for (const stream of streams) {
      const answered = once(stream, 'response')
      stream.end()
      await answered
    }
    for (const stream of streams) stream.destroy()
    expect(sick.requests() - before).toBeGreaterThan(1)
  })
})

describe('a request with limits of time', () => {
  it('is answered when an attempt takes too long, and its connection is not used again', async () => {
    const { naming, port } = await startTestProxy({ router: { client: { requestAttemptTimeoutMs: 30 } } })
    const upstream = await startUpstream(() => {})
    naming.route('/svc/web', '/#/web', [endpointAt(upstream.port)])
    const response = await send(port)
    expect([response.status, errorOf(response).split(':')[0]]).toEqual([503, 'timeout'])
    await upstream.allClosed()
  })

  it('whose deadline ends while it waits for a connection reaches no upstream', async () => {
    const { naming, port } = await startTestProxy({ router: { client: { hostConnectionPool: { maxSize: 1 } } } })
    const held = Promise.withResolvers<ServerResponse>()
    const targets: string[] = []
    const upstream = await startUpstream((message, response) => {
      targets.push(message.url ?? '')
      if (targets.length === 1) held.resolve(response)
      else response.end('more')
    })
    naming.route('/svc/web', '/#/web', [endpointAt(upstream.port)])
    const first = send(port, { path: '/first' })
    const response = await held.promise
    const late = await send(port, { path: '/late', headers: { 'l5d-ctx-deadline': `0 ${Date.now() + 30}000000` } })
    expect([late.status, errorOf(late).split(':')[0]]).toEqual([503, 'deadline'])
    response.end()
    await first
    await send(port, { path: '/next' })
    expect(targets).toEqual(['/first', '/next'])
  })

  it('whose deadline is over reaches no upstream', async () => {
    const { naming, port } = await startTestProxy({ router: { timeoutStatus: 504 } })
    const upstream = await startNamed('web')
    naming.route('/svc/web', '/#/web', [endpointAt(upstream.port)])
    const response = await send(port, { headers: { 'l5d-ctx-deadline': '1000000000 2000000000' } })
    expect([response.status, errorOf(response).split(':')[0]]).toEqual([504, 'deadline'])
    expect(upstream.requests()).toBe(0)
  })
})
