import { Readable } from 'node:stream'
import { fetch, request } from 'undici'
import { describe, expect, it, onTestFinished } from 'vitest'
import { createDispatcher, type DispatcherOptions } from '../../../proxy-client/library/dispatcher.ts'
import { createBalancer } from '../../../proxy-client/library/endpoint-balancer.ts'
import { createNamingClient, type NamingClient, namingClientOver } from '../../../proxy-client/library/naming-client.ts'
import { systemClock } from '../../../watch/clock.ts'
import { createKernel } from '../../../watch/kernel.ts'
import { endpointAt, FakeNaming, leafOf } from '../naming.fake.ts'
import { startNamed, startUpstream } from '../proxy.fixture.ts'

function setUp(options: Partial<DispatcherOptions> = {}) {
  const onError = (error: unknown): void => {
    throw error
  }
  const kernel = createKernel({ clock: systemClock, onError })
  const names = new FakeNaming(kernel)
  const inside = { resolver: names, clock: systemClock, namespace: 'default' }
  const naming: NamingClient = namingClientOver(inside, { connection: kernel.input('connection'), close: () => {} })
  const dispatcher = createDispatcher({ naming, ...options })
  onTestFinished(() => dispatcher.destroy())
  const get = async (url = 'http://web/', headers: Record<string, string> = {}): Promise<string> => {
    const response = await request(url, { dispatcher, headers })
    return `${response.statusCode} ${await response.body.text()}`
  }
  return { names, naming, dispatcher, get }
}

/** The port of something that was there and is not any more. */
async function closedPort(): Promise<number> {
  const { port, stop } = await startNamed('gone')
  await stop()
  return port
}

const echo = () =>
  startUpstream((message, response) => {
    message.resume()
    const { host, 'l5d-dtab': own = '-', 'l5d-ctx-dtab': context = '-' } = message.headers
    response.end(`${host} ${String(own)} ${String(context)}`)
  })

