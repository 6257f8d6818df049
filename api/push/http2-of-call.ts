// The HTTP/2 stream under a call of grpc-js. grpc-js has no way to reset one stream, nor to ask which connection it is on, but
// keeps the stream in a field of the call. Nothing else may reach there.
import { constants, type Http2Session, type ServerHttp2Stream } from 'node:http2'

export interface CallTransport {
  readonly session: Http2Session
  /** Ends the stream at once, whatever it has not sent; the peer is told CANCEL. Harmless when called twice. */
  reset(): void
}

/** Undefined when the stream is over already. Throws when a grpc-js is installed that keeps it elsewhere. */
export function transportOf(call: object): CallTransport | undefined {
  const inner: unknown = Reflect.get(call, 'call')
  const stream: unknown = typeof inner === 'object' && inner !== null ? Reflect.get(inner, 'stream') : undefined
  if (!isHttp2Stream(stream))
    throw new Error('This version of @grpc/grpc-js keeps its HTTP/2 streams elsewhere: a stream cannot be reset.')
  const { session } = stream
  return session === undefined ? undefined : { session, reset: () => stream.close(constants.NGHTTP2_CANCEL) }
}

function isHttp2Stream(value: unknown): value is ServerHttp2Stream {
  return typeof value === 'object' && value !== null && 'rstCode' in value && 'session' in value
}

/** `1.2.3.4:5` without the port: who a client is that does not say. */
export function hostOf(peer: string): string {
  const colon = peer.lastIndexOf(':')
  return colon < 0 ? peer : peer.slice(0, colon)
}
