// The small HTTP server on which a process shows its own state. GET only; knows no product.
import type { IncomingMessage, ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { NamingError } from '../naming/errors.ts'

/** Not imported: that would load a WebSocket and all of undici for the names that the module exports, 10 MB or more. */
const { createServer } = process.getBuiltinModule('node:http')

export interface AdminAnswer {
  readonly status: number
  readonly contentType: string
  readonly body: string
  /** Further fields. */
  readonly headers?: Readonly<Record<string, string>>
}

/** What else than the URL a page may go by. */
export interface AdminRequest {
  /** The value of Accept, empty without one. */
  readonly accept: string
}

/** Answers one path; url is parsed, its pathname is the route's. */
export type AdminRoute = (url: URL, request: AdminRequest) => AdminAnswer | Promise<AdminAnswer>

export interface AdminServer {
  readonly host: string
  /** The port that was bound, also when 0 was asked for. */
  readonly port: number
  close(): Promise<void>
}

export interface AdminOptions {
  readonly host: string
  readonly port: number
  /** Path to route; `/` lists the paths unless given. */
  readonly routes: Readonly<Record<string, AdminRoute>>
  /** Told of a route that threw. */
  readonly onError: (error: unknown) => void
}

export function jsonAnswer(value: unknown, status = 200): AdminAnswer {
  return { status, contentType: 'application/json', body: `${JSON.stringify(value, undefined, 2)}\n` }
}

/** A page that loads nothing from elsewhere, and whose scripts and styles are files of this server. */
export function htmlAnswer(body: string, status = 200): AdminAnswer {
  return {
    status,
    contentType: 'text/html; charset=utf-8',
    body,
    headers: {
      'content-security-policy': "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'",
      'referrer-policy': 'no-referrer',
    },
  }
}

export function textAnswer(body: string, status = 200): AdminAnswer {
  return { status, contentType: 'text/plain; charset=utf-8', body }
}

const maxConnections = 256
/** A connection on which nothing moves for so long is closed. */
const silentMs = 30_000

/** Binds and serves; rejects with `unavailable` naming the address when it cannot bind. */
export async function startAdmin(options: AdminOptions): Promise<AdminServer> {
  const server = createServer((request, response) => void answer(options, request, response))
  // Pages may be megabytes: what waits for clients who do not read them is bounded.
  server.maxConnections = maxConnections
  server.timeout = silentMs
  await listenOn(server, options, 'admin')
  const { port } = server.address() as AddressInfo // always an AddressInfo for a TCP server
  return {
    host: options.host,
    port,
    close: () =>
      new Promise(resolve => {
        server.close(() => resolve())
        server.closeAllConnections()
      }),
  }
}

interface Listening {
  once(event: 'error', listener: (error: NodeJS.ErrnoException) => void): unknown
  off(event: 'error', listener: (error: NodeJS.ErrnoException) => void): unknown
  listen(options: ListenOptions, listening: () => void): unknown
}

interface ListenOptions {
  readonly host: string
  readonly port: number
  readonly reusePort?: boolean
  readonly exclusive?: boolean
}

/** Where to listen. */
export interface ListenAddress {
  readonly host: string
  readonly port: number
  /** Whether processes of this user may share the port, each with a socket of its own. */
  readonly reusePort?: boolean
}

/** Binds a server, or rejects with one sentence that names the role, the address, the cause and the cure. */
export function listenOn(server: Listening, at: ListenAddress, role: string): Promise<void> {
  return new Promise((resolve, reject) => {
    const refuse = (error: NodeJS.ErrnoException): void => reject(cannotListen(error, at, role))
    server.once('error', refuse)
    const { host, port, reusePort = false } = at
    server.listen({ host, port, ...(reusePort && { reusePort, exclusive: true }) }, () => {
      server.off('error', refuse)
      resolve()
    })
  })
}

/** The error for an address that could not be bound; the system's code may stand in the message of a library. */
export function cannotListen(
  error: Error,
  at: { readonly host: string; readonly port: number },
  role: string,
): NamingError {
  const causes: Record<string, string> = {
    EADDRINUSE: 'the port is in use by another process; stop it or configure another port',
    EACCES: 'this user may not bind the port; use one above 1023 or grant the right',
    EADDRNOTAVAIL: 'no interface of this machine has that address; configure another ip',
    ENOTSUP: 'a port cannot be shared on this system; configure no workers',
  }
  const [code = ''] = /\bE[A-Z]{3,}\b/.exec(error.message) ?? []
  const cause = causes[code] ?? error.message
  return new NamingError('unavailable', `${role}: cannot listen on ${at.host}:${at.port}: ${cause}`, {
    cause: error,
    detail: { host: at.host, port: at.port, role },
  })
}

async function answer(options: AdminOptions, request: IncomingMessage, response: ServerResponse): Promise<void> {
  const { status, contentType, body, headers } = await route(options, request)
  response.writeHead(status, {
    ...headers,
    'content-type': contentType,
    'content-length': Buffer.byteLength(body),
    'x-content-type-options': 'nosniff',
  })
  response.end(request.method === 'HEAD' ? undefined : body)
}

async function route(options: AdminOptions, request: IncomingMessage): Promise<AdminAnswer> {
  if (request.method !== 'GET' && request.method !== 'HEAD')
    return { ...textAnswer('GET only\n', 405), headers: { allow: 'GET, HEAD' } }
  const url = URL.parse(request.url ?? '/', 'http://admin.invalid')
  const found = url === null ? undefined : options.routes[url.pathname]
  if (url === null || found === undefined) return notFound(options, url?.pathname)
  try {
    return await found(url, { accept: request.headers.accept ?? '' })
  } catch (error) {
    options.onError(error)
    return textAnswer('Something unexpected happened; the log has the cause.\n', 500)
  }
}

function notFound(options: AdminOptions, pathname: string | undefined): AdminAnswer {
  const paths = `${Object.keys(options.routes).sort().join('\n')}\n`
  return pathname === '/' ? textAnswer(paths) : textAnswer(`no such page; there are:\n${paths}`, 404)
}
