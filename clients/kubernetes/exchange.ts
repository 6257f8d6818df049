// One request and its answer, whatever the HTTP version. Knows nothing of what is asked.
import type { IncomingHttpHeaders } from 'node:http'
import type { Readable } from 'node:stream'
import type { Target } from './target.ts'

/** An answer whose body is still to be read; reading it to its end or destroying it ends the exchange. */
export interface Exchange {
  readonly status: number
  readonly headers: IncomingHttpHeaders
  /** Yields buffers. Fails when the connection breaks or the request's signal aborts. */
  readonly body: Readable
  /** To be called once the body has come to its end: throws when it was cut off there. */
  readonly checkWhole: () => void
  /** Whether its connection breaks by itself when the path dies without a word. */
  readonly isPathChecked: boolean
}

/** A GET of JSON where nothing else is said. */
export interface WireRequest {
  readonly path: string
  readonly method?: Method
  readonly accept?: string
  readonly body?: { readonly bytes: Buffer; readonly contentType: string }
}

export type Method = 'GET' | 'POST' | 'PATCH' | 'DELETE'

/** Connections to one API server. Whoever made it closes it. */
export interface Wire {
  /** Sends a request and resolves with the head of its answer. One that the server may have taken is never sent again. */
  open(target: Target, request: WireRequest, signal: AbortSignal): Promise<Exchange>
  close(): void
}

/** The length is said outright: without it Node sends no body with a DELETE over HTTP/1.1. */
export function headersOf(target: Target, { accept = 'application/json', body }: WireRequest): Record<string, string> {
  const ofBody = body && { 'content-type': body.contentType, 'content-length': String(body.bytes.length) }
  return { accept, ...ofBody, ...target.headers }
}

/** The request's path below what the target's URL has. */
export function pathBelow(target: Target, path: string): string {
  const base = target.url.pathname
  return base === '/' ? path : `${base.replace(/\/$/, '')}${path}`
}
