// What an API server's answers say beside objects: error statuses and when to come again. Knows nothing of loops.
import { KubernetesStatusError } from './cluster.ts'
import type { Exchange, WireRequest } from './exchange.ts'
import { cureOf } from './say-failure.ts'

/** A server may ask for more; we come again after so long at the latest. */
const longestRetryAfterMs = 60_000
/** Of an error's body no more is read. */
const maxErrorBytes = 64 << 10

/** An error status with the server's wish to be left alone for a while. */
export class RefusedError extends KubernetesStatusError {
  readonly retryAfterMs: number

  constructor(
    message: string,
    facts: { readonly status: number; readonly reason: string; readonly retryAfterMs: number },
  ) {
    super(message, facts.status, { reason: facts.reason })
    this.retryAfterMs = facts.retryAfterMs
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

/** The error that the answer stands for; reads its body. */
export async function refusal(exchange: Exchange, request: WireRequest): Promise<RefusedError> {
  const { status, headers } = exchange
  const text = await readBody(exchange, maxErrorBytes, () => {}).then(String, () => '')
  const seconds = Number(headers['retry-after'] ?? 0)
  const retryAfterMs = Number.isFinite(seconds) ? Math.min(Math.max(0, seconds * 1000), longestRetryAfterMs) : 0
  const { message, reason } = decodeStatus(text)
  const said = `${request.path}: ${status} ${message}`.trimEnd()
  return new RefusedError(`${said}${cureOf(status, text, request.method)}`, { status, reason, retryAfterMs })
}

/** What a Status object says; of anything else its beginning says enough. */
function decodeStatus(text: string): { readonly message: string; readonly reason: string } {
  const status = parsed(text)
  const message = isRecord(status) ? status.message : undefined
  const reason = isRecord(status) ? status.reason : undefined
  return {
    message: typeof message === 'string' ? message : text.slice(0, 200).replace(/\s+/g, ' '),
    reason: typeof reason === 'string' ? reason : '',
  }
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

export function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
