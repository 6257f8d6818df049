// The one error class of the product and the closed table of its codes. Knows no transport beyond status numbers.

/** gRPC status numbers that the table uses (https://grpc.io/docs/guides/status-codes/). */
const grpc = {
  invalidArgument: 3,
  deadlineExceeded: 4,
  notFound: 5,
  alreadyExists: 6,
  resourceExhausted: 8,
  failedPrecondition: 9,
  aborted: 10,
  unimplemented: 12,
  internal: 13,
  unavailable: 14,
} as const

interface CodeRow {
  readonly http: number
  readonly grpc: number
  readonly retryable: boolean
  readonly title: string
}

const row = (http: number, grpcStatus: number, retryable: boolean, title: string): CodeRow => ({
  http,
  grpc: grpcStatus,
  retryable,
  title,
})

/** Every code, its HTTP and gRPC status, and whether the same request may succeed later unchanged. */
export const errorCodes = {
  'bad-path': row(400, grpc.invalidArgument, false, 'The path does not parse'),
  'bad-prefix': row(400, grpc.invalidArgument, false, 'The prefix does not parse'),
  'bad-tree': row(400, grpc.invalidArgument, false, 'The name tree does not parse'),
  'bad-dtab': row(400, grpc.invalidArgument, false, 'The dtab does not parse'),
  'bad-namespace': row(
    400,
    grpc.invalidArgument,
    false,
    'The namespace has a character or a length that is not allowed',
  ),
  'bad-request': row(400, grpc.invalidArgument, false, 'The request is malformed'),
  'bad-config': row(400, grpc.invalidArgument, false, 'The configuration is not valid'),
  'not-found': row(404, grpc.notFound, false, 'No such resource'),
  'dtab-not-found': row(404, grpc.notFound, false, 'No such namespace'),
  'version-not-found': row(404, grpc.notFound, false, 'No such version'),
  'source-not-found': row(404, grpc.notFound, false, 'No such source of names'),
  'method-not-allowed': row(405, grpc.unimplemented, false, 'The method is not supported here'),
  'dtab-exists': row(409, grpc.alreadyExists, false, 'The namespace exists already'),
  'edit-conflict': row(409, grpc.failedPrecondition, false, 'The edit does not fit the present dtab'),
  'source-without-guard': row(409, grpc.failedPrecondition, false, 'The source holds nothing back'),
  'dtab-version-mismatch': row(412, grpc.aborted, false, 'The dtab has another version'),
  'dtab-too-large': row(413, grpc.resourceExhausted, false, 'The dtab is larger than the store can hold'),
  'body-too-large': row(413, grpc.resourceExhausted, false, 'The body is too large'),
  'headers-too-large': row(431, grpc.resourceExhausted, false, 'The head of the request is too large'),
  'request-timeout': row(408, grpc.deadlineExceeded, true, 'The request did not come in time'),
  'unsupported-media-type': row(415, grpc.invalidArgument, false, 'The Content-Type is not supported'),
  'not-acceptable': row(406, grpc.invalidArgument, false, 'No representation satisfies Accept'),
  'idempotency-key-reused': row(
    422,
    grpc.failedPrecondition,
    false,
    'The Idempotency-Key was used for another request',
  ),
  'name-too-deep': row(422, grpc.failedPrecondition, false, 'The name needs too many rewrites'),
  'evaluation-limit': row(422, grpc.failedPrecondition, false, 'Evaluating the name takes too much work'),
  'unknown-namer': row(422, grpc.failedPrecondition, false, 'The name asks for a namer that does not exist'),
  'namer-unavailable': row(503, grpc.unavailable, true, 'A namer cannot answer'),
  'store-unavailable': row(503, grpc.unavailable, true, 'The store cannot answer'),
  'store-busy': row(503, grpc.unavailable, true, 'The store is locked by another process'),
  'store-full': row(507, grpc.resourceExhausted, true, 'The store has no room'),
  'store-corrupt': row(500, grpc.internal, false, 'The store holds something that cannot be read'),
  pending: row(503, grpc.unavailable, true, 'The answer is not known yet'),
  'resource-exhausted': row(429, grpc.resourceExhausted, true, 'A limit was reached'),
  unavailable: row(503, grpc.unavailable, true, 'The server cannot answer now'),
  timeout: row(504, grpc.deadlineExceeded, true, 'The answer took too long'),
  internal: row(500, grpc.internal, false, 'Something unexpected happened'),
} as const satisfies Record<string, CodeRow>

export type ErrorCode = keyof typeof errorCodes

/** Where in a text a syntax error is; offset counts UTF-16 units from 0, line and column from 1. */
export interface TextPosition {
  readonly offset: number
  readonly line: number
  readonly column: number
}

/** Facts about an error that a client may act on; every value is plain JSON. */
export interface ErrorDetail {
  readonly [key: string]: unknown
  /** Position of a syntax error. */
  readonly position?: TextPosition
  /** What the parser would have taken there. */
  readonly expected?: string
}

/** The product's only error class. Match on `code`, never on the class. `cause` is for logs and is never sent. */
export class NamingError extends Error {
  readonly code: ErrorCode
  readonly detail: ErrorDetail
  override readonly name = 'NamingError'

  /** Captures no stack: it would keep alive all that was worked on where the error was made, and cells hold errors for long. */
  constructor(code: ErrorCode, message: string, options: { cause?: unknown; detail?: ErrorDetail } = {}) {
    const { stackTraceLimit } = Error
    Error.stackTraceLimit = 0
    super(message, options.cause === undefined ? undefined : { cause: options.cause })
    Error.stackTraceLimit = stackTraceLimit
    this.code = code
    this.detail = options.detail ?? {}
  }

  get httpStatus(): number {
    return errorCodes[this.code].http
  }

  get grpcStatus(): number {
    return errorCodes[this.code].grpc
  }

  get retryable(): boolean {
    return errorCodes[this.code].retryable
  }

  /** The error itself when it is ours; anything else becomes `internal` with the original as its cause. */
  static from(error: unknown): NamingError {
    if (error instanceof NamingError) return error
    return new NamingError('internal', 'Something unexpected happened; the server log has the cause.', { cause: error })
  }
}
