// io.l5d.path: the first segments of the request's path are the last labels of the name.
import { z } from 'zod'
import type { Path } from '../../naming/path.ts'
import { type Identification, type Identifier, unidentified } from './identifier.ts'
import { Names } from './names.ts'

export const uriPathConfig = z.strictObject({
  kind: z.literal('io.l5d.path'),
  /** How many of them. */
  segments: z.int().min(1).max(100).default(1),
  /** Whether they are cut from what is forwarded. */
  consume: z.boolean().default(false),
})

/** Labels are segments as they stand, not decoded; an empty one names nothing. */
export function createUriPath(segments: number, consume: boolean, prefix: Path): Identifier {
  const names = new Names(prefix, text => {
    const labels = text.slice(1).split('/')
    return labels.includes('') ? `one of the first ${segments} segments of the request's path is empty` : labels
  })
  const tooShort = unidentified(`the request's path has fewer than ${segments} segments`)
  return ({ target }) => {
    const end = endOfSegments(target, segments)
    if (end === undefined) return tooShort
    const name = names.at(target.slice(0, end))
    return consume ? withTarget(name, rest(target, end)) : name
  }
}

/** Where the segment after the wanted ones begins, or the path ends; undefined when there are not enough. */
function endOfSegments(target: string, segments: number): number | undefined {
  if (!target.startsWith('/')) return undefined
  const query = target.indexOf('?')
  const pathEnd = query === -1 ? target.length : query
  let end = 0
  for (let i = 0; i < segments; i++) {
    if (end >= pathEnd - 1) return undefined
    const next = target.indexOf('/', end + 1)
    end = next === -1 || next > pathEnd ? pathEnd : next
  }
  return end
}

/** What is left still begins with a slash, and keeps its query. */
function rest(target: string, from: number): string {
  const left = target.slice(from)
  return left.startsWith('/') ? left : `/${left}`
}

function withTarget(name: Identification, target: string): Identification {
  if (name.kind === 'unidentified') return name
  return { kind: 'identified', path: name.path, text: name.text, target }
}
