// What went wrong with a call to etcd, in words that say what an operator can do about it.
import { status } from '@grpc/grpc-js'

/**
 * unreachable: no connection, or it broke. timeout: no answer in time. no-leader: the cluster has none, or lost it.
 * compacted: the revision is gone. silent: a watch on which nothing moves. rewound: the cluster went back.
 */
export type EtcdFailure =
  | 'unreachable'
  | 'timeout'
  | 'no-leader'
  | 'login'
  | 'token'
  | 'denied'
  | 'full'
  | 'too-large'
  | 'compacted'
  | 'no-lease'
  | 'silent'
  | 'rewound'
  | 'closed'
  | 'status'

export interface EtcdErrorOptions {
  readonly cause?: unknown
  /** False when there was no connection to send the request by. */
  readonly wasSent?: boolean
  readonly mayBeDone?: boolean
}

export class EtcdError extends Error {
  readonly reason: EtcdFailure
  readonly wasSent: boolean
  /** Whether what was asked may have been done all the same. */
  readonly mayBeDone: boolean

  constructor(reason: EtcdFailure, message: string, options: EtcdErrorOptions = {}) {
    super(message, { cause: options.cause })
    const { wasSent = true, mayBeDone = wasSent && passing.has(reason) } = options
    this.name = 'EtcdError'
    this.reason = reason
    this.wasSent = wasSent
    this.mayBeDone = mayBeDone
  }

  /** Whether another endpoint, or the same one a little later, may serve. */
  get isPassing(): boolean {
    return passing.has(this.reason)
  }

  /** The same after a try whose outcome is not known. */
  inDoubt(): EtcdError {
    const { reason, message, cause, wasSent } = this
    return new EtcdError(reason, message, { cause, wasSent, mayBeDone: true })
  }
}

const passing: ReadonlySet<EtcdFailure> = new Set(['unreachable', 'timeout', 'no-leader'])

interface Saying {
  readonly when: RegExp
  readonly reason: EtcdFailure
  readonly cure: string
}

/** By the text of etcd's answer; the first that fits. */
const sayings: readonly Saying[] = [
  {
    when: /database space exceeded|NOSPACE/,
    reason: 'full',
    cure: 'its space quota is used up: compact and defragment it, or raise --quota-backend-bytes, then `etcdctl alarm disarm`',
  },
  {
    when: /request is too large|larger than max/,
    reason: 'too-large',
    cure: 'start etcd with its default --max-request-bytes, 1.5 MiB, or more',
  },
  { when: /revision has been compacted/, reason: 'compacted', cure: 'it is read anew' },
  { when: /lease not found/, reason: 'no-lease', cure: 'it has run out' },
  {
    when: /no leader|leader changed|leader failure|unhealthy cluster|not leader|raft proposal dropped/,
    reason: 'no-leader',
    cure: 'start its other members',
  },
  {
    when: /not supported for learner|corrupt cluster/,
    reason: 'unreachable',
    cure: 'leave this endpoint out until it is a healthy voting member',
  },
  {
    when: /request timed out|request cancell?ed|deadline exceeded|too many requests|server stopped/,
    reason: 'timeout',
    cure: 'look at its disk and its load',
  },
  { when: /authentication failed/, reason: 'login', cure: 'correct username and password' },
  {
    when: /authentication is not enabled/,
    reason: 'login',
    cure: 'delete username and password, or enable authentication in etcd',
  },
  { when: /user name is empty/, reason: 'denied', cure: 'etcd asks for a login: set username and password' },
  { when: /invalid auth token|revision of auth store is old/, reason: 'token', cure: 'it is logged in again' },
  {
    when: /permission denied/,
    reason: 'denied',
    cure: "grant the user's role readwrite on the whole path prefix: `etcdctl role grant-permission ROLE readwrite --prefix=true PREFIX/`",
  },
]

const maxTextLength = 300

/** What gRPC says of a connection that is not made, or breaks in the middle of a call. */
const lostCodes: ReadonlySet<number> = new Set([status.UNAVAILABLE, status.INTERNAL, status.CANCELLED])

/** What it says of a call that never had one. */
const unsent = /^(No connection established|Name resolution failed|Channel closed before call started)/

/** A gRPC status that is not OK, or whatever was thrown. `endpoint` is what was asked. */
export function etcdError(cause: unknown, endpoint: string): EtcdError {
  if (cause instanceof EtcdError) return cause
  const { code, text } = statusOf(cause)
  const isConnections = code !== undefined && lostCodes.has(code) && !text.startsWith('etcdserver:')
  const saying = isConnections ? undefined : sayings.find(({ when }) => when.test(text))
  const said = shorten(text)
  if (saying !== undefined)
    return new EtcdError(saying.reason, `etcd at ${endpoint} answered "${said}": ${saying.cure}`, { cause })
  if (isConnections)
    return new EtcdError('unreachable', `etcd at ${endpoint} cannot be reached (${said}): ${connectionCure(text)}`, {
      cause,
      wasSent: !unsent.test(text),
    })
  if (code === status.UNIMPLEMENTED)
    return new EtcdError(
      'status',
      `${endpoint} does not speak etcd's v3 API over gRPC (${said}): correct host and port`,
      { cause },
    )
  return new EtcdError(
    'status',
    `etcd at ${endpoint} answered "${said}"${code === undefined ? '' : ` (status ${code})`}`,
    { cause },
  )
}

/** What was thrown, as an error. */
export function asError(thrown: unknown): Error {
  return thrown instanceof Error ? thrown : new Error(String(thrown))
}

function statusOf(cause: unknown): { readonly code: number | undefined; readonly text: string } {
  if (!(cause instanceof Error)) return { code: undefined, text: String(cause) }
  const code = 'code' in cause && typeof cause.code === 'number' ? cause.code : undefined
  const details = 'details' in cause && typeof cause.details === 'string' ? cause.details : ''
  return { code, text: details === '' ? cause.message : details }
}

function connectionCure(text: string): string {
  if (/ECONNREFUSED/.test(text)) return 'start it, or correct host and port'
  if (/ENOTFOUND|EAI_AGAIN|Name resolution/.test(text)) return 'the host is not found; correct it'
  if (/certificate|CERT_|self.signed|altname/i.test(text)) return 'its certificate is not trusted; correct tls'
  if (/wrong.version.number|SSL|TLS|ECONNRESET|EPROTO|socket hang up/i.test(text))
    return 'it closed the connection; if only one side of it speaks TLS, set or delete tls'
  return 'look whether it runs, whether its port can be reached from here, and whether it speaks TLS: set or delete tls'
}

function shorten(text: string): string {
  const plain = text
    .replace(/\p{Cc}+/gu, ' ')
    .replace(/^No connection established\. Last error: (?:Error: )?/, '')
    .replace(/\. Resolution note:\s*$/, '')
    .trim()
  return plain.length <= maxTextLength ? plain : `${plain.slice(0, maxTextLength)}...`
}
