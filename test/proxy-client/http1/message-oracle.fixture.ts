// A second reading of requests, over the whole text and by regular expressions: slow, strict and made apart from the
// product's, so that both going wrong in one way is unlikely.

export interface OracleRequest {
  /** All its bytes, as latin-1. */
  readonly bytes: string
  readonly method: string
  readonly target: string
  readonly version: string
  /** Names in lower case. */
  readonly fields: readonly (readonly [string, string])[]
  readonly body: string
  readonly trailers: readonly (readonly [string, string])[]
}

export interface OracleReading {
  readonly requests: readonly OracleRequest[]
  /** What is left after the last whole request; empty when all could be read. */
  readonly rest: string
}

const head = /^([!#$%&'*+.^_`|~0-9A-Za-z-]+) ([\x21-\x7e]+) (HTTP\/1\.[01])\r\n((?:[^\r\n]+\r\n)*)\r\n/
const field =
  /^([!#$%&'*+.^_`|~0-9A-Za-z-]+):[ \t]*((?:[\x21-\x7e\x80-\xff](?:[\t\x20-\x7e\x80-\xff]*[\x21-\x7e\x80-\xff])?)?)[ \t]*$/
const chunk = /^([0-9A-Fa-f]{1,13})(?:;[\x20-\x7e]*)?\r\n/
const trailerSection = /^((?:[^\r\n]+\r\n)*)\r\n/

function parseFields(text: string): (readonly [string, string])[] | undefined {
  const fields: (readonly [string, string])[] = []
  for (const line of text.split('\r\n').slice(0, -1)) {
    const [, name, value = ''] = field.exec(line) ?? []
    if (name === undefined) return undefined
    fields.push([name.toLowerCase(), value])
  }
  return fields
}

const valuesOf = (fields: OracleRequest['fields'], wanted: string): string[] =>
  fields.filter(([name]) => name === wanted).map(([, value]) => value)

interface Body {
  readonly body: string
  readonly trailers: OracleRequest['trailers']
  readonly rest: string
}

function chunkedBody(text: string): Body | undefined {
  let rest = text
  let body = ''
  for (;;) {
    const line = chunk.exec(rest)
    if (line === null) return undefined
    const size = Number.parseInt(line[1] ?? '', 16)
    rest = rest.slice(line[0].length)
    if (size === 0) break
    if (rest.length < size + 2 || rest.slice(size, size + 2) !== '\r\n') return undefined
    body += rest.slice(0, size)
    rest = rest.slice(size + 2)
  }
  const section = trailerSection.exec(rest)
  const trailers = section === null ? undefined : parseFields(section[1] ?? '')
  return section === null || trailers === undefined
    ? undefined
    : { body, trailers, rest: rest.slice(section[0].length) }
}

function bodyOf(fields: OracleRequest['fields'], text: string): Body | undefined {
  const lengths = valuesOf(fields, 'content-length')
  const codings = valuesOf(fields, 'transfer-encoding')
  if (lengths.length + codings.length === 0) return { body: '', trailers: [], rest: text }
  if (lengths.length + codings.length > 1) return undefined
  if (codings.length === 1) return /^chunked$/i.test(codings[0] ?? '') ? chunkedBody(text) : undefined
  if (!/^\d{1,16}$/.test(lengths[0] ?? '')) return undefined
  const length = Number(lengths[0])
  return text.length < length ? undefined : { body: text.slice(0, length), trailers: [], rest: text.slice(length) }
}

/** Reads requests from the front until one is not whole or not beyond doubt. One empty line may precede each if that is said. */
export function oracleRequests(text: string, mayFollowBlankLine = false): OracleReading {
  const requests: OracleRequest[] = []
  let rest = text
  for (;;) {
    if (mayFollowBlankLine) rest = rest.replace(/^\r\n/, '')
    const line = head.exec(rest)
    if (line === null) return { requests, rest }
    const [whole, method = '', target = '', version = '', lines = ''] = line
    const fields = parseFields(lines)
    const body = fields === undefined ? undefined : bodyOf(fields, rest.slice(whole.length))
    if (fields === undefined || body === undefined) return { requests, rest }
    const bytes = rest.slice(0, rest.length - body.rest.length)
    requests.push({ bytes, method, target, version, fields, body: body.body, trailers: body.trailers })
    rest = body.rest
  }
}
