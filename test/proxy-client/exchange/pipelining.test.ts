import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { Inbound } from '../../../proxy-client/exchange/inbound.ts'
import { readBody, requestHead, startTestListener } from './client.fixture.ts'

/** How a handler goes about one request. */
interface Manner {
  readonly body: string
  readonly isChunked: boolean
  readonly answersChunked: boolean
  /** Turns of the event loop before the body is opened, and before the answer. */
  readonly opensAfter: number
  readonly answersAfter: number
}

const manner: fc.Arbitrary<Manner> = fc.record({
  body: fc.oneof(
    fc.constant(''),
    fc.string({ maxLength: 20, unit: fc.constantFrom('a', '\r', '\n', '0', 'GET / HTTP/1.1\r\n') }),
    fc.integer({ min: 1, max: 150_000 }).map(length => 'x'.repeat(length)),
  ),
  isChunked: fc.boolean(),
  answersChunked: fc.boolean(),
  opensAfter: fc.integer({ min: 0, max: 3 }),
  answersAfter: fc.integer({ min: 0, max: 3 }),
})

function after(turns: number, run: () => void): void {
  if (turns === 0) run()
  else setImmediate(() => after(turns - 1, run))
}

function requestOf({ body, isChunked }: Manner): string {
  if (!isChunked) return `${requestHead('POST /', `Content-Length: ${body.length}`)}${body}`
  const chunks = body.match(/.{1,7000}/gs) ?? []
  const coded = chunks.map(chunk => `${chunk.length.toString(16)}\r\n${chunk}\r\n`).join('')
  return `${requestHead('POST /', 'Transfer-Encoding: chunked')}${coded}0\r\n\r\n`
}

function answerOf({ body, answersChunked }: Manner): string {
  if (!answersChunked) return `HTTP/1.1 200 Fine\r\nContent-Length: ${body.length}\r\n\r\n${body}`
  const coded = body === '' ? '' : `${body.length.toString(16)}\r\n${body}\r\n`
  return `HTTP/1.1 200 Fine\r\nTransfer-Encoding: chunked\r\n\r\n${coded}0\r\n\r\n`
}

function serve(inbound: Inbound, { opensAfter, answersAfter, answersChunked }: Manner): void {
  const { response } = inbound
  after(opensAfter, () =>
    readBody(inbound, body =>
      after(answersAfter, () => {
        response.start(200, 'Fine', '', answersChunked ? { kind: 'chunked' } : { kind: 'length', bytes: body.length })
        if (body !== '') response.write(Buffer.from(body, 'latin1'))
        response.end()
      }),
    ),
  )
}

/** The text in parts that end at these places. */
function partsOf(text: string, places: readonly number[]): string[] {
  const cuts = [...new Set(places.map(place => place % (text.length + 1)))].sort((a, b) => a - b)
  return [0, ...cuts].map((from, i) => text.slice(from, cuts[i] ?? text.length))
}

describe('requests in one stream, however it is cut', () => {
  it('are each answered with their own body, in order', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(manner, { minLength: 1, maxLength: 8 }),
        fc.array(fc.nat(), { maxLength: 12 }),
        async (manners, places) => {
          let served = 0
          const { open, listener } = await startTestListener(inbound => {
            const next = manners[served++]
            if (next !== undefined) serve(inbound, next)
          })
          const client = open()
          for (const part of partsOf(manners.map(requestOf).join(''), places)) {
            if (part !== '') client.send(part)
            await new Promise(setImmediate)
          }
          const wanted = manners.map(answerOf).join('')
          await client.sees(text => text.length >= wanted.length)
          expect(client.text === wanted).toBe(true)
          expect(listener.requests).toBe(0)
          client.socket.destroy()
        },
      ),
      { seed: 20, numRuns: 20 },
    )
  })
})
