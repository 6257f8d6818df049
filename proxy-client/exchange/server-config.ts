// What the configuration says of one listener, with linkerd's names and, where it has one, its defaults. Knows no socket.
import { z } from 'zod'
import { fieldNames } from '../http1/fields.ts'
import { addForwardedHeaderConfig } from './forwarded.ts'

const milliseconds = z.int().min(1).max(86_400_000)

const serverSession = z.strictObject({
  /** A connection without a request in progress is closed after that; long, so that it is mostly the client who closes. */
  idleTimeMs: milliseconds.default(600_000),
  /** A connection as old as that carries no further request. */
  lifeTimeMs: milliseconds.optional(),
})

const socketOptions = z.strictObject({
  /** Whether other processes of this user may listen on the port too; the system spreads new connections over them. */
  reusePort: z.boolean().default(false),
})

/** One entry of a router's `servers`. */
export const serverConfig = z.strictObject({
  ip: z.union([z.ipv4(), z.ipv6()], { error: 'not an IP address' }).default('127.0.0.1'),
  port: z.int().min(0).max(65_535).default(4140),
  /** Requests in progress at once; one more is 503, to be tried again. None by default. */
  maxConcurrentRequests: z.int().min(1).max(1_000_000).optional(),
  serverSession: serverSession.prefault({}),
  socketOptions: socketOptions.prefault({}),
  /** From the first byte of a request, for the first one from the connection's opening, to the end of its head. */
  headTimeoutMs: milliseconds.default(10_000),
  /** A client that neither sends what is left of its body nor reads what is left of its response for that long is cut off. */
  stallTimeoutMs: milliseconds.default(300_000),
  /** A tunnel (WebSocket, CONNECT) through which nothing came for that long is cut. */
  tunnelIdleTimeMs: milliseconds.default(3_600_000),
  /** Whether the `l5d-*` fields of clients are dropped and the bodies of errors hidden: for the edge of a network. */
  clearContext: z.boolean().default(false),
  addForwardedHeader: addForwardedHeaderConfig.optional(),
  /** The name of a field that tells the upstream when the request came, in milliseconds since 1970. */
  timestampHeader: z
    .string()
    .regex(/^[!#$%&'*+.^_`|~0-9A-Za-z-]{1,100}$/, 'not a field name')
    .refine(name => !Object.hasOwn(fieldNames, name.toLowerCase()), 'a field that says something else')
    .optional(),
  /** Proxies that a request may have been through, by `Via`; one more is 400. */
  maxCallDepth: z.int().min(1).max(100_000).default(1_000),
})

export type ServerConfig = z.output<typeof serverConfig>
