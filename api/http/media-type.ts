// Content-Type and Accept: which representation a body is in and which one a client wants (RFC 9110, 12.5.1).
import type { IncomingHttpHeaders } from 'node:http'

/** The media types of this API. */
export const jsonType = 'application/json'
export const dtabType = 'application/dtab'
export const textType = 'text/plain'
export const ndjsonType = 'application/x-ndjson'
export const eventStreamType = 'text/event-stream'

/** The type itself, lower-cased, without parameters; empty when the header is absent. */
export function mediaTypeOf(header: string | undefined): string {
  return (header ?? '').split(';', 1)[0]?.trim().toLowerCase() ?? ''
}

/** UTF-8 holds the same bytes as ASCII. */
const utf8Names = ['utf-8', 'utf8', 'us-ascii', 'ascii']

/** What the headers say of a body that would be misread as plain UTF-8: a compression, or another charset. */
export function misreadAs({
  'content-encoding': encoding,
  'content-type': contentType,
}: Pick<IncomingHttpHeaders, 'content-encoding' | 'content-type'>): string | undefined {
  if (encoding !== undefined && encoding.trim().toLowerCase() !== 'identity') return `Content-Encoding '${encoding}'`
  const charset = /;\s*charset\s*=\s*"?([^";\s]*)/i.exec(contentType ?? '')?.[1]
  return charset === undefined || utf8Names.includes(charset.toLowerCase()) ? undefined : `The charset '${charset}'`
}

interface Range {
  readonly type: string
  readonly quality: number
}

function rangesOf(accept: string): Range[] {
  const ranges: Range[] = []
  for (const part of accept.split(',')) {
    const [type = '', ...parameters] = part.split(';').map(piece => piece.trim().toLowerCase())
    if (type === '') continue
    const weight = parameters.find(parameter => parameter.startsWith('q='))
    const quality = weight === undefined ? 1 : Number(weight.slice(2))
    ranges.push({ type, quality: Number.isFinite(quality) ? Math.min(1, Math.max(0, quality)) : 0 })
  }
  return ranges
}

/** Quality of one offer: that of the most exact range which covers it, 0 when none does. */
function qualityOf(offer: string, ranges: readonly Range[]): number {
  const family = `${offer.split('/', 1)[0]}/*`
  for (const type of [offer, family, '*/*']) {
    const range = ranges.find(candidate => candidate.type === type)
    if (range !== undefined) return range.quality
  }
  return 0
}

/** The offer that Accept likes best, the earlier one on a tie; the first when Accept is absent; undefined when none will do. */
export function preferredType<T extends string>(accept: string | undefined, offers: readonly T[]): T | undefined {
  if (accept === undefined || accept.trim() === '') return offers[0]
  const ranges = rangesOf(accept)
  let best: T | undefined
  let bestQuality = 0
  for (const offer of offers) {
    const quality = qualityOf(offer, ranges)
    if (quality > bestQuality) {
      best = offer
      bestQuality = quality
    }
  }
  return best
}
