// One request to the agent over as many connections as are asked at once: within a deadline, whole, and not too long. Knows
// nothing of indexes, queues or retries.
import { Buffer } from 'node:buffer'
import type { IncomingHttpHeaders } from 'node:http'
import { Client } from 'undici'
import type { Clock } from '../../watch/clock.ts'
import { ConsulError, connectionError, statusError } from './consul-error.ts'
import { Dialer } from './dialer.ts'
import type { ConsulTls } from './options.ts'

/** A whole answer must have come so long after its first byte, in milliseconds. */
const bodyWithinMs = 15_000
/** So long an unused connection is kept: longer than a query ever pauses, so that a restart in the pause is noticed. */
const idleMs = 10_000
/** No more is read of what the agent says beside a status other than 200; the connection ends over it. */
const maxErrorBytes = 16 * 1024

export interface HttpRequestsOptions {
  readonly host: string
  readonly port: number
  readonly tls?: ConsulTls
  readonly token?: string
  readonly maxBodyBytes: number
  readonly clock: Clock
  /** The agent ended a connection at once that was opened then (monotonic). */
  readonly onRefused: (openedAt: number) => void
  /** The head of an answer came, be it an error. */
  readonly onAnswer: () => void
}

export interface HttpRequest {
  /** GET when absent. */
  readonly method?: 'GET' | 'PUT'
  /** From /v1 on. */
  readonly target: string
  /** JSON. */
  readonly body?: string
  /** The first byte of the answer must have come so long after it was asked, in milliseconds. */
  readonly answerWithinMs: number
  /** A status beside 200 that is an answer too. */
  readonly alsoTakes?: 404 | 409
}

export interface HttpAnswer {
  readonly status: number
  readonly headers: IncomingHttpHeaders
  readonly bytes: Buffer
  /** When its first byte came, in ms of the clock's `monotonic`. */
  readonly receivedAt: number
}

/** Whoever made it closes it. */
export class HttpRequests {
  readonly #options: HttpRequestsOptions
  readonly #address: string
  readonly #headers: Readonly<Record<string, string>>
  readonly #dialer: Dialer
  readonly #clients = new Set<Client>()
  /** Those that ask nothing at present; the last one used is the first to be used again, those without a connection last. */
  readonly #idle: Client[] = []
  #losses = 0

  constructor(options: HttpRequestsOptions) {
    this.#options = options
    const { host, port, token } = options
    this.#address = formatAddress(host, port)
    this.#headers = { accept: 'application/json', ...(token !== undefined && { 'x-consul-token': token }) }
    this.#dialer = new Dialer({ ...options, address: this.#address, onLost: () => this.#losses++ })
  }

  /** How many connections the agent has ended: an index seen before the last of them may mean nothing to it now. */
  get losses(): number {
    return this.#losses
  }

  /**
   * The answer of a status that is taken; rejects with a ConsulError for anything else, after `answerWithinMs` without a
   * first byte too, and with the signal's reason once it aborts.
   */
  async send(request: HttpRequest, signal: AbortSignal): Promise<HttpAnswer> {
    signal.throwIfAborted()
    const ending = new AbortController()
    const forward = (): void => ending.abort(signal.reason)
    signal.addEventListener('abort', forward, { once: true })
    const deadline = new Deadline(this.#options.clock, ending)
    deadline.set(request.answerWithinMs, `the Consul agent at ${this.#address} did not answer`)
    const client = this.#idle.pop() ?? this.#createClient()
    try {
      const answer = await this.#ask(client, request, ending.signal, deadline)
      this.#idle.push(client)
      return answer
    } catch (error) {
      this.#idle.unshift(client)
      throw ending.signal.aborted ? ending.signal.reason : connectionError(error, this.#address)
    } finally {
      deadline.clear()
      signal.removeEventListener('abort', forward)
    }
  }

  /** A client is one connection, opened when it is used. A pool would open another before an answered one is free again. */
  #createClient(): Client {
    const client = new Client(`${this.#options.tls === undefined ? 'http' : 'https'}://${this.#address}`, {
      connect: this.#dialer.connect,
      allowH2: false,
      headersTimeout: 0,
      bodyTimeout: 0,
      keepAliveTimeout: idleMs,
    })
    this.#clients.add(client)
    return client
  }

  async #ask(client: Client, request: HttpRequest, signal: AbortSignal, deadline: Deadline): Promise<HttpAnswer> {
    const { clock, onAnswer } = this.#options
    const { method = 'GET', target, body, alsoTakes } = request
    const response = await client.request({
      method,
      path: target,
      headers: this.#headers,
      signal,
      ...(body !== undefined && { body }),
    })
    const receivedAt = clock.monotonic()
    onAnswer()
    deadline.set(bodyWithinMs, `the answer of the Consul agent at ${this.#address} was not whole`)
    const status = response.statusCode
    if (status !== 200 && status !== alsoTakes) {
      const text = (await readUpTo(response.body, maxErrorBytes)).toString('utf8')
      throw statusError(status, text, headerText(response.headers, 'retry-after'))
    }
    const { maxBodyBytes } = this.#options
    const bytes = await readUpTo(response.body, maxBodyBytes)
    if (bytes.length <= maxBodyBytes) return { status, headers: response.headers, bytes, receivedAt }
    throw new ConsulError('malformed', `Consul's answer is longer than ${maxBodyBytes} bytes`)
  }

  /** Ends every connection, those in the making too; what is under way rejects. */
  close(): void {
    for (const client of this.#clients) client.destroy().catch(ignoreEnd)
    this.#dialer.close()
  }
}

/** The whole body; one that is longer is left, with its connection, at the first piece beyond `limit`. */
async function readUpTo(body: AsyncIterable<Uint8Array>, limit: number): Promise<Buffer> {
  const chunks: Uint8Array[] = []
  let length = 0
  for await (const chunk of body) {
    chunks.push(chunk)
    length += chunk.length
    if (length > limit) break
  }
  return Buffer.concat(chunks, length)
}

/** A client tells of its end to whom it may concern: nobody. */
function ignoreEnd(): void {}

/** The first value of a header; undefined when it is not there. */
export function headerText(headers: IncomingHttpHeaders, name: string): string | undefined {
  const value = headers[name]
  return Array.isArray(value) ? value[0] : value
}

function formatAddress(host: string, port: number): string {
  return `${host.includes(':') ? `[${host}]` : host}:${port}`
}

/** One deadline at a time; it aborts with an error that says what did not come. */
class Deadline {
  readonly #clock: Clock
  readonly #ending: AbortController
  #cancel: (() => void) | undefined

  constructor(clock: Clock, ending: AbortController) {
    this.#clock = clock
    this.#ending = ending
  }

  set(ms: number, what: string): void {
    this.clear()
    const expired = (): void => this.#ending.abort(new ConsulError('deadline', `${what} within ${Math.round(ms)} ms`))
    this.#cancel = this.#clock.after(ms, expired)
  }

  clear(): void {
    this.#cancel?.()
  }
}
