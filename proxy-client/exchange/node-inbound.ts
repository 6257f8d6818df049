// One request on node:http, in the shape that the router sees.
import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Readable } from 'node:stream'
import { headerValue, type RawHeaders } from '../headers/raw-headers.ts'
import type { Inbound, RequestHead, ResponseSink } from './exchange.ts'
import { RequestBody } from './request-body.ts'
import type { NormalTarget } from './request-target.ts'

/** What a status line cannot carry. */
const notInReason = /[^\t\x20-\x7e\x80-\xff]/

export class NodeInbound implements Inbound, ResponseSink {
  readonly head: RequestHead
  readonly hasBody: boolean
  readonly #message: IncomingMessage
  readonly #response: ServerResponse
  #abandon: (() => void) | undefined
  #isAbandoned = false
  #hasWritten = false

  constructor(message: IncomingMessage, response: ServerResponse, { target, headers }: NormalTarget) {
    this.#message = message
    this.#response = response
    this.head = { method: message.method ?? 'GET', target, httpVersion: message.httpVersion, headers }
    this.hasBody = hasBody(headers)
    response.on('close', () => this.#closed())
  }

  get response(): ResponseSink {
    return this
  }

  get isAbandoned(): boolean {
    return this.#isAbandoned
  }

  get isStarted(): boolean {
    return this.#response.headersSent
  }

  openBody(): Readable {
    return new RequestBody(this.#message)
  }

  onAbandon(run: () => void): void {
    this.#abandon = run
  }

  onDrain(run: () => void): void {
    this.#response.removeAllListeners('drain').on('drain', run)
  }

  start(status: number, reason: string, headers: string[]): void {
    this.#response.writeHead(status, notInReason.test(reason) ? '' : reason, headers)
    // A body that begins at once takes the head along; one that does not must not keep the head back.
    queueMicrotask(() => {
      if (!this.#hasWritten) this.#response.flushHeaders()
    })
  }

  write(chunk: Uint8Array): boolean {
    this.#hasWritten = true
    return this.#response.write(chunk)
  }

  end(trailers?: RawHeaders): void {
    this.#hasWritten = true
    if (trailers !== undefined && trailers.length > 0) this.#response.addTrailers(pairsOf(trailers))
    this.#response.end()
  }

  cut(): void {
    this.#response.destroy()
  }

  #closed(): void {
    if (this.#response.writableFinished) return
    this.#isAbandoned = true
    this.#abandon?.()
  }
}

function hasBody(headers: RawHeaders): boolean {
  if (headerValue(headers, 'transfer-encoding') !== undefined) return true
  const length = headerValue(headers, 'content-length')
  return length !== undefined && Number(length) > 0
}

function pairsOf(raw: RawHeaders): [string, string][] {
  const pairs: [string, string][] = []
  for (let i = 0; i + 1 < raw.length; i += 2) pairs.push([raw[i] ?? '', raw[i + 1] ?? ''])
  return pairs
}
