// A web service for `nameplane dev`: answers every request with its version, so that one sees where traffic went.
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { parseArgs } from 'node:util'
import { stopWithParent, tellParent, untilStopped } from '../runtime/command.ts'
import { systemClock } from '../watch/clock.ts'

/** Serves on an ephemeral loopback port, told to the parent process; resolves to the exit code once stopped. */
export async function runDemoWeb(argv: readonly string[]): Promise<number> {
  const { values } = parseArgs({ args: [...argv], options: { version: { type: 'string', default: 'v1' } } })
  const server = createServer((request, response) => {
    request.resume()
    response.writeHead(200, { 'content-type': 'text/plain', 'demo-version': values.version })
    response.end(`hello from web ${values.version}\n`)
  })
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo // always an AddressInfo for a TCP server
  const stopped = untilStopped(systemClock)
  stopWithParent()
  tellParent({ listening: [{ api: 'demo', host: '127.0.0.1', port }] })
  await stopped
  server.closeAllConnections()
  return 0
}
