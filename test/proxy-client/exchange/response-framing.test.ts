import { describe, expect, it } from 'vitest'
import type { Framing } from '../../../proxy-client/http1/message.ts'
import { answer, fill, requestHead, settled, startTestListener } from './client.fixture.ts'

/** What a client gets for one request when the handler writes these parts. */
async function exchange(head: string, framing: Framing, parts: readonly string[], status = 200, trailers?: string) {
  const { open } = await startTestListener(({ response }) => {
    response.start(status, 'Fine', 'X-A: 1\r\n', framing)
    for (const part of parts) response.write(Buffer.from(part, 'latin1'))
    response.end(trailers)
  })
  const client = open().send(head)
  await client.sees(/\r\n\r\n/)
  await settled(() => client.text.length)
  return client
}

const get = requestHead('GET /')
/** The payload of a chunked body without trailers. */
function unchunk(text: string): string {
  let payload = ''
  for (let at = 0; ; ) {
    const lineEnd = text.indexOf('\r\n', at)
    const size = Number.parseInt(text.slice(at, lineEnd), 16)
    if (size === 0) return payload
    payload += text.slice(lineEnd + 2, lineEnd + 2 + size)
    at = lineEnd + 2 + size + 2
  }
}

const headOf = (...fields: readonly string[]) => `${['HTTP/1.1 200 Fine', 'X-A: 1', ...fields].join('\r\n')}\r\n\r\n`

describe('a response', () => {
  it('of a known length has Content-Length, and the connection stays', async () => {
    const client = await exchange(get, { kind: 'length', bytes: 5 }, ['ab', 'cde'])
    expect(client.text).toBe(`${headOf('Content-Length: 5')}abcde`)
    expect(client.hasEnded).toBe(false)
  })

  it.each(['chunked', 'close'] as const)('that is %s goes out in chunks without extensions', async kind => {
    const client = await exchange(get, { kind }, ['ab', '0123456789abcdef'])
    expect(client.text).toBe(`${headOf('Transfer-Encoding: chunked')}2\r\nab\r\n10\r\n0123456789abcdef\r\n0\r\n\r\n`)
    expect(client.hasEnded).toBe(false)
  })

  it('has its trailers after the last chunk', async () => {
    const client = await exchange(get, { kind: 'chunked' }, ['a'], 200, 'X-Sum: 1\r\nX-More: 2\r\n')
    expect(client.text.endsWith('1\r\na\r\n0\r\nX-Sum: 1\r\nX-More: 2\r\n\r\n')).toBe(true)
  })

  it('without a body says so', async () => {
    expect((await exchange(get, { kind: 'none' }, [])).text).toBe(headOf('Content-Length: 0'))
  })

  it.each([
    [requestHead('HEAD /'), 200, { kind: 'length', bytes: 10 } as const, 'Content-Length: 10\r\n'],
    [requestHead('HEAD /'), 200, { kind: 'none' } as const, ''],
    [requestHead('HEAD /'), 200, { kind: 'chunked' } as const, ''],
    [get, 204, { kind: 'length', bytes: 0 } as const, ''],
    [get, 304, { kind: 'length', bytes: 10 } as const, 'Content-Length: 10\r\n'],
    [get, 304, { kind: 'none' } as const, ''],
  ])('that has no body by its nature gets none: %j %i %j', async (head, status, framing, lines) => {
    const client = await exchange(head, framing, ['never seen'], status)
    expect(client.text).toBe(`HTTP/1.1 ${status} Fine\r\nX-A: 1\r\n${lines}\r\n`)
    expect(client.hasEnded).toBe(false)
  })

  it('passes bytes of every value', async () => {
    const bytes = Array.from({ length: 256 }, (_, i) => String.fromCharCode(i)).join('')
    const client = await exchange(get, { kind: 'length', bytes: 256 }, [bytes])
    expect(client.text.slice(-256)).toBe(bytes)
  })

  it.each(['length', 'chunked'] as const)('with large and small slices keeps their order, %s', async kind => {
    const parts = ['a'.repeat(10), 'b'.repeat(70_000), 'c', 'd'.repeat(5_000), 'e'.repeat(4_096), 'f'.repeat(30_000)]
    const body = parts.join('')
    const client = await exchange(get, kind === 'length' ? { kind, bytes: body.length } : { kind }, parts)
    await client.sees(kind === 'length' ? /f{30000}$/ : /0\r\n\r\n$/)
    const received = client.text.slice(client.text.indexOf('\r\n\r\n') + 4)
    expect(kind === 'length' ? received : unchunk(received)).toBe(body)
  })

  it.each([
    ['less', ['ab']],
    ['more', ['abcd', 'ef']],
  ])('with %s bytes than it announced is cut, so that nobody reads on', async (_what, parts) => {
    const { open } = await startTestListener(({ response }) => {
      response.start(200, 'Fine', '', { kind: 'length', bytes: 5 })
      response.flush()
      for (const part of parts) {
        response.write(Buffer.from(part))
        response.flush()
      }
      response.end()
    })
    const text = await open().send(get).ends()
    expect(text.slice(text.indexOf('\r\n\r\n') + 4).length).toBeLessThan(5)
  })

  it('that is cut in the middle closes the connection', async () => {
    const { open, inbound } = await startTestListener(({ response }) => {
      response.start(200, 'Fine', '', { kind: 'chunked' })
      response.write(Buffer.from('ab'))
      response.flush()
    })
    const client = open().send(get)
    await client.sees('ab\r\n')
    const { response } = await inbound()
    response.cut()
    expect(await client.ends()).toMatch(/2\r\nab\r\n$/)
  })

  it('sends head and body in one write', async () => {
    const writes: number[] = []
    const { open, inbound } = await startTestListener()
    const client = open().send(get)
    const { response } = await inbound()
    client.socket.on('data', chunk => writes.push(chunk.length))
    response.start(200, 'Fine', '', { kind: 'chunked' })
    response.write(Buffer.from('ab'))
    response.write(Buffer.from('cd'))
    response.end()
    await client.sees('0\r\n\r\n')
    expect(writes).toHaveLength(1)
  })

  it('is held back until it is flushed', async () => {
    const { open, inbound } = await startTestListener()
    const client = open().send(get)
    const { response } = await inbound()
    response.start(200, 'Fine', '', { kind: 'chunked' })
    await settled(() => client.text.length)
    expect(client.text).toBe('')
    response.flush()
    await client.sees('\r\n\r\n')
    expect(response.isDrained).toBe(true)
  })

  it('is kept until the system has taken all of it, also after its end', async () => {
    const { open, inbound } = await startTestListener()
    const client = open().send(get)
    const { response } = await inbound()
    client.socket.pause()
    const slice = Buffer.alloc(24 * 1024 * 1024, 'x')
    response.start(200, 'Fine', '', { kind: 'length', bytes: slice.length })
    expect(response.write(slice)).toBe(false)
    response.flush()
    expect(response.isDrained).toBe(false)
    response.end()
    expect(response.isDrained).toBe(false)
    let received = 0
    client.socket.removeAllListeners('data').on('data', chunk => (received += chunk.length))
    client.socket.resume()
    await settled(() => received)
    expect(response.isDrained).toBe(true)
  })

  it('with large slices asks for a pause only when the system does not take them', async () => {
    const { open, inbound } = await startTestListener()
    const client = open().send(get)
    const { response } = await inbound()
    response.start(200, 'Fine', '', { kind: 'chunked' })
    expect(response.write(Buffer.alloc(65_536))).toBe(true)
    response.flush()
    client.socket.pause()
    await fill(response)
    expect(response.write(Buffer.alloc(65_536))).toBe(false)
  })

  it('reaches nobody when it is over', async () => {
    const { open, inbounds } = await startTestListener(inbound => answer(inbound))
    const client = open().send(get)
    await client.sees('hi')
    const { response } = inbounds[0] ?? {}
    response?.start(200, 'Evil', '', { kind: 'none' })
    response?.interim(103, 'Evil', '')
    response?.write(Buffer.from('evil'))
    response?.end()
    response?.cut()
    response?.tunnel(101, 'Evil', '')
    client.send(get)
    await client.sees(/hi.*hi/s)
    expect(client.text).not.toMatch(/evil/i)
  })
})

