// A namerd as its API behaves: paths are matched raw, texts end with a newline, an empty dtab is an empty line.
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { onTestFinished } from 'vitest'

/** Texts by namespace, as namerd shows them; undefined: listed, and gone when it is asked for. Resolves to the URL. */
export async function startNamerd(dtabs: Readonly<Record<string, string | undefined>>): Promise<string> {
  const server = createServer((request, response) => {
    const path = request.url ?? ''
    const name = /^\/api\/1\/dtabs\/?(.*)$/.exec(path)?.[1]
    if (name === '') {
      response.setHeader('content-type', 'application/json')
      response.end(`${JSON.stringify(Object.keys(dtabs).sort())}\n`)
      return
    }
    const text = name === undefined ? undefined : dtabs[name]
    const isText = request.headers.accept === 'application/dtab'
    response.statusCode = text === undefined ? 404 : 200
    if (text !== undefined) response.setHeader('etag', 'AAAAAAAAAAE=')
    response.end(text === undefined ? '' : isText ? `${text}\n` : '[]\n')
  })
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  onTestFinished(() => void server.close().closeAllConnections())
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}` // it listens on TCP
}
