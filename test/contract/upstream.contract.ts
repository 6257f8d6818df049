// What every pool of upstream connections keeps to, whatever does the wire.
import type { RequestListener } from 'node:http'
import { Readable } from 'node:stream'
import { describe, expect, it, onTestFinished } from 'vitest'
import type { RawHeaders } from '../../proxy-client/headers/raw-headers.ts'
import type { Sending, Upstream, UpstreamFactory, UpstreamHandler } from '../../proxy-client/pool/upstream.ts'
import { endpointAt } from '../proxy-client/naming.fake.ts'
import { startNamed, startUpstream } from '../proxy-client/proxy.fixture.ts'

/** Writes down what it hears. */
class Recorder implements UpstreamHandler {
  readonly heard: string[] = []
  readonly ended = Promise.withResolvers<void>()
  headers: RawHeaders = []
  body = ''
  takesMore = true

  onResponse(status: number, reason: string, headers: RawHeaders): void {
    this.heard.push(`response ${status} ${reason}`.trim())
    this.headers = headers
  }

  onData(chunk: Uint8Array): boolean {
    this.body += Buffer.from(chunk).toString()
    return this.takesMore
  }

  onEnd(trailers: RawHeaders): void {
    this.heard.push(['end', ...trailers].join(' '))
    this.ended.resolve()
  }

  onFailure({ kind }: { readonly kind: string }): void {
    this.heard.push(kind)
    this.ended.resolve()
  }
}

