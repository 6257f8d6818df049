// A grpc-js server with every limit explicit, and with what grpc-js does not tell of itself. Knows no service.
import type { Http2Server, Http2Session } from 'node:http2'
import type { Socket } from 'node:net'
import { type ChannelOptions, logVerbosity, Server, setLogVerbosity } from '@grpc/grpc-js'
import { grpcLimitDefaults } from '../grpc-limits.ts'

export interface GrpcServerOptions {
  /** Bytes of one request. */
  readonly maxRequestBytes: number
  /** Streams that one connection may have open; whoever opens more is to be refused with a word. */
  readonly maxStreamsPerConnection: number
  /** Streams that one connection may cancel in a burst, and per second after it, before it is closed. */
  readonly streamResetBurst: number
  readonly streamResetRate: number
  readonly keepaliveMs: number
  readonly keepaliveTimeoutMs: number
}

export const grpcServerDefaults: GrpcServerOptions = {
  maxRequestBytes: 4 * 1024 * 1024,
  maxStreamsPerConnection: grpcLimitDefaults.streamsPerConnection,
  streamResetBurst: 100_000,
  streamResetRate: 10_000,
  keepaliveMs: 10_000,
  keepaliveTimeoutMs: 5_000,
}

/** `socket`: what the session stands on, which closes with it unless the peer stands still. */
export type OnSession = (session: Http2Session, socket: Socket | undefined) => void

/**
 * A server that is not listening yet; `onSession` is told of every connection that it takes or is handed. grpc-js is silenced: what
 * it has to say comes as errors too.
 */
export function createGrpcServer(options: GrpcServerOptions, onSession?: OnSession): Server {
  setLogVerbosity(logVerbosity.NONE)
  const channel: ChannelOptions = {
    'grpc.enable_channelz': 0,
    'grpc.keepalive_permit_without_calls': 1,
    'grpc.keepalive_time_ms': options.keepaliveMs,
    'grpc.keepalive_timeout_ms': options.keepaliveTimeoutMs,
    'grpc.max_concurrent_streams': concurrentStreams(options.maxStreamsPerConnection),
    'grpc.max_receive_message_length': options.maxRequestBytes,
    'grpc.max_send_message_length': -1,
  }
  const server = new Server(channel)
  setStreamResetLimits(server, options)
  if (onSession !== undefined) watchSessions(server, onSession)
  return server
}

const minSpareStreams = 100

/**
 * What the peer is told that it may have open: more than the limit, so that one more is heard and refused with a word, and
 * so that a stream which the peer has cancelled, and which is not quite gone here, costs none of those that may be open:
 * Node breaks off whatever is above this number.
 */
function concurrentStreams(limit: number): number {
  return Math.min(2 ** 32 - 1, limit + Math.max(minSpareStreams, Math.ceil(limit / 10)))
}

/**
 * Node closes a connection whose peer cancels many streams quickly (its guard against rapid resets), which is what a proxy
 * that loses many clients does. grpc-js has no option for the guard's limits, but keeps the options it opens every listener
 * with in one object. Throws when a grpc-js is installed in which that is no longer so.
 */
function setStreamResetLimits(server: Server, { streamResetBurst, streamResetRate }: GrpcServerOptions): void {
  const http2Options: unknown = Reflect.get(server, 'commonServerOptions')
  if (typeof http2Options !== 'object' || http2Options === null)
    throw new Error(
      'This version of @grpc/grpc-js keeps its HTTP/2 options elsewhere: stream reset limits cannot be set.',
    )
  Object.assign(http2Options, { streamResetBurst, streamResetRate })
}

/**
 * grpc-js does not tell of its connections, but makes every HTTP/2 server, of a listener or for connections that are handed
 * over, by one method. Throws when a grpc-js is installed in which that is no longer so.
 */
function watchSessions(server: Server, onSession: OnSession): void {
  const create: unknown = Reflect.get(server, 'createHttp2Server')
  if (typeof create !== 'function')
    throw new Error('This version of @grpc/grpc-js makes its HTTP/2 servers elsewhere: connections cannot be seen.')
  const createWatched = (...args: readonly unknown[]): Http2Server => {
    const http2Server: Http2Server = Reflect.apply(create, server, args)
    let accepted: Socket | undefined
    // Node tells of a session while it tells of its socket.
    http2Server.prependListener('connection', (socket: Socket) => {
      accepted = socket
    })
    return http2Server.on('session', session => onSession(session, accepted))
  }
  Reflect.set(server, 'createHttp2Server', createWatched)
}
