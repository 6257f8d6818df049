// The connections of this thread's gRPC server, and the push streams on each: who is there, since when, and how much waits
// for it. Knows no protocol.

import type { status } from '@grpc/grpc-js'
import type { Clock } from '../../watch/clock.ts'

/** The part of an HTTP/2 session that matters here. */
export interface Session {
  readonly destroyed: boolean
  readonly closed: boolean
  readonly socket: { readonly remoteAddress?: string | undefined; readonly remotePort?: number | undefined }
  goaway(code: number, lastStreamId: number): void
  /** Takes no more streams, and closes after the last one. */
  close(): void
  on(event: 'close', listener: () => void): unknown
}

/** A push stream as its connection knows it. */
export interface ConnectionStream {
  /** `nameplane.v1.Naming`. */
  readonly service: string
  /** Bytes on their way that the transport has not taken. */
  readonly unsentBytes: number
  readonly isClosed: boolean
  /** Asks the client to go on elsewhere with what it has; false where the protocol has no words for it. */
  askToMove(withinMs: number, reason: string): boolean
  end(code: status, details: string): void
}

/** One HTTP/2 connection, until it closes. */
export class Connection {
  readonly session: Session
  /** `host:port` of the peer. */
  readonly address: string
  /** In ms since 1970. */
  readonly since: number
  readonly streams = new Set<ConnectionStream>()
  readonly #socket: { destroy(): unknown } | undefined
  /** When its streams are to go elsewhere, on the monotonic clock. */
  leaveAt = Number.POSITIVE_INFINITY
  /** Whether its session was found to be over; its socket may stand still for ever, with all that was to be sent. */
  isOver = false
  /** Since when the peer is to open no more streams on it, on the monotonic clock. */
  leavingSince: number | undefined

  constructor(session: Session, socket: { destroy(): unknown } | undefined, since: number) {
    this.session = session
    this.#socket = socket
    this.address = addressOf(session)
    this.since = since
  }

  /** Closes the socket, whatever it has not sent. */
  cut(): void {
    this.#socket?.destroy()
  }

  get unsentBytes(): number {
    let bytes = 0
    for (const stream of this.streams) bytes += stream.unsentBytes
    return bytes
  }
}

export class Connections {
  readonly #clock: Clock
  readonly #connections = new Map<Session, Connection>()
  readonly #streamsOfService = new Map<string, number>()
  #streams = 0
  #onOpen: ((connection: Connection) => void) | undefined

  constructor(clock: Clock) {
    this.#clock = clock
  }

  get size(): number {
    return this.#connections.size
  }

  /** Push streams of all connections. */
  get streams(): number {
    return this.#streams
  }

  /** Push streams of each service that ever had one. */
  get streamsOfService(): ReadonlyMap<string, number> {
    return this.#streamsOfService
  }

  /** Tells one listener of each connection that is there from now on. */
  onOpen(listener: (connection: Connection) => void): void {
    this.#onOpen = listener
  }

  /** The connection, known from now until it closes; the same one each time. `socket`: what the session stands on, if known. */
  of(session: Session, socket?: { destroy(): unknown }): Connection {
    const known = this.#connections.get(session)
    if (known !== undefined) return known
    const connection = new Connection(session, socket, this.#clock.now())
    if (session.destroyed) return connection
    this.#connections.set(session, connection)
    session.on('close', () => this.#connections.delete(session))
    this.#onOpen?.(connection)
    return connection
  }

  [Symbol.iterator](): Iterator<Connection> {
    return this.#connections.values()
  }

  /** The stream counts until `closed`. */
  opened(stream: ConnectionStream, session: Session): void {
    this.of(session).streams.add(stream)
    this.#count(stream, 1)
  }

  /** Once for each that was opened. */
  closed(stream: ConnectionStream, session: Session): void {
    this.#connections.get(session)?.streams.delete(stream)
    this.#count(stream, -1)
  }

  /** Push streams of the connection that has most. */
  highestStreams(): number {
    let highest = 0
    for (const { streams } of this) highest = Math.max(highest, streams.size)
    return highest
  }

  /**
   * Cuts the connections whose sessions are over since the call before: a session that is ended while its peer reads nothing
   * waits for its socket, which waits for the peer.
   */
  cutOver(): void {
    for (const connection of this) {
      if (!connection.session.destroyed) continue
      if (connection.isOver) connection.cut()
      connection.isOver = true
    }
  }

  /** Ends up to `count` push streams with a status; true while there are more. */
  endSome(count: number, code: status, details: string): boolean {
    let left = count
    for (const { streams } of this)
      for (const stream of streams) {
        if (left-- === 0) return true
        stream.end(code, details)
      }
    return false
  }

  #count({ service }: ConnectionStream, change: number): void {
    this.#streams += change
    this.#streamsOfService.set(service, (this.#streamsOfService.get(service) ?? 0) + change)
  }
}

function addressOf({ socket, destroyed }: Session): string {
  const { remoteAddress, remotePort } = destroyed || socket === undefined ? {} : socket
  return remoteAddress === undefined ? 'unknown' : `${remoteAddress}:${remotePort}`
}