describe('a dispatcher', () => {
  it('sends requests by name to the endpoints of that name, with the name as Host', async () => {
    const { names, get } = setUp()
    names.route('/svc/web', '/#/fs/web', [endpointAt((await echo()).port)])
    expect(await get()).toBe('200 web - -')
    expect(await get('http://WEB:8080/x')).toBe('200 web:8080 - -')
    expect(await get('http://web/', { host: 'shop.example.org' })).toBe('200 shop.example.org - -')
  })

  it('serves fetch', async () => {
    const { names, dispatcher } = setUp()
    names.route('/svc/web', '/#/fs/web', [endpointAt((await startNamed('blue')).port)])
    const response = await fetch('http://web/', { dispatcher, method: 'POST', body: 'hello' })
    expect(await response.text()).toBe('blue')
  })

  it('waits for a name that is not known yet, and follows it when it moves', async () => {
    const { names, get } = setUp()
    const first = get()
    names.route('/svc/web', '/#/fs/blue', [endpointAt((await startNamed('blue')).port)])
    expect(await first).toBe('200 blue')
    names.route('/svc/web', '/#/fs/green', [endpointAt((await startNamed('green')).port)])
    await expect.poll(() => get()).toBe('200 green')
  })

  it('tries another endpoint when one refuses the connection, a request with a body too', async () => {
    const { names, dispatcher } = setUp({ loadBalancer: { kind: 'roundRobin' } })
    const ports = [await closedPort(), (await startNamed('blue')).port]
    names.route(
      '/svc/web',
      '/#/fs/web',
      ports.map(port => endpointAt(port)),
    )
    for (let i = 0; i < 8; i++) {
      const response = await request('http://web/', { dispatcher, method: 'POST', body: 'hello' })
      expect(await response.body.text()).toBe('blue')
    }
  })

  it('leaves an endpoint alone after it has failed in a row', async () => {
    const { names, get } = setUp({ failureAccrual: { kind: 'io.l5d.consecutiveFailures', failures: 3 } })
    const bad = await startUpstream((message, response) => {
      message.resume()
      response.writeHead(500).end()
    })
    names.route('/svc/web', '/#/fs/web', [endpointAt(bad.port), endpointAt((await startNamed('good')).port)])
    for (let i = 0; i < 40; i++) await get()
    expect(bad.requests()).toBe(3)
  })

  it('binds with the dtabs of the chain, of the dispatcher and of the request, in that order', async () => {
    const { names, get } = setUp({ dtab: '/b => /2;' })
    const { port } = await echo()
    names.replicaSet('/#/fs/web').set({ kind: 'bound', endpoints: [endpointAt(port)] })
    names.tree('/svc/web', '/a => /1;/b => /2;/c => /3').set(leafOf('/#/fs/web'))
    const headers = { 'l5d-ctx-dtab': '/a => /1', 'l5d-dtab': '/c => /3' }
    expect(await get('http://web/', headers)).toBe('200 web - /a => /1;/b => /2;/c => /3')
  })

  it('fails with what is missing', async () => {
    const { names, get } = setUp({ bindingTimeoutMs: 1 })
    await expect(get()).rejects.toThrow('/svc/web is not bound yet')
    names.tree('/svc/none').set({ kind: 'neg' })
    await expect(get('http://none/')).rejects.toThrow('/svc/none is bound to nothing (neg)')
    names.route('/svc/bare', '/#/fs/bare', [])
    await expect(get('http://bare/')).rejects.toThrow('/#/fs/bare has no endpoint left to try')
    names.route('/svc/down', '/#/fs/down', [endpointAt(await closedPort())])
    await expect(get('http://down/')).rejects.toThrow('ECONNREFUSED')
    await expect(get('https://web/')).rejects.toThrow('Only http:')
  })

  it('refuses what undici does not send', async () => {
    const { names, dispatcher } = setUp()
    names.route('/svc/web', '/#/fs/web', [endpointAt((await echo()).port)])
    for (const headers of [{ 'not a name': 'x' }, { expect: '100-continue' }])
      await expect(request('http://web/', { dispatcher, headers })).rejects.toThrow(/header/)
  })

  it('gives up a request that waits for its name when that is aborted', async () => {
    const { dispatcher } = setUp({ bindingTimeoutMs: 60_000 })
    const abort = new AbortController()
    const answer = request('http://web/', { dispatcher, signal: abort.signal })
    abort.abort(new Error('enough'))
    await expect(answer).rejects.toThrow('enough')
  })

  it('sends a body that is a stream to the endpoint that takes it', async () => {
    const { names, dispatcher } = setUp({ loadBalancer: { kind: 'roundRobin' } })
    const { port } = await startUpstream((message, response) => {
      message.setEncoding('utf8')
      let text = ''
      message.on('data', (part: string) => {
        text += part
      })
      message.on('end', () => response.end(text))
    })
    names.route('/svc/web', '/#/fs/web', [endpointAt(await closedPort()), endpointAt(port)])
    for (let i = 0; i < 4; i++) {
      const body = Readable.from(['one ', 'two'])
      const response = await request('http://web/', { dispatcher, method: 'POST', body })
      expect(await response.body.text()).toBe('one two')
    }
  })

  it.each([{ bindingTimeoutMs: Number.NaN }, { maxNames: 0 }, { idleMs: -1 }])('is not made with %o', option => {
    expect(() => setUp(option)).toThrow(Object.keys(option)[0])
  })

  it('throws when it is called without a handler', () => {
    const { dispatcher } = setUp()
    const dispatch = dispatcher.dispatch.bind(dispatcher, { origin: 'http://web', path: '/', method: 'GET' })
    // @ts-expect-error: a program that is not checked
    expect(() => dispatch()).toThrow(TypeError)
  })

  it('lets requests in progress end when it closes, and takes no others', async () => {
    const { names, dispatcher, get } = setUp()
    let finish = (): void => {}
    const arrived = new Promise<void>(resolve => {
      void startUpstream((message, response) => {
        message.resume()
        finish = () => response.end('whole')
        resolve()
      }).then(({ port }) => names.route('/svc/web', '/#/fs/web', [endpointAt(port)]))
    })
    const answer = get()
    await arrived
    const closed = dispatcher.close()
    await expect(get()).rejects.toThrow('closed')
    finish()
    expect(await answer).toBe('200 whole')
    await closed
  })
})

describe('a balancer of the library', () => {
  it('picks endpoints of a name, and learns how requests ended', async () => {
    const { names, naming } = setUp()
    const balancer = createBalancer(naming, '/svc/web', { loadBalancer: { kind: 'heap' } })
    const first = balancer.pick()
    names.route('/svc/web', '/#/fs/web', [endpointAt(1), endpointAt(2)])
    const [a, b] = [await first, await balancer.pick()]
    expect([a.endpoint.port, b.endpoint.port].toSorted()).toEqual([1, 2])
    a.release('success')
    expect((await balancer.pick()).endpoint.port).toBe(a.endpoint.port)
    balancer.close()
    await expect(balancer.pick()).rejects.toThrow('closed')
  })

  it('waits for nothing once the naming client is closed, and says why nothing is known', async () => {
    const naming = createNamingClient({ addresses: ['127.0.0.1:1'] })
    const balancer = createBalancer(naming, '/svc/web')
    const pick = balancer.pick()
    await expect.poll(() => naming.connection.peek()).toMatchObject({ value: { kind: 'waiting' } })
    await expect(balancer.pick({ timeoutMs: 1 })).rejects.toThrow(/not bound yet\. The naming server at .* is away/)
    naming.close()
    await expect(pick).rejects.toThrow('the naming client is closed')
    await expect(createBalancer(naming, '/svc/other').pick()).rejects.toThrow('the naming client is closed')
    balancer.close()
  })

  it('gives up when it is told to', async () => {
    const { naming } = setUp()
    const balancer = createBalancer(naming, '/svc/web')
    const abort = new AbortController()
    const pick = balancer.pick({ signal: abort.signal })
    abort.abort(new Error('enough'))
    await expect(pick).rejects.toThrow('enough')
    balancer.close()
  })
})
