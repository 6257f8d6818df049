// The clients of http.bench.ts, in a process of their own so that they do not share the server's core.
// Told by messages: {watch: {port, paths, rounds}} or {bind: {port, path, connections, ms}}; answers with numbers.
import { Agent, get, request } from 'node:http'
import { connect } from 'node:net'

interface WatchJob {
  readonly port: number
  readonly paths: readonly string[]
  readonly rounds: number
}

interface BindJob {
  readonly port: number
  readonly path: string
  readonly connections: number
  readonly ms: number
}

const host = '127.0.0.1'
const putAgent = new Agent({ keepAlive: true, maxSockets: 1 })

process.on('message', (job: { readonly watch?: WatchJob; readonly bind?: BindJob }) => {
  if (job.watch !== undefined) void runWatch(job.watch).then(report)
  if (job.bind !== undefined) void runBind(job.bind).then(report)
})

function report(numbers: readonly number[]): void {
  process.send?.(numbers)
}

/** Milliseconds from the start of each PUT to the event at the last of the watchers. */
async function runWatch({ port, paths, rounds }: WatchJob): Promise<number[]> {
  let waiting = paths.length
  let allServed: (() => void) | undefined
  const events = (): Promise<void> =>
    new Promise(resolve => {
      allServed = resolve
    })
  const opened = events()
  for (const path of paths) {
    get({ host, port, path, agent: false }, response => {
      response.on('data', (chunk: Buffer) => {
        if (!chunk.includes('"type":"leaf"') || --waiting > 0) return
        allServed?.()
      })
    })
  }
  await opened
  const times: number[] = []
  for (let round = 0; round < rounds; round++) {
    await new Promise(resolve => setTimeout(resolve, 30))
    waiting = paths.length
    const served = events()
    const start = performance.now()
    await put(port, `/svc => /$/inet/127.0.0.1/${9_000 + round}`)
    await served
    times.push(performance.now() - start)
  }
  return times
}

function put(port: number, text: string): Promise<void> {
  return new Promise((resolve, reject) => {
    const headers = { 'content-type': 'application/dtab', 'content-length': Buffer.byteLength(text) }
    const sent = request(
      { host, port, path: '/api/dtabs/default', method: 'PUT', headers, agent: putAgent },
      response => {
        response.resume()
        if (response.statusCode === 200) resolve()
        else reject(new Error(`PUT gave ${response.statusCode}`))
      },
    )
    sent.on('error', reject)
    sent.end(text)
  })
}

/** Requests per second over keep-alive connections, one request under way on each. Answers must be of equal size. */
async function runBind({ port, path, connections, ms }: BindJob): Promise<number[]> {
  const message = `GET ${path} HTTP/1.1\r\nHost: ${host}\r\n\r\n`
  const size = await answerSize(port, message)
  let answers = 0
  const sockets = Array.from({ length: connections }, () => {
    const socket = connect({ port, host, noDelay: true }, () => socket.write(message))
    let received = 0
    socket.on('data', chunk => {
      received += chunk.length
      if (received < size) return
      received -= size
      answers++
      socket.write(message)
    })
    return socket
  })
  await new Promise(resolve => setTimeout(resolve, ms / 4))
  const start = performance.now()
  const before = answers
  await new Promise(resolve => setTimeout(resolve, ms))
  const rate = ((answers - before) * 1000) / (performance.now() - start)
  for (const socket of sockets) socket.destroy()
  return [rate]
}

function answerSize(port: number, message: string): Promise<number> {
  return new Promise(resolve => {
    let size = 0
    const socket = connect({ port, host }, () => socket.write(message))
    socket.on('data', chunk => {
      size += chunk.length
    })
    setTimeout(() => {
      socket.destroy()
      resolve(size)
    }, 200)
  })
}
