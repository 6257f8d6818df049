// Clients that write as fast as they are answered, each one request at a time on a connection of its own: over HTTP/1.1, spoken
// plainly so that the clients cost little, and over gRPC. Knows no server.
import { type ClientHttp2Session, connect as connectHttp2 } from 'node:http2'
import { connect, type Socket } from 'node:net'

const host = '127.0.0.1'

/** Resolves once the nth write is answered well. Close when done. */
export interface WriteClient {
  write(n: number): Promise<void>
  close(): void
}

export interface Rate {
  readonly perSecond: number
  /** Milliseconds of each answer. */
  readonly latencies: readonly number[]
}

/** So many clients at once for so long, after an eighth of that to warm up. */
export async function measureRate(clients: readonly WriteClient[], ms: number): Promise<Rate> {
  const latencies: number[] = []
  const begin = performance.now() + ms / 8
  const end = begin + ms
  const run = async (client: WriteClient): Promise<void> => {
    for (let n = 0; ; n++) {
      const askedAt = performance.now()
      if (askedAt >= end) return
      await client.write(n)
      if (askedAt >= begin) latencies.push(performance.now() - askedAt)
    }
  }
  await Promise.all(clients.map(run))
  return { perSecond: (latencies.length / (performance.now() - begin)) * 1000, latencies }
}

/** `request` gives the whole nth request: head and body. */
export async function httpClient(port: number, request: (n: number) => string): Promise<WriteClient> {
  const socket = await opened(connect({ port, host, noDelay: true }))
  const answer = new AnswerReader()
  let waiting: { readonly resolve: () => void; readonly reject: (error: Error) => void } | undefined
  socket.on('error', error => waiting?.reject(error))
  socket.on('data', (chunk: Buffer) => {
    const status = answer.take(chunk)
    if (status === undefined) return
    if (status.startsWith('2')) waiting?.resolve()
    else waiting?.reject(new Error(`answered ${status}`))
  })
  return {
    write: n =>
      new Promise((resolve, reject) => {
        waiting = { resolve, reject }
        socket.write(request(n))
      }),
    close: () => socket.destroy(),
  }
}

/** The head and body of a request. */
export function httpRequest(method: string, path: string, body: string, type: string): string {
  const head = [`${method} ${path} HTTP/1.1`, `Host: ${host}`, `Content-Type: ${type}`]
  return `${head.join('\r\n')}\r\nContent-Length: ${Buffer.byteLength(body)}\r\n\r\n${body}`
}

/** A unary gRPC method; `message` gives the nth encoded request. */
export async function grpcClient(
  port: number,
  method: string,
  message: (n: number) => Uint8Array,
): Promise<WriteClient> {
  const session = await openedHttp2(connectHttp2(`http://${host}:${port}`))
  const headers = { ':method': 'POST', ':path': method, 'content-type': 'application/grpc', te: 'trailers' }
  return {
    write: n =>
      new Promise((resolve, reject) => {
        const stream = session.request(headers)
        let status: unknown
        stream.on('trailers', trailers => {
          status = trailers['grpc-status']
        })
        stream.on('error', reject)
        stream.on('close', () => (status === '0' ? resolve() : reject(new Error(`grpc-status ${status}`))))
        stream.resume()
        stream.end(framed(message(n)))
      }),
    close: () => session.destroy(),
  }
}

/** A message as it stands in a gRPC stream. */
function framed(message: Uint8Array): Buffer {
  const head = Buffer.alloc(5)
  head.writeUInt32BE(message.length, 1)
  return Buffer.concat([head, message])
}

/** Counts one answer after the other to its end, with a length or in chunks; keeps no bodies. */
class AnswerReader {
  #head = ''
  #left: number | undefined
  #tail = ''

  /** The status once the answer is whole. */
  take(chunk: Buffer): string | undefined {
    if (this.#left === undefined && this.#head.endsWith('\r\n\r\n')) return this.#takeChunked(chunk)
    if (this.#left !== undefined) {
      this.#left -= chunk.length
      return this.#end(this.#left <= 0)
    }
    const text = this.#head + chunk.toString('latin1', 0, 4096)
    const headEnd = text.indexOf('\r\n\r\n') + 4
    if (headEnd < 4) throw new Error('the head of an answer came in parts')
    this.#head = text.slice(0, headEnd)
    const length = /\r\ncontent-length: (\d+)/i.exec(this.#head)?.[1]
    if (length === undefined) return this.#takeChunked(chunk.subarray(headEnd))
    this.#left = Number(length) - (chunk.length - headEnd)
    return this.#end(this.#left <= 0)
  }

  #takeChunked(chunk: Buffer): string | undefined {
    this.#tail = (this.#tail + chunk.toString('latin1', Math.max(0, chunk.length - 5))).slice(-5)
    return this.#end(this.#tail === '0\r\n\r\n')
  }

  #end(isWhole: boolean): string | undefined {
    if (!isWhole) return undefined
    const status = this.#head.slice(9, 12)
    this.#head = this.#tail = ''
    this.#left = undefined
    return status
  }
}

function opened(socket: Socket): Promise<Socket> {
  return new Promise((resolve, reject) => {
    socket.once('connect', () => resolve(socket)).once('error', reject)
  })
}

function openedHttp2(session: ClientHttp2Session): Promise<ClientHttp2Session> {
  return new Promise((resolve, reject) => {
    session.once('connect', () => resolve(session)).once('error', reject)
  })
}
