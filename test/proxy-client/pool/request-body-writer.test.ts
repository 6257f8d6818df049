// How many writes a request takes, and of what.
import { Socket } from 'node:net'
import { expect, it } from 'vitest'
import { RequestBodyWriter } from '../../../proxy-client/pool/request-body-writer.ts'
import { FedBody } from './recording-handler.fixture.ts'

/** Writes down what it is given, one entry for each system call that a socket would make. */
class RecordingSocket extends Socket {
  readonly writes: string[] = []

  constructor() {
    super()
    this._write = (chunk: Buffer | string, encoding, done) => {
      this.writes.push(textOf(chunk, encoding))
      done()
    }
    this._writev = (parts, done) => {
      this.writes.push(parts.map(({ chunk, encoding }) => textOf(chunk, encoding)).join(''))
      done()
    }
  }
}

function textOf(chunk: Buffer | string, encoding: BufferEncoding): string {
  return typeof chunk === 'string' ? Buffer.from(chunk, encoding).toString('latin1') : chunk.toString('latin1')
}

function setUp() {
  const socket = new RecordingSocket()
  const told: string[] = []
  const writer = new RequestBodyWriter(socket, {
    onBodySent: () => told.push('sent'),
    onBodyCut: error => told.push(error.message),
  })
  return { socket, told, writer }
}

it('a head goes with a small body that came with it, in one write', () => {
  const { socket, told, writer } = setUp()
  const body = new FedBody(5)
  writer.start('HEAD\r\n\r\n', body)
  body.sink?.onData(Buffer.from('hel'))
  body.sink?.onData(Buffer.from('lo'))
  body.end()
  expect(socket.writes).toEqual(['HEAD\r\n\r\nhello'])
  expect(told).toEqual(['sent'])
})

it('a head goes alone when nothing else comes in the same turn', async () => {
  const { socket, writer } = setUp()
  writer.start('HEAD\r\n\r\n', new FedBody(5))
  expect(socket.writes).toEqual([])
  await Promise.resolve()
  expect(socket.writes).toEqual(['HEAD\r\n\r\n'])
})

it('a head goes with a large slice that came with it, and chunks of one read go together', () => {
  const { socket, writer } = setUp()
  const body = new FedBody()
  const large = 'x'.repeat(10_000)
  writer.start('HEAD\r\n\r\n', body)
  body.sink?.onData(Buffer.from(large))
  body.sink?.onData(Buffer.from('ab'))
  body.sink?.onFlush()
  expect(socket.writes).toEqual([`HEAD\r\n\r\n2710\r\n${large}\r\n2\r\nab\r\n`])
  body.sink?.onData(Buffer.from('c'))
  body.end()
  expect(socket.writes[1]).toBe('1\r\nc\r\n0\r\n\r\n')
})

it('a large slice of a known length goes as it is', () => {
  const { socket, writer } = setUp()
  const body = new FedBody(10_000)
  writer.start('HEAD\r\n\r\n', body)
  body.sink?.onFlush()
  const large = 'x'.repeat(10_000)
  expect(body.feed(large)).toBe(true)
  body.end()
  expect(socket.writes).toEqual(['HEAD\r\n\r\n', large])
})

it('a body that is stopped is discarded, and nothing more of it is written', async () => {
  const { socket, told, writer } = setUp()
  const body = new FedBody(10)
  writer.start('HEAD\r\n\r\n', body)
  const { sink } = body
  writer.stop()
  sink?.onData(Buffer.from('late'))
  sink?.onEnd(undefined)
  sink?.onCut(new Error('late'))
  await Promise.resolve()
  expect([socket.writes, told, body.isDiscarded]).toEqual([[], [], true])
})