/** Runs the suite over real connections on loopback. */
export function describeUpstream(name: string, create: UpstreamFactory): void {
  function open(port: number): Upstream {
    const upstream = create(endpointAt(port))
    onTestFinished(() => upstream.destroy(new Error('the test is over')))
    return upstream
  }

  function send(upstream: Upstream, overrides: Partial<Parameters<Upstream['send']>[0]> = {}) {
    const recorder = new Recorder()
    const request = { method: 'GET', target: '/', headers: ['Host', 'web'], body: null, ...overrides }
    const sending: Sending = upstream.send(request, recorder)
    return { recorder, sending }
  }

  async function exchange(listener: RequestListener, overrides: Parameters<typeof send>[1] = {}): Promise<Recorder> {
    const server = await startUpstream(listener)
    const { recorder } = send(open(server.port), overrides)
    await recorder.ended.promise
    return recorder
  }

  describe(`${name} as a pool`, () => {
    it('does not connect before there is a request', async () => {
      const server = await startNamed('web')
      const upstream = open(server.port)
      expect(upstream.connections).toBe(0)
      const { recorder } = send(upstream)
      await recorder.ended.promise
      expect([upstream.connections, server.connections()]).toEqual([1, 1])
    })

    it('tells of a response, its data and its end', async () => {
      const recorder = await exchange((_message, response) => {
        response.writeHead(201, 'Made', ['X-A', '1', 'x-a', '2', 'Trailer', 'x-sum'])
        response.write('some')
        response.addTrailers({ 'x-sum': '4' })
        response.end()
      })
      expect(recorder.heard).toEqual(['response 201 Made', 'end x-sum 4'])
      expect(recorder.body).toBe('some')
      expect(recorder.headers.slice(0, 4)).toEqual(['X-A', '1', 'x-a', '2'])
    })

    it('sends method, target, headers and body as they are', async () => {
      const recorder = await exchange(
        (message, response) => {
          const { method, url, rawHeaders } = message
          let body = ''
          message.on('data', chunk => {
            body += String(chunk)
          })
          message.on('end', () => response.end(JSON.stringify({ method, url, rawHeaders, body })))
        },
        {
          method: 'PATCH',
          target: '/a?b=%20',
          headers: ['Host', 'web', 'X-Two', '1', 'x-two', 'é', 'Content-Length', '5'],
          body: Readable.from([Buffer.from('he'), Buffer.from('llo')]),
        },
      )
      const seen = JSON.parse(recorder.body)
      expect(seen).toMatchObject({ method: 'PATCH', url: '/a?b=%20', body: 'hello' })
      expect(seen.rawHeaders).toEqual(expect.arrayContaining(['X-Two', '1', 'x-two', 'é']))
    })

    it('keeps a connection for the next request, and opens another for one beside it', async () => {
      const server = await startNamed('web')
      const upstream = open(server.port)
      for (let i = 0; i < 3; i++) {
        await send(upstream).recorder.ended.promise
        // A connection may need this turn to become free.
        await new Promise(setImmediate)
      }
      expect(server.connections()).toBe(1)
      const both = [send(upstream), send(upstream)]
      await Promise.all(both.map(({ recorder }) => recorder.ended.promise))
      expect(server.connections()).toBe(2)
    })

    it('calls it refused when nobody listens', async () => {
      const server = await startNamed('gone')
      await server.stop()
      const { recorder } = send(open(server.port))
      await recorder.ended.promise
      expect(recorder.heard).toEqual(['refused'])
    })

    it('calls it unanswered when the connection ends before a response', async () => {
      expect((await exchange(message => message.socket.destroy())).heard).toEqual(['unanswered'])
    })

    it('calls it broken when the connection ends within a response', async () => {
      const recorder = await exchange((_message, response) => {
        response.writeHead(200, { 'content-length': '100' })
        response.write('some', () => response.destroy())
      })
      expect(recorder.heard).toEqual(['response 200 OK', 'broken'])
      expect(recorder.body).toBe('some')
    })

    it('calls it unsendable when the request fits no wire', async () => {
      const server = await startNamed('web')
      const { recorder } = send(open(server.port), { headers: ['Host', 'a\r\nb'] })
      await recorder.ended.promise
      expect(recorder.heard).toEqual(['unsendable'])
      expect(server.connections()).toBe(0)
    })

    it('does not read a body before a connection takes it', async () => {
      const server = await startNamed('gone')
      await server.stop()
      let reads = 0
      const body = new Readable({ read: () => reads++ })
      const { recorder } = send(open(server.port), { method: 'POST', body })
      await recorder.ended.promise
      expect([recorder.heard, reads]).toEqual([['refused'], 0])
    })

    it('stops when told to, and goes on when told to', async () => {
      const server = await startUpstream((_message, response) => response.end('x'.repeat(1_000_000)))
      const { recorder, sending } = send(open(server.port))
      recorder.takesMore = false
      while (recorder.body === '') await new Promise(setImmediate)
      const stoppedAt = recorder.body.length
      for (let turn = 0; turn < 100; turn++) await new Promise(setImmediate)
      expect(recorder.body.length).toBe(stoppedAt)
      recorder.takesMore = true
      sending.resume()
      await recorder.ended.promise
      expect(recorder.body.length).toBe(1_000_000)
    })

    it('ends an exchange that is aborted, and its connection', async () => {
      const asked = Promise.withResolvers<void>()
      const server = await startUpstream(() => asked.resolve())
      const { recorder, sending } = send(open(server.port))
      await asked.promise
      sending.abort(new Error('enough'))
      await recorder.ended.promise
      expect(recorder.heard).toEqual(['unanswered'])
      await server.allClosed()
    })

    it('sends nothing when it is aborted before a connection is there', async () => {
      const server = await startNamed('web')
      const { recorder, sending } = send(open(server.port))
      sending.abort(new Error('enough'))
      await recorder.ended.promise
      expect(recorder.heard).toEqual(['refused'])
      expect(server.requests()).toBe(0)
    })

    it('lets what is in progress end when it is closed, then closes its connections', async () => {
      const asked = Promise.withResolvers<() => void>()
      const server = await startUpstream((_message, response) => asked.resolve(() => response.end('whole')))
      const upstream = open(server.port)
      const { recorder } = send(upstream)
      const finish = await asked.promise
      const closed = upstream.close()
      finish()
      await closed
      expect(recorder.body).toBe('whole')
      await server.allClosed()
    })

    it('refuses a request after it was closed', async () => {
      const server = await startNamed('web')
      const upstream = open(server.port)
      await upstream.close()
      const { recorder } = send(upstream)
      await recorder.ended.promise
      expect(recorder.heard).toEqual(['refused'])
    })

    it('cuts what is in progress when it is destroyed', async () => {
      const asked = Promise.withResolvers<void>()
      const server = await startUpstream(() => asked.resolve())
      const upstream = open(server.port)
      const { recorder } = send(upstream)
      await asked.promise
      await upstream.destroy(new Error('stop'))
      await recorder.ended.promise
      expect(recorder.heard).toEqual(['unanswered'])
      await server.allClosed()
    })
  })
}
