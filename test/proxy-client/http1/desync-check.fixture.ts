// Whether a proxy kept a hostile client and its upstream in step: what the client sent, what it was answered and what the
// upstream was asked must tell one story.
import type { Fields } from '../../../proxy-client/http1/fields.ts'
import type { OracleRequest } from './message-oracle.fixture.ts'
import { readRequests, readResponse } from './reading.fixture.ts'

/** A request as the proxy should have read it. */
interface Accepted {
  readonly method: string
  readonly target: string
  readonly fields: Fields
  readonly body: string
}

interface Reading {
  readonly requests: readonly Accepted[]
  /** Whether what comes after them is to be refused. */
  readonly isRefused: boolean
  /** Of all that is answered: the whole requests, and the one that is refused as far as its method could be read. */
  readonly methods: readonly string[]
}

/** The whole requests of a stream, and what comes after them. */
export function acceptedOf(stream: string): Reading {
  const { told, heads } = readRequests([stream])
  const bodies: string[] = []
  let ends = 0
  for (const each of told) {
    if (each.what === 'head') bodies.push('')
    else if (each.what === 'data') bodies[bodies.length - 1] = each.text
    else if (each.what === 'end') ends++
  }
  const last = told.at(-1)
  return {
    requests: heads
      .slice(0, ends)
      .map(({ method, target, fields }, i) => ({ method, target, fields, body: bodies[i] ?? '' })),
    isRefused: last?.what === 'problem' && last.kind !== 'cut',
    methods: [...heads.map(({ method }) => method), ...(last?.what === 'problem' && last.isOfHead ? ['HEAD'] : [])],
  }
}

export interface Answer {
  readonly status: number
  readonly fields: Fields
  readonly body: string
}

/** As `answersOf`, by the methods of what a client has sent. */
export function answersTo(stream: string, text: string): readonly Answer[] {
  return answersOf(text, acceptedOf(stream).methods)
}

/** Whether the proxy itself has answered. */
const isOwn = ({ fields }: Answer): boolean => fields.first('l5d-err') !== undefined

/** The final answers on a client's connection; throws when the bytes are not whole responses to these methods and a refusal. */
export function answersOf(text: string, methods: readonly string[]): readonly Answer[] {
  const answers: Answer[] = []
  let rest = text
  while (rest !== '') {
    const { told, heads, rest: after } = readResponse(methods[answers.length] ?? 'GET', [rest])
    const head = heads.at(-1)
    const problem = told.find(({ what }) => what === 'problem')
    if (head === undefined || problem !== undefined)
      throw new Error(`not responses: ${JSON.stringify({ text, methods, problem })}`)
    const body = told.find(({ what }) => what === 'data')
    answers.push({ status: head.status, fields: head.fields, body: body?.what === 'data' ? body.text : '' })
    rest = after
  }
  return answers
}

/** Fields that a hop writes itself, or that end at it. */
const notRelayed =
  /^(?:host|via|connection|keep-alive|proxy-connection|proxy-authenticate|proxy-authorization|te|trailer|transfer-encoding|content-length|upgrade|expect|http2-settings|x-a|l5d-.*)$/

function relayedFields(fields: readonly (readonly [string, string])[]): string {
  return fields
    .filter(([name]) => !notRelayed.test(name.toLowerCase()))
    .map(([name, value]) => `${name.toLowerCase()}: ${value}\n`)
    .join('')
}

function fieldsOfHead(fields: Fields): (readonly [string, string])[] {
  return Array.from({ length: fields.size }, (_, i) => [fields.nameAt(i), fields.valueAt(i)] as const)
}

/** What an upstream saw of a request. */
export type SeenRequest = Pick<OracleRequest, 'method' | 'target' | 'fields' | 'body'>

function differences(accepted: Accepted, seen: SeenRequest): string[] {
  const found: string[] = []
  const isOrigin = accepted.target.startsWith('/') || accepted.target === '*'
  if (seen.method !== accepted.method) found.push(`method ${seen.method} for ${accepted.method}`)
  if (isOrigin ? seen.target !== accepted.target : !accepted.target.endsWith(seen.target.slice(1)))
    found.push(`target ${seen.target} for ${accepted.target}`)
  if (seen.body !== accepted.body) found.push(`body ${JSON.stringify(seen.body)} for ${JSON.stringify(accepted.body)}`)
  return found
}

function fieldDifferences(accepted: Accepted, seen: SeenRequest): string[] {
  const sent = relayedFields(fieldsOfHead(accepted.fields))
  const came = relayedFields(seen.fields)
  return came === sent ? [] : [`fields ${JSON.stringify(came)} for ${JSON.stringify(sent)}`]
}

export interface Story {
  /** What the client sent. */
  readonly stream: string
  /** All that it was told. */
  readonly answer: string
  /** What the upstream was asked. */
  readonly seen: readonly SeenRequest[]
  /** Whether an answer is the upstream's; by default what is not the proxy's own. Then something between may have changed fields. */
  readonly isUpstreams?: (answer: Answer) => boolean
}

/**
 * What is out of step, in words; empty when nothing is. A request whose stream was cut has no answer, and the upstream may
 * have seen its beginning; after an answer that closes the connection there is none either.
 */
export function outOfStep({ stream, answer, seen, isUpstreams }: Story): string[] {
  const { requests, isRefused, methods } = acceptedOf(stream)
  const answers = answersOf(answer, methods)
  const relayed = requests.filter((_, i) => answers[i] !== undefined && (isUpstreams ?? isNotOwn)(answers[i]))
  const found: string[] = []
  if (seen.length !== relayed.length) found.push(`the upstream saw ${seen.length} requests for ${relayed.length}`)
  relayed.forEach((accepted, i) => {
    const other = seen[i]
    if (other === undefined) return
    found.push(...differences(accepted, other))
    if (isUpstreams === undefined) found.push(...fieldDifferences(accepted, other))
  })
  const refused = answers.findIndex(each => isOwn(each) && refusals.has(each.status))
  if (refused >= 0 && refused !== answers.length - 1) found.push('there are answers after a refusal')
  if (answers.length > requests.length + 1) found.push('there are more answers than requests')
  const isClosed = answers.at(-1)?.fields.first('connection') === 'close'
  if (isRefused && refused < 0 && !isClosed && answers.length >= requests.length)
    found.push('what is malformed was not refused')
  return found
}

/** After each of them the connection closes. */
export const refusals: ReadonlySet<number> = new Set([400, 414, 431, 501, 505])

const isNotOwn = (answer: Answer): boolean => !isOwn(answer)
