// Ten HTTP servers in a process of their own; the first answers ten times slower. Sends their ports to the parent.
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'

const fastMs = 20
const ports = await Promise.all(
  Array.from(
    { length: 10 },
    (_, i) =>
      new Promise<number>(resolve => {
        const ms = i === 0 ? fastMs * 10 : fastMs
        const server = createServer((_request, response) => setTimeout(() => response.end('ok'), ms))
        server.listen(0, '127.0.0.1', () => {
          // A TCP server's address is an object.
          resolve((server.address() as AddressInfo).port)
        })
      }),
  ),
)
process.send?.(ports)
process.on('disconnect', () => process.exit())
