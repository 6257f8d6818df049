import { createServer, type IncomingMessage, METHODS } from 'node:http'
import { type AddressInfo, connect } from 'node:net'
import { describe, expect, it, onTestFinished } from 'vitest'
import { outOfStep, type SeenRequest } from './http1/desync-check.fixture.ts'
import { hostileRequests } from './http1/hostile-corpus.fixture.ts'
import { hostileStream } from './http1/hostile-mutator.fixture.ts'
import type { OracleRequest } from './http1/message-oracle.fixture.ts'
import { sendBytes } from './http1/raw-client.fixture.ts'
import { startRecordingBackend } from './http1/recording-backend.fixture.ts'
import { endpointAt } from './naming.fake.ts'
import { startTestProxy } from './proxy.fixture.ts'
import { seededRandom } from './seeded-random.fixture.ts'

const atEnd = (close: () => unknown): void => onTestFinished(async () => void (await close()))

async function setUp() {
  const backend = await startRecordingBackend(atEnd)
  const { naming, port } = await startTestProxy({ router: { identifier: { kind: 'io.l5d.static', path: '/web' } } })
  naming.route('/svc/web', '/#/web', [endpointAt(backend.port)])
  return { backend, port }
}

function seenBy({ method = '', url = '', rawHeaders }: IncomingMessage, body: string): SeenRequest {
  const fields = rawHeaders.flatMap((name, i) =>
    i % 2 === 0 ? [[name.toLowerCase(), rawHeaders[i + 1] ?? ''] as const] : [],
  )
  return { method, target: url, fields, body }
}

/** Requests on one connection, as Node's own parser reads them. */
async function readByNode(bytes: string): Promise<{ readonly requests: SeenRequest[]; readonly errors: string[] }> {
  const requests: SeenRequest[] = []
  const errors: string[] = []
  const server = createServer({ insecureHTTPParser: false }, (message, response) => {
    const at = requests.push(seenBy(message, '')) - 1
    let body = ''
    message.setEncoding('latin1')
    message.on('data', chunk => {
      body += String(chunk)
    })
    message.on('end', () => {
      requests[at] = seenBy(message, body)
      response.end()
    })
  })
  server.on('clientError', error => errors.push(error.message))
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo // a TCP server has no other kind
  await new Promise(resolve => {
    const socket = connect(port, '127.0.0.1', () => socket.end(bytes, 'latin1'))
    socket.resume().on('close', resolve)
  })
  await new Promise(resolve => server.close(resolve))
  return { requests, errors }
}

const withoutBytes = ({ method, target, fields, body }: OracleRequest): SeenRequest => ({
  method,
  target,
  fields,
  body,
})

describe('hostile requests', () => {
  it('reach an upstream as they were read, or not at all; whatever is in doubt is refused', async () => {
    const { backend, port } = await setUp()
    const random = seededRandom(4)
    // Every second case, to be quick; behind nginx and Envoy, and in the soak, all of them pass.
    const cases = hostileRequests.filter((_, i) => i % 2 === 0)
    const mutants = Array.from({ length: 100 }, (_, i) => hostileStream(`m${i}`, random))
    for (const stream of [...cases.map(({ bytes }) => bytes), ...mutants]) {
      const before = backend.requests.length
      const answer = await sendBytes(port, stream)
      expect(
        outOfStep({ stream, answer, seen: backend.requests.slice(before) }),
        JSON.stringify(stream.slice(0, 200)),
      ).toEqual([])
    }
    expect(backend.requests.length).toBeGreaterThan(cases.length / 4)
    // Node knows no other methods, and reads no further after what may change protocols.
    const relayed = backend.requests.filter(
      ({ method, fields }) =>
        METHODS.includes(method) && method !== 'CONNECT' && !fields.some(([name]) => name === 'upgrade'),
    )
    const node = await readByNode(relayed.map(({ bytes }) => bytes).join(''))
    expect(node.errors).toEqual([])
    expect(node.requests).toEqual(relayed.map(withoutBytes))
  })

  it.each([
    ['half an empty line', '\r', '\n'],
    ['an empty line', '\r\n', ''],
  ])('leave nothing in a reader that another connection gets: %s behind a request', async (_what, behind, rest) => {
    const { port } = await setUp()
    const get = (target: string): string => `GET ${target} HTTP/1.1\r\nHost: web\r\n\r\n`
    const socket = connect(port, '127.0.0.1')
    onTestFinished(() => void socket.destroy())
    let answer = ''
    let look = (): void => {}
    socket.on('data', chunk => {
      answer += chunk.toString('latin1')
      look()
    })
    const answered = (body: string) =>
      new Promise<void>(resolve => {
        look = () => {
          if (answer.endsWith(body)) resolve()
        }
      })
    socket.write(get('/first') + behind)
    await answered('/first')
    expect(await sendBytes(port, `\r\n${get('/other')}`)).toMatch(/^HTTP\/1.1 200 .*\/other$/s)
    socket.write(rest + get('/second'))
    await answered('/second')
    expect(answer.match(/HTTP\/1.1 \d+/g)).toEqual(['HTTP/1.1 200', 'HTTP/1.1 200'])
  })
})
