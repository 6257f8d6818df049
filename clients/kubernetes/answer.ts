// What an API server's answers say beside objects: error statuses and when to come again. Knows nothing of loops.
import { KubernetesStatusError } from './cluster.ts'
import type { Exchange } from './exchange.ts'
import { cureOf } from './say-failure.ts'

/** A server may ask for more; we come again after so long at the latest. */
const longestRetryAfterMs = 60_000
/** Of an error's body no more is read. */
const maxErrorBytes = 64 << 10

/** An error status with the server's wish to be left alone for a while. */
export class RefusedError extends KubernetesStatusError {
  readonly retryAfterMs: number

  constructor(message: string, status: number, retryAfterMs: number) {
    super(message, status)
    this.retryAfterMs = retryAfterMs
  }
}

/** The whole body, at most `maxBytes`; rejects when it breaks off or is longer. `onChunk` is called as bytes come. */
export async function readBody({ body, checkWhole }: Exchange, maxBytes: number, onChunk: () => void): Promise<Buffer> {
  const chunks: Buffer[] = []
  let bytes = 0
  for await (const chunk of body as AsyncIterable<Buffer>) {
    onChunk()
    bytes += chunk.length
    if (bytes > maxBytes) throw new Error(`an answer of more than ${maxBytes} bytes`)
    chunks.push(chunk)
  }
  checkWhole()
  return Buffer.concat(chunks)
}

/** The error that an answer with another status than 200 stands for; reads its body. */
export async function refusal(exchange: Exchange, path: string): Promise<RefusedError> {
  const { status, headers } = exchange
  const text = await readBody(exchange, maxErrorBytes, () => {}).then(String, () => '')
  const seconds = Number(headers['retry-after'] ?? 0)
  const retryAfterMs = Number.isFinite(seconds) ? Math.min(Math.max(0, seconds * 1000), longestRetryAfterMs) : 0
  const said = `${path}: ${status} ${messageOf(text)}`.trimEnd()
  return new RefusedError(`${said}${cureOf(status, text)}`, status, retryAfterMs)
}

function messageOf(text: string): string {
  try {
    const status: unknown = JSON.parse(text)
    if (isRecord(status) && typeof status.message === 'string') return status.message
  } catch {
    // not a Status object: its beginning says enough
  }
  return text.slice(0, 200).replace(/\s+/g, ' ')
}

export function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
