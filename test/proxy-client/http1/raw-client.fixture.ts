// A client that sends bytes as they are, and what it is told until the proxy closes.
import { connect } from 'node:net'

/** Sends everything, ends its side, and gives all that comes until the connection closes. Never rejects. `from` is our own address. */
export function sendBytes(port: number, bytes: string, from = '127.0.0.1'): Promise<string> {
  return new Promise(resolve => {
    let answer = ''
    const socket = connect({ port, host: '127.0.0.1', localAddress: from }, () => socket.end(bytes, 'latin1'))
    socket.on('error', () => {})
    socket.on('data', chunk => {
      answer += chunk.toString('latin1')
    })
    socket.on('close', () => resolve(answer))
  })
}
