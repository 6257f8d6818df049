// The server's configuration: namerd's shape, strict, complete with defaults. Kinds' own parts are checked by the kinds.
import { z } from 'zod'
import { defaultMaxConnectionAgeMs, grpcLimitDefaults } from '../api/grpc-limits.ts'
import type { ConfigDocument, ConfigPath } from '../runtime/config.ts'

const port = z.int().min(0).max(65_535)
const ip = z.string().min(1).default('127.0.0.1')

const adminConfig = z.strictObject({
  ip,
  port: port.default(9991),
  /** How long a stop may take, in milliseconds, before connections are cut. */
  shutdownGraceMs: z.int().min(0).default(10_000),
  /** Accepted because namerd has it; one thread serves the admin pages. */
  workerThreads: z.int().min(1).optional(),
})

/** How this server is known to the others of its store. */
const serverConfig = z.strictObject({
  id: z
    .string()
    .regex(/^[A-Za-z0-9][A-Za-z0-9.-]{0,62}$/, 'must be 1 to 63 letters, digits, dots and dashes')
    .optional(),
  /** Where they reach its gRPC interface. */
  advertise: z.strictObject({ ip: z.string().min(1), port: port.min(1).optional() }).optional(),
})

const shape = z.strictObject({
  admin: adminConfig.prefault({}),
  server: serverConfig.prefault({}),
  storage: z.looseObject({ kind: z.string() }).prefault({ kind: 'sqlite', path: 'nameplane-data/nameplane.db' }),
  namers: z.array(z.looseObject({ kind: z.string() })).default([]),
  interfaces: z
    .array(z.looseObject({ kind: z.string() }))
    .min(1, 'one or more interfaces must be specified (io.l5d.httpController, io.l5d.mesh)')
    .prefault([{ kind: 'io.l5d.httpController' }, { kind: 'io.l5d.mesh' }]),
  telemetry: z.array(z.looseObject({ kind: z.string() })).default([]),
})

const httpInterface = z.strictObject({ ip, port: port.default(4180) })

const limit = z
  .int()
  .min(1)
  .max(2 ** 31 - 1)

const grpcInterface = z.strictObject({
  ip,
  port: port.default(4321),
  /** About so long a connection is used; then its streams go to another one. 0 for as long as it holds. Milliseconds. */
  maxConnectionAgeMs: z
    .int()
    .min(0)
    .max(2 ** 31 - 1)
    .default(defaultMaxConnectionAgeMs),
  /** Threads that serve this port, each on a core of its own; 1: the one that does everything else. */
  workers: z.int().min(1).max(64).default(1),
  /** How many streams, and how many subscriptions, there may be of one whole each. */
  limits: z
    .strictObject({
      streamsPerConnection: limit.default(grpcLimitDefaults.streamsPerConnection),
      subscriptionsPerStream: limit.default(grpcLimitDefaults.subscriptionsPerStream),
      perClient: limit.default(grpcLimitDefaults.perClient),
      perNamespace: limit.default(grpcLimitDefaults.perNamespace),
      perServer: limit.default(grpcLimitDefaults.perServer),
    })
    .prefault({}),
})

type CheckInterface = (document: ConfigDocument, rest: object, at: ConfigPath) => Interface

const interfaceKinds: Readonly<Record<string, CheckInterface>> = {
  'io.l5d.httpController': (document, rest, at) => ({ api: 'http', ...document.check(httpInterface, rest, at) }),
  'io.l5d.mesh': (document, rest, at) => ({ api: 'grpc', ...document.check(grpcInterface, rest, at) }),
}

/** namerd interfaces that have no counterpart here. */
const refusedInterfaces: Readonly<Record<string, string>> = {
  'io.l5d.thriftNameInterpreter':
    'the thrift protocol is not served here; delete this interface and let linkerd use io.l5d.mesh',
  'io.l5d.destination': 'the early Linkerd 2 protocol is not served here; delete this interface',
}

/** namerd telemeters: metrics are always at /metrics of the admin port. */
const telemeterKinds: Readonly<Record<string, z.ZodType>> = {
  'io.l5d.prometheus': z.strictObject({ path: z.string().optional(), prefix: z.string().optional() }),
}

export type HttpInterface = { readonly api: 'http' } & Readonly<z.output<typeof httpInterface>>

export type GrpcInterface = { readonly api: 'grpc' } & Readonly<z.output<typeof grpcInterface>>

export type Interface = HttpInterface | GrpcInterface

/** The file with everything but storage and namers checked; those stand as they are, with their place in the file. */
export interface ServerConfig {
  readonly admin: z.output<typeof adminConfig>
  readonly server: z.output<typeof serverConfig>
  readonly storage: { readonly value: unknown; readonly at: ConfigPath }
  readonly namers: readonly { readonly value: unknown; readonly at: ConfigPath }[]
  readonly interfaces: readonly Interface[]
}

/** The configuration used when no file is given: everything on loopback, data below the working directory. */
export const defaultConfigText = `admin: { ip: 127.0.0.1, port: 9991 }
storage: { kind: sqlite, path: nameplane-data/nameplane.db }
namers:
  - { kind: io.l5d.fs, rootDir: nameplane-data/disco }
interfaces:
  - { kind: io.l5d.httpController, ip: 127.0.0.1, port: 4180 }
  - { kind: io.l5d.mesh, ip: 127.0.0.1, port: 4321 }
`

/** Throws `bad-config` with path, line and column of every problem. */
export function checkServerConfig(document: ConfigDocument): ServerConfig {
  const { admin, server, storage, namers, interfaces, telemetry } = document.check(shape, document.value, [])
  for (const [index, telemeter] of telemetry.entries()) checkTelemeter(document, telemeter, ['telemetry', index])
  return {
    admin,
    server,
    storage: { value: storage, at: ['storage'] },
    namers: namers.map((value, index) => ({ value, at: ['namers', index] })),
    interfaces: interfaces.map((value, index) => checkInterface(document, value, ['interfaces', index])),
  }
}

function checkInterface(document: ConfigDocument, value: { readonly kind: string }, at: ConfigPath): Interface {
  const { kind, ...rest } = value
  const known = interfaceKinds[kind]
  if (known === undefined)
    throw document.fail([...at, 'kind'], unknownKind('interface', kind, interfaceKinds, refusedInterfaces))
  return known(document, rest, at)
}

function checkTelemeter(document: ConfigDocument, value: { readonly kind: string }, at: ConfigPath): void {
  const { kind, ...rest } = value
  const config = telemeterKinds[kind]
  if (config === undefined) {
    throw document.fail(
      [...at, 'kind'],
      `${unknownKind('telemeter', kind, telemeterKinds, {})}; delete this entry: metrics are always at /metrics of the admin port`,
    )
  }
  document.check(config, rest, at)
}

function unknownKind(role: string, kind: string, known: object, refused: Readonly<Record<string, string>>): string {
  const reason = Object.hasOwn(refused, kind) ? refused[kind] : undefined
  if (reason !== undefined) return `${kind} is not supported: ${reason}`
  return `unknown ${role} kind "${kind}"; known kinds: ${Object.keys(known).sort().join(', ')}`
}
