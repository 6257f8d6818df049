import { createServer, type Server } from 'node:http'
import { connect, type Socket } from 'node:net'
import { describe, expect, it, onTestFinished } from 'vitest'
import { endpointAt } from './naming.fake.ts'
import { startNamed, startTestProxy } from './proxy.fixture.ts'

/** An upstream that takes upgrades and CONNECT and then sends everything back in capitals. */
async function startShouter(): Promise<number> {
  const server: Server = createServer((_message, response) => response.end('plain'))
  const shout = (socket: Socket, head: Buffer, answer: string): void => {
    socket.write(`${answer}\r\n\r\n${head.toString().toUpperCase()}`)
    socket.on('error', () => {})
    socket.on('data', chunk => socket.write(chunk.toString().toUpperCase()))
    socket.on('end', () => socket.end('BYE'))
  }
  server.on('upgrade', (message, socket, head) =>
    shout(
      socket as Socket,
      head,
      `HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: ${message.headers.upgrade}`,
    ),
  )
  server.on('connect', (message, socket, head) =>
    shout(socket as Socket, head, `HTTP/1.1 200 To ${message.url}\r\nX-Up: 1`),
  )
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  onTestFinished(() => {
    server.closeAllConnections()
    server.close()
  })
  const address = server.address()
  return typeof address === 'object' ? (address?.port ?? 0) : 0
}

/** Sends text when its predecessor was answered with what is expected; gives all that came when the proxy closes. */
function talk(port: number, steps: readonly (readonly [send: string, until: string])[]): Promise<string> {
  return new Promise((resolve, reject) => {
    let seen = ''
    const left = [...steps]
    const socket = connect({ port, host: '127.0.0.1', allowHalfOpen: true }, () => next())
    const next = (): void => {
      const step = left[0]
      if (step === undefined) socket.end()
      else socket.write(step[0])
    }
    socket.on('data', chunk => {
      seen += String(chunk)
      if (left[0] === undefined || !seen.includes(left[0][1])) return
      left.shift()
      next()
    })
    socket.on('close', () => resolve(seen)).on('error', reject)
  })
}

const upgrade = 'GET /chat HTTP/1.1\r\nHost: web\r\nConnection: Upgrade\r\nUpgrade: shout\r\n\r\n'

describe('a tunnel', () => {
  it('begins with an upgrade that the upstream takes, and ends as its sides do', async () => {
    const { naming, port } = await startTestProxy()
    naming.route('/svc/web', '/#/web', [endpointAt(await startShouter())])
    const seen = await talk(port, [
      [upgrade, '\r\n\r\n'],
      ['hello', 'HELLO'],
      ['again', 'AGAIN'],
    ])
    expect(seen).toMatch(/^HTTP\/1\.1 101 Switching Protocols\r\n/)
    expect(seen).toMatch(/\r\nUpgrade: shout\r\n/i)
    expect(seen).toMatch(/\r\n\r\nHELLOAGAINBYE$/)
  })

  it('begins with CONNECT, whose bytes sent ahead are kept', async () => {
    const { naming, port } = await startTestProxy()
    naming.route('/svc/web:443', '/#/web', [endpointAt(await startShouter())])
    const seen = await talk(port, [['CONNECT web:443 HTTP/1.1\r\nHost: web:443\r\n\r\nearly', 'EARLY']])
    expect(seen).toMatch(/^HTTP\/1\.1 200 To web:443\r\nX-Up: 1\r\n.*\r\n\r\nEARLYBYE$/s)
  })

  it('does not begin where the upstream answers in HTTP; the connection goes on', async () => {
    const { naming, port } = await startTestProxy()
    naming.route('/svc/web', '/#/web', [endpointAt((await startNamed('plain')).port)])
    const again = 'POST / HTTP/1.1\r\nHost: web\r\nConnection: close\r\nContent-Length: 0\r\n\r\n'
    const seen = await talk(port, [
      [upgrade, 'plain'],
      [again, 'close'],
    ])
    expect(seen.match(/HTTP\/1\.1 200 OK|plain/g)).toEqual(['HTTP/1.1 200 OK', 'plain', 'HTTP/1.1 200 OK', 'plain'])
  })

  it('is cut when the proxy has been closed for long enough, and is a request in progress until then', async () => {
    const { naming, port, proxy, adminPort } = await startTestProxy()
    naming.route('/svc/web', '/#/web', [endpointAt(await startShouter())])
    const socket = connect(port, '127.0.0.1', () => socket.write(upgrade))
    const closed = new Promise(resolve => socket.on('error', () => {}).on('close', resolve))
    await new Promise(resolve => socket.once('data', resolve))
    const state = await (await fetch(`http://127.0.0.1:${adminPort}/state`)).text()
    expect(state).toContain('"activeRequests": 1')
    await proxy.close(10)
    await closed
  })
})
