// What a configuration may say of the connections to an endpoint, with linkerd's names and defaults. Knows no sockets.
import { z } from 'zod'

const milliseconds = z.int().min(1).max(86_400_000)
const count = z.int().min(0).max(1_000_000)

/** `clientSession`: one connection. */
export const clientSessionConfig = z.strictObject({
  connectTimeoutMs: milliseconds.default(1_000),
  /** A connection that carried nothing for as long is closed, unless minSize keeps it. */
  idleTimeMs: milliseconds.default(60_000),
  /** A connection that is older takes no more requests; absent for no limit. */
  lifeTimeMs: milliseconds.optional(),
})

/** `hostConnectionPool`: all connections to one endpoint. */
export const connectionPoolConfig = z.strictObject({
  /** Connections that are opened before a request asks for them, and kept open. Never more than maxSize. */
  minSize: count.default(0),
  /** Connections at most; further requests wait in turn. Absent for no limit. */
  maxSize: count.min(1).optional(),
  /** As the session's; the shorter of the two counts. */
  idleTimeMs: milliseconds.optional(),
  /** Requests that may wait; one more fails at once. Absent for no limit. */
  maxWaiters: count.optional(),
})

export type ClientSessionConfig = z.output<typeof clientSessionConfig>
export type ConnectionPoolConfig = z.output<typeof connectionPoolConfig>
