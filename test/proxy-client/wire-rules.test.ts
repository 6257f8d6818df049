import { connect, createServer, type Socket } from 'node:net'
import { describe, expect, it, onTestFinished } from 'vitest'
import { endpointAt } from './naming.fake.ts'
import { startTestProxy } from './proxy.fixture.ts'

const plainAnswer = 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi'

/** An upstream on bare TCP that answers each head it gets, and what came to it byte for byte. */
async function setUp(answer: (socket: Socket, head: string) => void = socket => socket.write(plainAnswer)) {
  const seen = { bytes: '' }
  const sockets = new Set<Socket>()
  const server = createServer(socket => {
    sockets.add(socket)
    socket.on('error', () => {})
    socket.on('data', chunk => {
      seen.bytes += chunk.toString('latin1')
      if (/^[A-Z]+ \//.test(chunk.toString())) answer(socket, chunk.toString('latin1'))
    })
  })
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  onTestFinished(() => {
    for (const socket of sockets) socket.destroy()
    server.close()
  })
  const address = server.address()
  const { naming, port } = await startTestProxy()
  naming.route('/svc/web', '/#/web', [endpointAt(typeof address === 'object' ? (address?.port ?? 0) : 0)])
  return { seen, port }
}

/** Sends bytes and gives what comes until the proxy closes, or until `isWhole`. */
function exchange(port: number, text: string, isWhole: (answer: string) => boolean = () => false): Promise<string> {
  return new Promise(resolve => {
    let answer = ''
    const socket = connect(port, '127.0.0.1', () => socket.write(text, 'latin1'))
    socket.on('error', () => {})
    socket.on('close', () => resolve(answer))
    socket.on('data', chunk => {
      answer += chunk.toString('latin1')
      if (isWhole(answer)) socket.destroy()
    })
  })
}

const head = (first: string, ...fields: readonly string[]): string =>
  `${[`${first} HTTP/1.1`, 'Host: web', ...fields].join('\r\n')}\r\n\r\n`
const last = (first: string, ...fields: readonly string[]): string => head(first, 'Connection: close', ...fields)

it('an answer of the proxy itself to a long body that it will not read says that the connection closes', async () => {
  const { port, seen } = await setUp()
  const head = 'POST / HTTP/1.1\r\nHost: web\r\nl5d-dtab: !!\r\nContent-Length: 10000000\r\n\r\n'
  const answer = await exchange(port, `${head}abc`)
  expect(answer).toMatch(/^HTTP\/1\.1 400 .*\r\nConnection: close\r\n/s)
  expect(seen.bytes).toBe('')
})

describe('a message whose length is in doubt', () => {
  const smuggled = head('GET /smuggled')
  it.each([
    ['both framings', head('POST /', 'Content-Length: 4', 'Transfer-Encoding: chunked'), '0\r\n\r\n'],
    ['two equal lengths', head('POST /', 'Content-Length: 4', 'Content-Length: 4'), 'abcd'],
    ['a list of lengths', head('POST /', 'Content-Length: 4, 4'), 'abcd'],
    ['a signed length', head('POST /', 'Content-Length: +4'), 'abcd'],
    ['a chunk size that is no number', head('POST /', 'Transfer-Encoding: chunked'), 'zz\r\nabc\r\n'],
    ['a chunk size that overflows', head('POST /', 'Transfer-Encoding: chunked'), `${'f'.repeat(17)}\r\nabc\r\n`],
    ['a folded field', head('GET /', 'X-A: 1', ' Transfer-Encoding: chunked'), ''],
    ['bare line feeds', 'GET / HTTP/1.1\nHost: web\n\n', ''],
  ])('is 400, closes, and nothing after it reaches the upstream: %s', async (_what, first, body) => {
    const { seen, port } = await setUp()
    expect((await exchange(port, first + body + smuggled)).match(/HTTP\/1\.1 \d+/g)).toEqual(['HTTP/1.1 400'])
    expect(seen.bytes).not.toContain('smuggled')
  })

  it.each(['gzip, chunked', 'identity, chunked', 'xchunked'])('is 501 when its body is coded: %s', async coding => {
    const { seen, port } = await setUp()
    const answer = await exchange(port, `${last('POST /', `Transfer-Encoding: ${coding}`)}3\r\nabc\r\n0\r\n\r\n`)
    expect(answer).toMatch(/^HTTP\/1.1 501 .*l5d-err: protocol/s)
    expect(seen.bytes).toBe('')
  })

  it('keeps its body to itself: what follows is a request of its own', async () => {
    const { seen, port } = await setUp()
    await exchange(port, `${head('POST /one', 'Content-Length: 3')}abc${last('GET /two')}`)
    expect(seen.bytes.match(/^(?:abc)?(?:GET|POST) \/\w+/gm)).toEqual(['POST /one', 'abcGET /two'])
  })
})

describe('a client of an older kind', () => {
  it('that speaks HTTP/1.0 gets a body without chunks, and its connection is closed', async () => {
    const { port } = await setUp(socket =>
      socket.write('HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhi\r\n0\r\n\r\n'),
    )
    const answer = await exchange(port, 'GET / HTTP/1.0\r\nHost: web\r\n\r\n')
    expect(answer).toMatch(/\r\n\r\nhi$/)
    expect(answer).not.toMatch(/transfer-encoding/i)
  })

  it('that pipelines gets its answers in order', async () => {
    const { port } = await setUp((socket, request) =>
      socket.write(`HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n${request.slice(4, 6)}`),
    )
    const answer = await exchange(port, head('GET /1') + head('GET /2') + last('GET /3'))
    expect(
      answer
        .split('\r\n\r\n')
        .slice(1)
        .map(part => part.slice(0, 2)),
    ).toEqual(['/1', '/2', '/3'])
  })
})

describe('a response without a body', () => {
  it.each([
    ['GET', 'HTTP/1.1 204 No Content\r\n\r\n'],
    ['GET', 'HTTP/1.1 304 Not Modified\r\nContent-Length: 10\r\n\r\n'],
    ['HEAD', 'HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n'],
  ])('is passed on as such: %s %j', async (method, text) => {
    const { port } = await setUp(socket => socket.write(text))
    const answer = await exchange(port, last(`${method} /`))
    for (const line of text.trim().split('\r\n')) expect(answer).toContain(`${line}\r\n`)
    expect(answer).toMatch(/\r\n\r\n$/)
    expect(answer).not.toMatch(/transfer-encoding/i)
  })
})

describe('Date', () => {
  const dates = (answer: string) => answer.match(/^Date: .*$/gim)?.map(line => line.slice(6).trim())
  const isNow = (text = ''): boolean => Math.abs(Date.parse(text) - Date.now()) < 60_000

  it('is what the upstream says, and is told when it says nothing', async () => {
    const { port } = await setUp((socket, request) =>
      socket.write(request.includes('/dated') ? plainAnswer.replace('\r\n', '\r\ndate: once\r\n') : plainAnswer),
    )
    expect(dates(await exchange(port, last('GET /dated')))).toEqual(['once'])
    const told = dates(await exchange(port, last('GET /'))) ?? []
    expect(told.map(isNow)).toEqual([true])
  })

  it.each([
    ['refuses', 'GET / HTTP/1.1\r\n\r\n'],
    ['cannot route', 'GET / HTTP/1.0\r\n\r\n'],
  ])('stands in what the proxy says itself when it %s a request', async (_what, text) => {
    const { port } = await setUp()
    expect((dates(await exchange(port, text)) ?? []).map(isNow)).toEqual([true])
  })
})

describe('fields', () => {
  it('after a body are passed on, but for those that would change how messages are read', async () => {
    const trailers = 'X-Sum: 1\r\nTransfer-Encoding: chunked\r\nHost: evil\r\nX-Sum: 2\r\n'
    const { port } = await setUp(socket =>
      socket.write(`HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhi\r\n0\r\n${trailers}\r\n`),
    )
    expect(await exchange(port, last('GET /'))).toMatch(/2\r\nhi\r\n0\r\nX-Sum: 1\r\nX-Sum: 2\r\n\r\n$/)
  })

  it('are refused when there are very many, and passed on whole when there are not', async () => {
    const { seen, port } = await setUp()
    const many = (count: number) => Array.from({ length: count }, () => 'a:1')
    await exchange(port, `${last('POST /', ...many(90), 'Content-Length: 3')}abc`)
    expect(seen.bytes).toContain('\r\n\r\nabc')
    expect(seen.bytes.match(/\na: 1/g)).toHaveLength(90)
    expect(await exchange(port, last('GET /', ...many(110)))).toMatch(/^HTTP\/1.1 431 .*l5d-err: protocol/s)
  })

  it('of ours that a client makes up do not reach the upstream', async () => {
    const { seen, port } = await setUp()
    const made = ['dst-service: /evil', 'dst-client: /evil', 'dst-residual: /evil', 'reqid: ']
    await exchange(port, last('GET /', ...made.map(field => `L5d-${field}`), 'Via: 1.0 a, 1.1 b', 'Via: 1.1 c'))
    expect(seen.bytes).not.toContain('evil')
    expect(seen.bytes).toMatch(/\r\nVia: 1.0 a, 1.1 b, 1.1 c, 1.1 nameplane\r\n/)
    expect(seen.bytes).toMatch(/\r\nl5d-reqid: [0-9a-f]{16}\r\n/)
  })
})
