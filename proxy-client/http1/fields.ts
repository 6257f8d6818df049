// The header or trailer section of one message, as strings of bytes (latin-1). Knows the names that the proxy acts on.

/**
 * Names that a hop looks at, each with its bit in `Fields.present`. Every other name that begins with `l5d-` shares
 * `otherL5d`, every other name that begins with `l5d-ctx-` shares `otherContext`; the rest has no bit.
 */
export const Field = {
  host: 1 << 0,
  connection: 1 << 1,
  keepAlive: 1 << 2,
  proxyConnection: 1 << 3,
  te: 1 << 4,
  trailer: 1 << 5,
  transferEncoding: 1 << 6,
  upgrade: 1 << 7,
  proxyAuthenticate: 1 << 8,
  proxyAuthorization: 1 << 9,
  expect: 1 << 10,
  contentLength: 1 << 11,
  via: 1 << 12,
  forwarded: 1 << 13,
  date: 1 << 14,
  deadline: 1 << 15,
  contextDtab: 1 << 16,
  dtab: 1 << 17,
  requestId: 1 << 18,
  destination: 1 << 19,
  otherContext: 1 << 20,
  otherL5d: 1 << 21,
  error: 1 << 22,
  retryable: 1 << 23,
  successClass: 1 << 24,
  framingLookalike: 1 << 25,
} as const

/** One of the bits of `Field`. */
export type KnownField = (typeof Field)[keyof typeof Field]

/** Lower-case names to their bits; `destination` stands for all of `l5d-dst-*`. */
export const fieldNames: Readonly<Record<string, KnownField>> = {
  host: Field.host,
  connection: Field.connection,
  'keep-alive': Field.keepAlive,
  'proxy-connection': Field.proxyConnection,
  te: Field.te,
  trailer: Field.trailer,
  'transfer-encoding': Field.transferEncoding,
  upgrade: Field.upgrade,
  'proxy-authenticate': Field.proxyAuthenticate,
  'proxy-authorization': Field.proxyAuthorization,
  expect: Field.expect,
  'content-length': Field.contentLength,
  via: Field.via,
  forwarded: Field.forwarded,
  date: Field.date,
  'l5d-ctx-deadline': Field.deadline,
  'l5d-ctx-dtab': Field.contextDtab,
  'l5d-dtab': Field.dtab,
  'l5d-reqid': Field.requestId,
  'l5d-dst-service': Field.destination,
  'l5d-dst-client': Field.destination,
  'l5d-dst-residual': Field.destination,
  'l5d-err': Field.error,
  'l5d-retryable': Field.retryable,
  'l5d-success-class': Field.successClass,
  // Servers that make variables of fields read them as the ones with hyphens.
  content_length: Field.framingLookalike,
  transfer_encoding: Field.framingLookalike,
}

/** A section whose every line was checked. Names keep their case, values have no white space around them. */
export interface Fields {
  readonly size: number
  /** The bits of the known names that occur. */
  readonly present: number
  nameAt(index: number): string
  valueAt(index: number): string
  /** The first value of a name in lower case. */
  first(lowerName: string): string | undefined
  /** Every value of a name in lower case, in order. */
  all(lowerName: string): readonly string[]
  /**
   * The lines as they go on the wire, each `Name: value` and CRLF, without those whose bit is in `dropped` and those whose
   * lower-case name is in `named`. Costs next to nothing when none of `dropped` is present.
   */
  lines(dropped: number, named?: ReadonlySet<string>): string
}
