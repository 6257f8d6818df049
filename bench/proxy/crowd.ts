// A process that holds client connections open: idle ones that were served once, and slow ones that send a byte of a head
// every second and read an answer a few bytes at a time. Arguments: port, idle, slow. Tells its parent when all stand.
import { connect, type Socket } from 'node:net'

const [port = 0, idle = 0, slow = 0] = process.argv.slice(2).map(Number)
const request = 'GET / HTTP/1.1\r\nHost: web\r\n\r\n'
/** Handshakes at once, below the backlog of a listener. */
const atOnce = 200

function opened(): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const socket = connect(port, '127.0.0.1', () => resolve(socket))
    socket.once('error', reject)
  })
}

/** Resolves once the first answer has come. */
async function openIdle(): Promise<void> {
  const socket = await opened()
  socket.write(request)
  await new Promise(resolve => socket.once('data', resolve))
  socket.on('error', () => socket.destroy())
}

/** Such a head never ends within the time that is allowed: each that is cut is opened anew. */
async function openSlow(): Promise<void> {
  const socket = await opened()
  let sent = 0
  const timer = setInterval(() => {
    socket.write(request.charAt(sent % 4))
    sent++
  }, 1000)
  socket.on('error', () => socket.destroy())
  socket.once('close', () => {
    clearInterval(timer)
    void openSlow()
  })
}

async function many(count: number, open: () => Promise<void>): Promise<void> {
  for (let done = 0; done < count; done += atOnce)
    await Promise.all(Array.from({ length: Math.min(atOnce, count - done) }, open))
}

await many(idle, openIdle)
await many(slow, openSlow)
process.send?.('ready')
