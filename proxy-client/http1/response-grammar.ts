// Response heads (RFC 9112, 4): the status line, and what frames the body of an answer to a given method (6.3).
import { connectionOptions, isPersistentBy, upgradeBy } from './connection.ts'
import type { FieldSection } from './field-section.ts'
import { announcedBody, bodyToClose, noBody, tunnel } from './framing.ts'
import type { HeadGrammar } from './head-grammar.ts'
import { checkVersion, minorVersion, versionBytes } from './http-version.ts'
import type { Framing, MessageProblem, ResponseHead } from './message.ts'
import { malformed } from './problem.ts'

const sp = 0x20

/** Where the status code ends in `HTTP/1.1 200`. */
const statusEnd = versionBytes + 4

/** A grammar that knows what is answered. */
export interface ResponseGrammar extends HeadGrammar<ResponseHead> {
  /** Which method the next head answers. */
  expect(method: string): void
}

/** One for each reader: it remembers the last status line. */
export function createResponseGrammar(): ResponseGrammar {
  let method = ''
  let status = 0
  let minor: 0 | 1 = 1
  let lineEnd = 0

  function checkStartLine(bytes: Buffer, start: number, end: number): MessageProblem | undefined {
    const problem = checkVersion(bytes, start, end)
    if (problem !== undefined) return problem
    minor = minorVersion(bytes[start + versionBytes - 1])
    lineEnd = end - start
    status = 0
    for (let p = start + versionBytes + 1; p < start + statusEnd; p++) {
      const digit = p < end ? (bytes[p] ?? 0) - 0x30 : -1
      if (digit < 0 || digit > 9) return malformed('The status code is not three digits.')
      status = status * 10 + digit
    }
    if (bytes[start + versionBytes] !== sp || status < 100) return malformed('The status line has no status code.')
    // The space after the code may be missing when there is no reason: many servers leave it out, and nothing is in doubt.
    const isEnded = lineEnd === statusEnd || bytes[start + statusEnd] === sp
    return isEnded ? undefined : malformed('The status code is not three digits.')
  }

  function headOf(text: string, fields: FieldSection, repeated: number): ResponseHead | MessageProblem {
    const framing = responseBody(method, status, announcedBody(fields, repeated, minor))
    if ('message' in framing) return framing
    const options = connectionOptions(fields)
    if (typeof options !== 'number') return options
    const isDelimited = framing.kind !== 'close' && framing.kind !== 'tunnel'
    return {
      status,
      reason: reasonOf(status, text, lineEnd),
      minor,
      fields,
      framing,
      isPersistent: isDelimited && isPersistentBy(minor, options),
      upgrade: upgradeBy(fields, minor, options),
    }
  }

  return {
    allowsBlankLine: false,
    checkStartLine,
    asksForHeadOnly: () => false,
    headOf,
    isInterim: head => isInterimStatus(head.status),
    expect(answered) {
      method = answered
    },
  }
}

function reasonOf(status: number, text: string, lineEnd: number): string {
  if (status === 200 && lineEnd === statusEnd + 3 && text.startsWith('OK', statusEnd + 1)) return 'OK'
  return lineEnd === statusEnd ? '' : text.substring(statusEnd + 1, lineEnd)
}

function isInterimStatus(status: number): boolean {
  return status < 200 && status !== 101
}

function responseBody(
  method: string,
  status: number,
  announced: Framing | MessageProblem | undefined,
): Framing | MessageProblem {
  if (announced !== undefined && 'message' in announced) return announced
  if (status < 200 || status === 204) {
    if (isContent(announced)) return malformed('A response that has no body announces one.')
    return status === 101 ? tunnel : noBody
  }
  if (method === 'CONNECT' && status < 300) return tunnel
  if (method === 'HEAD' || status === 304) return noBody
  return announced ?? bodyToClose
}

/** A length of 0 says what is the case anyway; many servers send it with 204. */
function isContent(announced: Framing | undefined): boolean {
  return announced?.kind === 'chunked' || (announced?.kind === 'length' && announced.bytes > 0)
}
