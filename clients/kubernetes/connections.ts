// The connections to one API server: HTTP/2 where it offers that, with as few connections as its limit of streams
// allows, else HTTP/1.1.
import { isIP } from 'node:net'
import { connect, type TLSSocket } from 'node:tls'
import type { Clock } from '../../watch/clock.ts'
import { Deadline } from './deadline.ts'
import type { Exchange, Wire, WireRequest } from './exchange.ts'
import { createHttp1Wire } from './http1-wire.ts'
import { Http2Session, StreamRefusedError } from './http2-session.ts'
import type { Target, TlsIdentity } from './target.ts'

const connectDeadlineMs = 10_000
/** How long a server that chose HTTP/1.1 is taken at its word. */
const http1ForMs = 60_000
/** A request that the server took no notice of is sent again so often. */
const maxRefusals = 2

export function createConnections(clock: Clock): Wire {
  return new Connections(clock)
}

type TlsTarget = Target & { readonly tls: TlsIdentity }

/** The HTTP/2 connections that one identity may share. */
interface Sharing {
  readonly sessions: Set<Http2Session>
  connecting: Promise<void> | undefined
  http1Until: number
}

class Connections implements Wire {
  readonly #clock: Clock
  readonly #http1: Wire
  readonly #closing = new AbortController()
  readonly #sharings = new Map<string, Sharing>()

  constructor(clock: Clock) {
    this.#clock = clock
    this.#http1 = createHttp1Wire()
  }

  async open(target: Target, request: WireRequest, signal: AbortSignal): Promise<Exchange> {
    if (!hasTls(target)) return await this.#http1.open(target, request, signal)
    for (let refusals = 0; ; refusals++) {
      try {
        return await this.#openTls(target, request, signal)
      } catch (error) {
        // A connection that the server was leaving as the request came.
        if (!(error instanceof StreamRefusedError) || refusals === maxRefusals) throw error
      }
    }
  }

  async #openTls(target: TlsTarget, request: WireRequest, signal: AbortSignal): Promise<Exchange> {
    const sharing = this.#sharing(target)
    for (;;) {
      signal.throwIfAborted()
      if (this.#clock.monotonic() < sharing.http1Until) return await this.#http1.open(target, request, signal)
      const session = withRoom(sharing)
      if (session !== undefined) return await session.request(target, request, signal)
      sharing.connecting ??= this.#connect(target, sharing).finally(() => {
        sharing.connecting = undefined
      })
      await sharing.connecting
    }
  }

  close(): void {
    this.#closing.abort(new Error('the connections were closed'))
    this.#http1.close()
    for (const { sessions } of this.#sharings.values()) for (const session of sessions) session.close()
  }

  #sharing({ connectionKey }: Target): Sharing {
    const known = this.#sharings.get(connectionKey)
    if (known !== undefined) return known
    // A rotated certificate leaves its old key behind; what still runs there ends by itself.
    for (const [key, { sessions, connecting }] of this.#sharings) {
      if (sessions.size === 0 && connecting === undefined) this.#sharings.delete(key)
    }
    const sharing: Sharing = { sessions: new Set(), connecting: undefined, http1Until: Number.NEGATIVE_INFINITY }
    this.#sharings.set(connectionKey, sharing)
    return sharing
  }

  async #connect(target: TlsTarget, sharing: Sharing): Promise<void> {
    const socket = await this.#handshake(target)
    if (socket.alpnProtocol !== 'h2') {
      socket.destroy()
      sharing.http1Until = this.#clock.monotonic() + http1ForMs
      return
    }
    const session = await Http2Session.open(socket, target, this.#clock, () => sharing.sessions.delete(session))
    if (this.#closing.signal.aborted || !session.hasRoom) {
      session.close()
      throw new Error(`the connection to ${target.url.host} was closed as soon as it was open`)
    }
    sharing.sessions.add(session)
  }

  async #handshake({ url, tls }: TlsTarget): Promise<TLSSocket> {
    using deadline = new Deadline(this.#clock, this.#closing.signal)
    deadline.arm(connectDeadlineMs, `no connection to ${url.host} within ${connectDeadlineMs} ms`)
    const host = url.hostname.replace(/^\[|\]$/g, '')
    const servername = tls.servername ?? (isIP(host) === 0 ? host : undefined)
    const socket = connect({
      ...tls,
      host,
      port: url.port === '' ? 443 : Number(url.port),
      ALPNProtocols: ['h2', 'http/1.1'],
      ...(servername !== undefined && { servername }),
    })
    const { signal } = deadline
    return await new Promise((resolve, reject) => {
      signal.addEventListener('abort', () => socket.destroy(signal.reason))
      socket.on('error', reject)
      socket.once('close', () => reject(new Error(`the connection to ${url.host} was closed`)))
      socket.once('secureConnect', () => resolve(socket))
      signal.throwIfAborted()
    })
  }
}

function hasTls(target: Target): target is TlsTarget {
  return target.tls !== undefined
}

function withRoom({ sessions }: Sharing): Http2Session | undefined {
  for (const session of sessions) if (session.hasRoom) return session
  return undefined
}
