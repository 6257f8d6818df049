// Connections and push streams in a test's hand, without a socket.
import { status } from '@grpc/grpc-js'
import type { ConnectionStream, Connections, Session } from '../../../api/push/connections.ts'

/** A session that closes when it is told to and has no streams, as an HTTP/2 session does. */
export class FakeSession implements Session {
  readonly socket = { remoteAddress: '10.0.0.1', remotePort: 7 }
  readonly goaways: { readonly code: number; readonly lastStreamId: number }[] = []
  destroyed = false
  closed = false
  streams = 0
  readonly #onClose: (() => void)[] = []

  goaway(code: number, lastStreamId: number): void {
    this.goaways.push({ code, lastStreamId })
  }

  close(): void {
    this.closed = true
    this.destroyIfIdle()
  }

  destroyIfIdle(): void {
    if (this.closed && this.streams === 0) this.destroy()
  }

  destroy(): void {
    if (this.destroyed) return
    this.destroyed = true
    for (const listener of this.#onClose) listener()
  }

  on(_event: 'close', listener: () => void): void {
    this.#onClose.push(listener)
  }
}

export interface FakeStreamOptions {
  readonly session: FakeSession
  readonly service?: string
  readonly unsentBytes?: number
  /** What the client does when it is asked to move; absent for a protocol without words for it. */
  readonly onMove?: (stream: FakeStream) => void
}

/** Counts as open from the start. */
export class FakeStream implements ConnectionStream {
  readonly service: string
  readonly unsentBytes: number
  readonly session: FakeSession
  /** What it was told, in order. */
  readonly told: string[] = []
  isClosed = false
  readonly #connections: Connections
  readonly #onMove: ((stream: FakeStream) => void) | undefined

  constructor(
    connections: Connections,
    { session, service = 'test.Service', unsentBytes = 0, onMove }: FakeStreamOptions,
  ) {
    this.#connections = connections
    this.session = session
    this.service = service
    this.unsentBytes = unsentBytes
    this.#onMove = onMove
    session.streams++
    connections.opened(this, session)
  }

  askToMove(withinMs: number, reason: string): boolean {
    if (this.#onMove === undefined) return false
    this.told.push(`move within ${withinMs} ms: ${reason}`)
    this.#onMove(this)
    return true
  }

  end(code: status, details: string): void {
    if (this.isClosed) return
    this.told.push(`${status[code]}: ${details}`)
    this.leave()
  }

  /** From the client's side. */
  leave(): void {
    if (this.isClosed) return
    this.isClosed = true
    this.session.streams--
    this.#connections.closed(this, this.session)
    this.session.destroyIfIdle()
  }
}