describe('a client of HTTP/1.0', () => {
  const old = (...fields: readonly string[]) => requestHead('GET / HTTP/1.0', ...fields)

  it('gets its answer and the end of the connection', async () => {
    const client = await exchange(old(), { kind: 'length', bytes: 2 }, ['ab'])
    expect(await client.ends()).toBe(`${headOf('Content-Length: 2', 'Connection: close')}ab`)
  })

  it('keeps its connection when it asks for that and the length is known', async () => {
    const client = await exchange(old('Connection: keep-alive'), { kind: 'length', bytes: 2 }, ['ab'])
    expect(client.text).toBe(`${headOf('Content-Length: 2', 'Connection: keep-alive')}ab`)
    expect(client.hasEnded).toBe(false)
  })

  it('gets no chunks: the end of the connection is that of the body', async () => {
    const client = await exchange(old('Connection: keep-alive'), { kind: 'chunked' }, ['ab', 'cd'])
    expect(await client.ends()).toBe(`${headOf('Connection: close')}abcd`)
  })

  it('sees a reset when such a body is cut, for an end would look whole', async () => {
    const { open, inbound } = await startTestListener()
    const client = open().send(old())
    const { response } = await inbound()
    response.start(200, 'Fine', '', { kind: 'chunked' })
    response.write(Buffer.from('ab'))
    response.flush()
    await client.sees('ab')
    response.cut()
    await client.ends()
    expect(client.error).toBe('ECONNRESET')
  })

  it('is told nothing in between', async () => {
    const { open } = await startTestListener(inbound => {
      inbound.response.interim(103, 'Early Hints', 'Link: </a>\r\n')
      answer(inbound)
    })
    expect(await open().send(old()).ends()).not.toContain('103')
  })
})
