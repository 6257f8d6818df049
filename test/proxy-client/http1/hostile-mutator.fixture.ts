// Makes streams of requests that are broken somewhere. Deterministic: it draws from the random numbers it is given.
import type { Random } from '../../../watch/clock.ts'
import { hostileRequests, smuggled } from './hostile-corpus.fixture.ts'

const spices = [
  '\r\n',
  '\n',
  '\r',
  '\0',
  ' ',
  '\t',
  ':',
  ';',
  ',',
  '"',
  '\x7f',
  '\xff',
  '\x0b',
  '0',
  '5',
  'chunked',
  'Transfer-Encoding: chunked\r\n',
  'Content-Length: 3\r\n',
  'Content-Length: 0\r\n',
  'Host: other\r\n',
  'Connection: close\r\n',
  'Connection: content-length\r\n',
  '0\r\n\r\n',
  'HTTP/1.1',
  'HTTP/1.0',
  smuggled,
  '\r\n\r\n',
  '\r\n ',
  'x'.repeat(300),
  'Expect: 100-continue\r\n',
  'Upgrade: websocket\r\nConnection: upgrade\r\n',
]

/** One to four changes at random places: bytes taken out, put in, doubled or exchanged. */
export function mutated(text: string, random: Random): string {
  let bytes = text
  const changes = 1 + Math.floor(random() * 4)
  for (let i = 0; i < changes; i++) bytes = mutatedOnce(bytes, random)
  return bytes
}

function mutatedOnce(text: string, random: Random): string {
  const at = Math.floor(random() * (text.length + 1))
  const length = 1 + Math.floor(random() * 6)
  const before = text.slice(0, at)
  switch (Math.floor(random() * 5)) {
    case 0:
      return before + text.slice(at + length)
    case 1:
      return before + String.fromCharCode(Math.floor(random() * 256)) + text.slice(at)
    case 2:
      return before + (spices[Math.floor(random() * spices.length)] ?? '') + text.slice(at)
    case 3:
      return before + text.slice(at, at + 4 * length).repeat(2) + text.slice(at + 4 * length)
    default:
      return before + (spices[Math.floor(random() * spices.length)] ?? '') + text.slice(at + length)
  }
}

const pick = (list: readonly string[], random: Random): string => list[Math.floor(random() * list.length)] ?? ''

/** A correct request with a body of some kind; `id` comes back in its target. */
export function plainRequest(id: string, random: Random): string {
  const fields = ['X-A: 1', 'Accept: */*', 'User-Agent: some one', 'Cookie: a=b'].filter(() => random() < 0.5)
  const head = (method: string, ...framing: readonly string[]): string =>
    `${method} /${id} HTTP/1.1\r\n${['Host: web', ...fields, ...framing].map(line => `${line}\r\n`).join('')}\r\n`
  const body = 'x'.repeat(Math.floor(random() * 40))
  switch (Math.floor(random() * 4)) {
    case 0:
      return head(pick(['POST', 'PUT', 'PATCH'], random), `Content-Length: ${body.length}`) + body
    case 1: {
      const chunk = body === '' ? '' : `${body.length.toString(16)}\r\n${body}\r\n`
      return `${head('POST', 'Transfer-Encoding: chunked')}${chunk}0\r\n${pick(['', 'X-T: 1\r\n'], random)}\r\n`
    }
    default:
      return head(pick(['GET', 'HEAD', 'DELETE', 'OPTIONS'], random))
  }
}

/** A stream of one to three requests, nearly always broken somewhere. `id` is part of their targets. */
export function hostileStream(id: string, random: Random): string {
  if (random() < 0.2) {
    const { bytes } = hostileRequests[Math.floor(random() * hostileRequests.length)] ?? { bytes: '' }
    return random() < 0.5 ? bytes : mutated(bytes, random)
  }
  const count = 1 + Math.floor(random() * 3)
  const stream = Array.from({ length: count }, (_, i) => plainRequest(`${id}-${i}`, random)).join('')
  return random() < 0.1 ? stream : mutated(stream, random)
}
