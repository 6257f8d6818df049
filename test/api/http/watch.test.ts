// Watches over HTTP: what is sent, what is skipped, and that a slow reader costs two bits.
import { afterEach, describe, expect, it } from 'vitest'
import { createFixture, type Fixture, openStream, turns } from './http-api.fixture.ts'

let fixture: Fixture
afterEach(() => fixture.close())

const rules = '/svc => /#/io.test'

async function listening(namespaces: Record<string, string> = { default: rules }): Promise<number> {
  fixture = await createFixture({ namespaces })
  fixture.namer.set('web', '10.0.0.1:80')
  const { port } = await fixture.api.listen({ host: '127.0.0.1', port: 0 })
  return port
}

async function put(payload: string, url = '/api/dtabs/default') {
  const answer = await fixture.api.inject({ method: 'PUT', url, headers: { 'content-type': 'text/plain' }, payload })
  expect(answer.statusCode).toBeLessThan(300)
}

/** Whether the reader of a dtab has still not been sent the newest state after some turns. */
async function isBehind(): Promise<boolean> {
  await turns()
  return (await fixture.metrics.expose()).body.includes('http_api_streams_behind{stream="dtab"} 1')
}

const bindUrl = '/api/bind/default?path=/svc/web&watch=true'

describe('a watch of a binding', () => {
  it('sends the state at once, then each change, with version and hash', async () => {
    const stream = await openStream(await listening(), bindUrl)
    expect(stream.response.headers['content-type']).toBe('application/x-ndjson')
    const first = await stream.event()
    expect(first).toMatchObject({ type: 'state', namespace: 'default', dtabVersion: 1, tree: { type: 'leaf' } })
    await put('/svc => ~')
    const second = await stream.event()
    expect(second).toMatchObject({ type: 'state', dtabVersion: 2, tree: { type: 'neg' } })
    expect(second.hash).not.toBe(first.hash)
  })

  it('sends nothing for an equal dtab; the heartbeat shows the new version', async () => {
    const stream = await openStream(await listening(), bindUrl)
    const { hash } = await stream.event()
    await put(`${rules} ; # equal`)
    await turns()
    fixture.clock.advance(15_000)
    expect(await stream.event()).toEqual({ type: 'heartbeat', dtabVersion: 2, hash })
  })

  it('makes the deletion of the namespace an event', async () => {
    const stream = await openStream(await listening(), bindUrl)
    await stream.event()
    await fixture.api.inject({ method: 'DELETE', url: '/api/dtabs/default' })
    expect(await stream.event()).toMatchObject({
      type: 'deleted',
      namespaceExists: false,
      dtabVersion: 2,
      tree: { type: 'neg' },
    })
  })

  it('says pending with the leaf that is waited for, and a problem when the name cannot be evaluated', async () => {
    const port = await listening()
    const waiting = await openStream(port, '/api/bind/default?path=/svc/wait&watch=true')
    expect(await waiting.event()).toMatchObject({ type: 'state', pending: { waitingFor: '/#/io.test/wait' } })
    await put('/svc => /svc/x')
    expect(await waiting.event()).toMatchObject({ type: 'state', problem: { code: 'name-too-deep', status: 422 } })
  })

  it('skips a first event that the client has, by from or Last-Event-ID', async () => {
    const port = await listening()
    const { hash } = await (await openStream(port, bindUrl)).event()
    const resumed = await openStream(port, `${bindUrl}&from=${String(hash)}`)
    const browser = await openStream(port, bindUrl, { accept: 'text/event-stream', 'last-event-id': String(hash) })
    await put('/svc => ~')
    expect(await resumed.event()).toMatchObject({ dtabVersion: 2 })
    expect(await browser.line()).toBe('event: state')
    expect(await browser.line()).toMatch(/^id: [0-9a-f]{16}$/)
    expect(await browser.line()).toMatch(/^data: \{"type":"state".*"dtabVersion":2/)
    expect(await browser.line()).toBe('')
  })

  it('sends the event at once when the hash in from is of other content', async () => {
    const stream = await openStream(await listening(), `${bindUrl}&from=0123456789abcdef`)
    expect(await stream.event()).toMatchObject({ type: 'state', dtabVersion: 1 })
  })

  it('evaluates once for many streams of one name', async () => {
    const port = await listening()
    const streams = await Promise.all(Array.from({ length: 20 }, () => openStream(port, bindUrl)))
    for (const stream of streams) await stream.event()
    const before = fixture.kernel.counts().evaluations
    await put('/svc => ~')
    for (const stream of streams) expect(await stream.event()).toMatchObject({ dtabVersion: 2 })
    expect(fixture.kernel.counts().evaluations - before).toBeLessThan(10)
  })

  it('lets go of everything when the reader leaves', async () => {
    const port = await listening()
    await turns()
    const { watchers: idle, openSources } = fixture.kernel.counts()
    const stream = await openStream(port, bindUrl)
    await stream.event()
    expect(fixture.kernel.counts().watchers).toBeGreaterThan(idle)
    stream.response.destroy()
    for (let turn = 0; turn < 100 && fixture.kernel.counts().openSources > openSources; turn++) {
      await turns(1)
      fixture.clock.advance(60_000)
    }
    expect(fixture.kernel.counts()).toMatchObject({ watchers: idle, openSources })
    expect(fixture.clock.waiting).toBe(0)
  })
})

describe('a watch of an id', () => {
  it('sends each change of its endpoints, whether or not the namespace exists', async () => {
    const stream = await openStream(await listening({}), '/api/addr/nope?path=/%23/io.test/web&watch=true')
    const first = await stream.event()
    expect(first).toMatchObject({ type: 'state', namespaceExists: false, addr: { addrs: [{ ip: '10.0.0.1' }] } })
    fixture.namer.set('web', '10.0.0.2:80')
    expect(await stream.event()).toMatchObject({ type: 'state', addr: { addrs: [{ ip: '10.0.0.2' }] } })
  })
})

describe('a watch of a dtab', () => {
  it('begins with deleted when there is none, and sends every version', async () => {
    const port = await listening({})
    const stream = await openStream(port, '/api/dtabs/default?watch=true')
    expect(await stream.event()).toMatchObject({ type: 'deleted', dtabVersion: 0, namespace: 'default' })
    await put('/a => /b')
    const state = { type: 'state', dtabVersion: 1, version: 1, dtab: [{ prefix: '/a', dst: '/b' }] }
    const first = await stream.event()
    expect(first).toMatchObject(state)
    await put('/a => /b')
    expect(await stream.event()).toMatchObject({ dtabVersion: 2, hash: first.hash })
    await fixture.api.inject({ method: 'DELETE', url: '/api/dtabs/default' })
    expect(await stream.event()).toMatchObject({ type: 'deleted', dtabVersion: 3 })
  })
})

describe('a reader that stops reading', () => {
  it('gets the newest version when it reads again, and not what came between', async () => {
    const port = await listening({})
    const stream = await openStream(port, '/api/dtabs/default?watch=true')
    await stream.event()
    stream.response.pause()
    const padding = Array.from({ length: 200 }, (_, i) => `/p${i} => /${'x'.repeat(1_300)} ;`).join('')
    let version = 0
    const putNext = (): Promise<void> => put(`${padding}/a => /v${++version}`)
    // However much the system's own buffers between two sockets hold, in the end the server is held back.
    while (!(await isBehind())) await putNext()
    const sent = version
    for (let more = 0; more < 20; more++) await putNext()
    stream.response.resume()
    let events = 0
    for (let seen = 0; seen < version; events++) seen = Number((await stream.event()).dtabVersion)
    expect(events).toBeLessThan(sent + 10)
  })
})

describe('the end of a watch', () => {
  it('is clean when the server stops', async () => {
    const stream = await openStream(await listening(), bindUrl)
    await stream.event()
    fixture.shutdown.abort()
    expect(await stream.line()).toBeUndefined()
    expect(stream.response.complete).toBe(true)
    const late = await fixture.api.inject({ url: '/api/dtabs' })
    expect(late.json()).toMatchObject({ status: 503, code: 'unavailable', retryable: true })
    expect(late.headers.connection).toBe('close')
  })

  it('does not hold up a close, nor does a reader that reads nothing', async () => {
    const stream = await openStream(await listening(), bindUrl)
    stream.response.pause()
    await fixture.api.close()
  })
})
