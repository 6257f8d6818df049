// Composes the text of the messages that go out from those that came in: hop-by-hop fields and what is replaced go, Via and
// our own come. Runs on every request, so it only joins strings. Knows no connection.
import { Field, type Fields } from '../http1/fields.ts'
import type { RequestHead, ResponseHead } from '../http1/message.ts'
import { withoutContext } from './clear-context.ts'
import { hopByHop, namedByConnection } from './hop-by-hop.ts'
import { type HostRewrite, locationBack, refreshBack } from './host-rewrite.ts'
import { viaLine } from './via.ts'

/** Whatever a client sent under these names is replaced by what this hop found. */
const droppedFromRequests: number =
  hopByHop | Field.host | Field.via | Field.contextDtab | Field.dtab | Field.requestId | Field.destination

export interface OutgoingRequest {
  readonly head: Pick<RequestHead, 'fields' | 'minor'>
  readonly method: string
  /** Origin form; `*` for OPTIONS; the authority for CONNECT. */
  readonly target: string
  /** Of the Host that goes upstream; a request without one has an empty Host (RFC 9112, 3.2). */
  readonly host: string | undefined
  /** By `destinationLines`. */
  readonly destination: string
  readonly requestId: string
  /** The value of l5d-ctx-deadline; undefined passes on whatever came. */
  readonly deadline: string | undefined
  /** Further whole lines, each ended by CRLF: Forwarded, the time stamp. */
  readonly added: string
}

/** The request line and all end-to-end lines, Host first, each ended by CRLF, without the empty line. */
export function requestHeadText(request: OutgoingRequest): string {
  const { head, method, target, host = '', destination, requestId, deadline, added } = request
  const { fields, minor } = head
  const via = viaLine(fields, minor)
  const named = namedByConnection(fields)
  if (deadline === undefined) {
    const kept = fields.lines(droppedFromRequests, named)
    return `${method} ${target} HTTP/1.1\r\nHost: ${host}\r\n${kept}${via}${destination}l5d-reqid: ${requestId}\r\n${added}`
  }
  const kept = fields.lines(droppedFromRequests | Field.deadline, named)
  return `${method} ${target} HTTP/1.1\r\nHost: ${host}\r\n${kept}${via}${destination}l5d-reqid: ${requestId}\r\nl5d-ctx-deadline: ${deadline}\r\n${added}`
}

const droppedFromResponses: number = hopByHop | Field.via | Field.successClass

/** What this hop made of a response. */
const successClass = { success: 'l5d-success-class: 1.0\r\n', failure: 'l5d-success-class: 0.0\r\n' } as const

/**
 * The lines of a response for the client, without those that frame it or concern the connection. `rewrite` where the request
 * went under another host.
 */
export function responseLines(head: ResponseHead, isSuccess: boolean, rewrite?: HostRewrite): string {
  return `${plainLines(head.fields, head.minor, rewrite)}${isSuccess ? successClass.success : successClass.failure}`
}

/** The same for a client beyond an edge, who is told nothing of `l5d-*`. */
export function clearedResponseLines({ fields, minor }: ResponseHead, rewrite?: HostRewrite): string {
  return plainLines(withoutContext(fields), minor, rewrite)
}

function plainLines(fields: Fields, minor: 0 | 1, rewrite: HostRewrite | undefined): string {
  const named = namedByConnection(fields)
  const kept = rewrite === undefined ? fields.lines(droppedFromResponses, named) : linesBack(fields, named, rewrite)
  return `${kept}${viaLine(fields, minor)}`
}

function linesBack(fields: Fields, named: ReadonlySet<string> | undefined, rewrite: HostRewrite): string {
  const kept = fields.lines(droppedFromResponses, new Set([...(named ?? []), 'location', 'refresh']))
  const locations = fields.all('location').map(value => `Location: ${locationBack(value, rewrite)}\r\n`)
  const refreshes = fields.all('refresh').map(value => `Refresh: ${refreshBack(value, rewrite)}\r\n`)
  return `${kept}${locations.join('')}${refreshes.join('')}`
}

/** The lines of the response that begins a tunnel: which protocol a 101 changes to, and nothing of `l5d-*`, for it is no answer yet. */
export function tunnelLines(head: ResponseHead, rewrite?: HostRewrite): string {
  const lines = clearedResponseLines(head, rewrite)
  return head.status === 101 && head.upgrade !== undefined ? `${lines}Upgrade: ${head.upgrade}\r\n` : lines
}

/** The lines of an interim response (1xx), which says nothing of `l5d-*` either. */
export function interimLines({ fields }: ResponseHead): string {
  return withoutContext(fields).lines(hopByHop, namedByConnection(fields))
}

/** What a trailer must not say, for it would change how the message or the next one is read (RFC 9110, 6.5.1). */
const droppedFromTrailers: number = hopByHop | Field.host | Field.via

/** The lines after a body. */
export function trailerLines(fields: Fields): string {
  return fields.lines(droppedFromTrailers)
}
