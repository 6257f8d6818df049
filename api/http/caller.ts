// Who writes and why, as the request's headers and query say it. There is no login yet, so nothing here is verified.
import { createHash } from 'node:crypto'
import type { IncomingHttpHeaders } from 'node:http'
import { NamingError } from '../../naming/errors.ts'
import { failure, type Result, success } from '../../naming/result.ts'
import type { Idempotency } from '../../storage/store.ts'
import type { Clock } from '../../watch/clock.ts'
import { nextTurn } from '../../watch/pause.ts'

const maxAuthorLength = 256

/** Header bytes reach us one per character; they are UTF-8 when they can be. */
function headerText(value: string): string {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(Buffer.from(value, 'latin1'))
  } catch {
    return value
  }
}

/** The peer's IP address; an IPv4 one in its own form, whatever the socket listens on. Undefined once the peer has gone. */
export function peerAddress(ip: string | undefined): string | undefined {
  return ip === undefined || ip === '' ? undefined : ip.replace(/^::ffff:(?=\d+\.)/i, '')
}

/** `Nameplane-Author`, else the peer's address. */
export function authorOf(headers: IncomingHttpHeaders, peer: string): Result<string> {
  const header = headers['nameplane-author']
  if (header === undefined) return success(peer)
  const author = headerText(String(header)).trim()
  // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what is refused
  if (author !== '' && author.length <= maxAuthorLength && !/[\u0000-\u001f\u007f]/.test(author)) return success(author)
  return failure(
    new NamingError('bad-request', `Nameplane-Author must be 1 to ${maxAuthorLength} printable characters.`, {
      detail: { at: 'Nameplane-Author' },
    }),
  )
}

export interface KeyedRequest {
  readonly method: string
  /** Path and query as they were sent. */
  readonly url: string
  readonly body: Uint8Array | undefined
}

/** A turn of the event loop digests at most this much. */
const sliceBytes = 4 * 1024 * 1024

/** The Idempotency-Key with a digest of the request that it stands for; undefined when there is none. */
export async function idempotencyOf(
  headers: IncomingHttpHeaders,
  request: KeyedRequest,
  clock: Pick<Clock, 'defer'>,
): Promise<Result<Idempotency | undefined>> {
  const key = headers['idempotency-key']
  if (key === undefined) return success(undefined)
  if (typeof key !== 'string' || !/^[!-~]{1,255}$/.test(key)) {
    return failure(
      new NamingError('bad-request', 'Idempotency-Key must be 1 to 255 visible ASCII characters.', {
        detail: { at: 'Idempotency-Key' },
      }),
    )
  }
  const digest = createHash('sha256').update(`${request.method} ${withoutWait(request.url)}\n`)
  const body = request.body ?? new Uint8Array()
  for (let at = 0; at < body.byteLength; at += sliceBytes) {
    if (at > 0) await nextTurn(clock)
    digest.update(body.subarray(at, at + sliceBytes))
  }
  return success({ key, fingerprint: digest.digest('hex') })
}

/** How long the answer was held back says nothing of the write: who repeats it may wait longer, or not at all. */
function withoutWait(url: string): string {
  const start = url.indexOf('?')
  if (start < 0) return url
  const kept = url
    .slice(start + 1)
    .split('&')
    .filter(part => !/^(wait|timeout)=/.test(part))
  return kept.length === 0 ? url.slice(0, start) : `${url.slice(0, start)}?${kept.join('&')}`
}
