// The text of one discovery file: a line per endpoint. Pure; host names are looked up elsewhere.
import { isIP } from 'node:net'
import { NamingError } from '../../naming/errors.ts'
import { failure, type Result, success } from '../../naming/result.ts'

/** One endpoint as written; host is an address literal or a name. */
export interface EndpointLine {
  readonly host: string
  readonly port: number
  readonly weight: number
}

/** What a file says, one entry per host and port, in the order of their first lines. */
export type EndpointLines = readonly EndpointLine[]

/** Tells endpoints of one file apart. */
export function endpointKey(line: EndpointLine): string {
  return `${line.host} ${line.port}`
}

const linePattern = /^(\S+)\s+(\d{1,5})(?:\s*\*\s*(\S+))?$/
const hostPattern = /^(?!-)[A-Za-z0-9_-]+(?:\.[A-Za-z0-9_-]+)*\.?$/
const weightPattern = /^(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?$/

/**
 * Lines `host port [* weight]`; `#` begins a comment, blank lines are skipped. Of two lines with one host and port the later
 * weight holds. The first bad line fails the whole file; `file` is named in the error.
 */
export function parseEndpointFile(text: string, file: string): Result<EndpointLines> {
  const lines = new Map<string, EndpointLine>()
  let number = 0
  for (const raw of text.replace(/^\uFEFF/, '').split('\n')) {
    number++
    const content = withoutComment(raw)
    if (content === '') continue
    const line = parseLine(content)
    if (line === undefined) return failure(malformed(content, file, number))
    lines.set(endpointKey(line), line)
  }
  return success([...lines.values()])
}

function withoutComment(line: string): string {
  const start = line.indexOf('#')
  return (start < 0 ? line : line.slice(0, start)).trim()
}

function parseLine(content: string): EndpointLine | undefined {
  const [, host = '', portText = '', weightText = '1'] = linePattern.exec(content) ?? []
  const port = Number(portText)
  const weight = weightPattern.test(weightText) ? Number(weightText) : 0
  if (isIP(host) === 0 && !isHostName(host)) return undefined
  if (port < 1 || port > 65_535 || weight <= 0 || !Number.isFinite(weight)) return undefined
  return { host, port, weight }
}

/** All digits and dots is an address gone wrong, not a name. */
function isHostName(host: string): boolean {
  return host.length <= 253 && hostPattern.test(host) && !/^[\d.]+$/.test(host)
}

const shownChars = 200

function malformed(content: string, file: string, number: number): NamingError {
  const shown = content.length > shownChars ? `${content.slice(0, shownChars)}...` : content
  return new NamingError('namer-unavailable', `malformed address: ${shown} (${file}, line ${number})`, {
    detail: { file, line: number },
  })
}
