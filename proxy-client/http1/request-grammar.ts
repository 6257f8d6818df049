// Request heads (RFC 9112, 3): the request line, Host, and what frames a request's body.
import { isAuthority } from './authority.ts'
import { connectionOptions, isPersistentBy, upgradeBy } from './connection.ts'
import type { FieldSection } from './field-section.ts'
import { Field } from './fields.ts'
import { announcedBody, noBody } from './framing.ts'
import type { HeadGrammar } from './head-grammar.ts'
import { checkVersion, minorVersion, versionBytes } from './http-version.ts'
import type { Framing, MessageProblem, RequestHead } from './message.ts'
import { targetBytes, tokenBytes } from './octets.ts'
import { malformed } from './problem.ts'
import { isTargetFor } from './request-target.ts'

const sp = 0x20
const letterH = 0x48

/** One for each reader: it remembers where the parts of the last request line lie. */
export function createRequestGrammar(): HeadGrammar<RequestHead> {
  let methodEnd = 0
  let targetEnd = 0
  let minor: 0 | 1 = 1
  let isHead = false

  function checkStartLine(bytes: Buffer, start: number, end: number): MessageProblem | undefined {
    isHead = false
    let p = start
    while (p < end && tokenBytes[bytes[p] ?? 0] === 1) p++
    if (p === start || bytes[p] !== sp) return malformed('The request line has no method.')
    methodEnd = p++ - start
    while (p < end && targetBytes[bytes[p] ?? 0] === 1) p++
    if (p === start + methodEnd + 1) return malformed('The request line has no target.')
    if (p === end) return malformed('The request line has no HTTP version.')
    if (bytes[p] !== sp) return malformed('The request target holds a byte that may not stand there.')
    targetEnd = p++ - start
    const problem = checkVersion(bytes, p, end)
    if (problem !== undefined) return problem
    minor = minorVersion(bytes[p + versionBytes - 1])
    isHead = methodEnd === 4 && bytes[start] === letterH && bytes.toString('latin1', start, start + 4) === 'HEAD'
    return end - p === versionBytes ? undefined : malformed('The request line goes on after the HTTP version.')
  }

  function headOf(text: string, fields: FieldSection, repeated: number): RequestHead | MessageProblem {
    const method = text.substring(0, methodEnd)
    const target = text.substring(methodEnd + 1, targetEnd)
    if (!isTargetFor(method, target)) return malformed('The request target does not go with the method.')
    const host = hostProblem(fields, repeated, minor)
    if (host !== undefined) return host
    const framing = requestBody(method, fields, repeated, minor)
    if ('message' in framing) return framing
    const options = connectionOptions(fields)
    if (typeof options !== 'number') return options
    const expects = expectsContinue(fields, repeated, minor, framing)
    if (typeof expects !== 'boolean') return expects
    return {
      method,
      target,
      minor,
      fields,
      framing,
      isPersistent: isPersistentBy(minor, options),
      upgrade: upgradeBy(fields, minor, options),
      expectsContinue: expects,
    }
  }

  return { allowsBlankLine: true, checkStartLine, asksForHeadOnly: () => isHead, headOf, isInterim: () => false }
}

/** RFC 9112, 3.2: exactly one Host, or none in HTTP/1.0. */
function hostProblem(fields: FieldSection, repeated: number, minor: 0 | 1): MessageProblem | undefined {
  if ((repeated & Field.host) !== 0) return malformed('There is more than one Host.')
  const host = fields.first('host')
  if (host === undefined) return minor === 1 ? malformed('There is no Host.') : undefined
  return isAuthority(host) ? undefined : malformed('Host is not a name or an address with an optional port.')
}

function requestBody(method: string, fields: FieldSection, repeated: number, minor: 0 | 1): Framing | MessageProblem {
  if ((fields.present & Field.framingLookalike) !== 0) return malformed('A field is nearly one that frames the body.')
  const announced = announcedBody(fields, repeated, minor)
  if (announced === undefined) return noBody
  // Readers differ on whether such bytes belong to the request or to the tunnel; TRACE must not have any (RFC 9110, 9.3.8).
  return method === 'CONNECT' || method === 'TRACE' ? malformed(`${method} has a body.`) : announced
}

/** An expectation asks for nothing in HTTP/1.0 and where no body follows (RFC 9110, 10.1.1). */
function expectsContinue(
  fields: FieldSection,
  repeated: number,
  minor: 0 | 1,
  framing: Framing,
): boolean | MessageProblem {
  if ((fields.present & Field.expect) === 0 || minor === 0) return false
  const value = fields.first('expect')?.toLowerCase()
  if ((repeated & Field.expect) !== 0 || value !== '100-continue') return malformed('Expect is not 100-continue.')
  return framing.kind === 'chunked' || (framing.kind === 'length' && framing.bytes > 0)
}
