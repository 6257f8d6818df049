// How long a body may take: by the test's clock, over real connections.
import { connect, type Socket } from 'node:net'
import { afterEach, describe, expect, it } from 'vitest'
import { encodeExportedVersion, encodeExportHeader, encodeExportTrailer } from '../../../proto/export-lines.ts'
import { createFixture, type Fixture, turns } from './http-api.fixture.ts'

let fixture: Fixture
afterEach(() => fixture?.close())

const twoMinutes = 120_000

interface Client {
  readonly socket: Socket
  readonly answer: Promise<string>
  /** Sends a chunk of the body and waits until the server has it. */
  send(chunk: string): Promise<void>
}

/** A request whose head the server has. */
async function begin(head: string): Promise<Client> {
  fixture = await createFixture()
  const { port } = await fixture.api.listen({ host: '127.0.0.1', port: 0 })
  const timers = fixture.clock.waiting
  const socket = connect(port, '127.0.0.1')
  const answer = new Promise<string>(resolve => {
    let text = ''
    socket.setEncoding('utf8').on('data', chunk => {
      text += String(chunk)
    })
    socket.once('close', () => resolve(text))
  })
  socket.write(`${head}\r\nHost: a\r\nConnection: close\r\nTransfer-Encoding: chunked\r\n\r\n`)
  while (fixture.clock.waiting === timers) await turns()
  const send = async (chunk: string): Promise<void> => {
    socket.write(`${chunk.length.toString(16)}\r\n${chunk}\r\n`)
    for (let round = 0; round < 20; round++) await turns()
  }
  return { socket, answer, send }
}

const lines = [
  encodeExportHeader({ exportedAt: 0, from: 'a test' }),
  ...[1, 2].map(version =>
    encodeExportedVersion({
      namespace: 'a',
      version,
      author: 'ann',
      verified: false,
      message: '',
      time: 0,
      parent: version - 1,
      text: '/a => /b',
    }),
  ),
  encodeExportTrailer({ namespaces: 1, versions: 2 }),
]

describe('a body', () => {
  it('that is not whole after two minutes is answered with 408', async () => {
    const { send, answer } = await begin('PUT /api/dtabs/default HTTP/1.1\r\nContent-Type: text/plain')
    fixture.clock.advance(twoMinutes - 1)
    await send('/a =>')
    fixture.clock.advance(1)
    expect(await answer).toMatch(/^HTTP\/1\.1 408 .*"request-timeout"/s)
    expect(await fixture.store.head('default')).toBeUndefined()
  })

  it('of an import may take as long as it needs while it goes on coming', async () => {
    const { send, socket, answer } = await begin('POST /api/import HTTP/1.1\r\nContent-Type: application/x-ndjson')
    for (const text of lines) {
      await send(text)
      fixture.clock.advance(twoMinutes)
    }
    socket.write('0\r\n\r\n')
    expect(await answer).toMatch(/^HTTP\/1\.1 200 /)
    expect(await fixture.store.head('a')).toMatchObject({ version: 2 })
  })

  it('of an import that stops coming is answered with 408, and nothing of its namespace comes in', async () => {
    const { send, answer } = await begin('POST /api/import HTTP/1.1\r\nContent-Type: application/x-ndjson')
    for (const text of lines.slice(0, 3)) await send(text)
    fixture.clock.advance(2 * twoMinutes)
    expect(await answer).toMatch(/^HTTP\/1\.1 408 /)
    for (let round = 0; round < 20; round++) await turns()
    expect(await fixture.store.head('a')).toBeUndefined()
  })

  it('of an import that was refused is listened to for two minutes at most', async () => {
    const { send, answer } = await begin('POST /api/import HTTP/1.1\r\nContent-Type: application/x-ndjson')
    await send('nonsense\n')
    fixture.clock.advance(twoMinutes - 1)
    await send('more\n')
    fixture.clock.advance(1)
    expect(await answer).toMatch(/^HTTP\/1\.1 400 .*This is no line of an export/s)
  })

  it('leaves no timer behind', async () => {
    fixture = await createFixture()
    const { port } = await fixture.api.listen({ host: '127.0.0.1', port: 0 })
    const put = (): Promise<Response> =>
      fetch(`http://127.0.0.1:${port}/api/dtabs/default`, {
        method: 'PUT',
        headers: { 'content-type': 'text/plain' },
        body: '/a => /b',
      })
    await put()
    const timers = fixture.clock.waiting
    expect([(await put()).status, fixture.clock.waiting]).toEqual([200, timers])
  })
})
