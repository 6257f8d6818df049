// Conditional requests: entity tags, and what If-Match and If-None-Match mean for a read and a write (RFC 9110, 13.1).
import { NamingError } from '../../naming/errors.ts'
import { failure, type Result, success } from '../../naming/result.ts'
import type { Expectation } from '../../storage/store.ts'

interface EntityTag {
  readonly isWeak: boolean
  readonly opaque: string
}

/** What a header lists: anything that exists, or these tags. */
type TagList = { readonly any: true } | { readonly any: false; readonly tags: readonly EntityTag[] }

export interface Preconditions {
  readonly ifMatch?: string | undefined
  readonly ifNoneMatch?: string | undefined
}

/** The tag of a version's JSON, or with `-dtab` of its text: the two differ in bytes and so in tag. */
export function entityTag(version: number, isText: boolean): string {
  return isText ? `"${version}-dtab"` : `"${version}"`
}

const tagPattern = /[ \t]*(?:(W\/)?"([\x21\x23-\x7e\x80-\xff]*)")?[ \t]*(,|$)/y

function parseTagList(name: string, header: string): Result<TagList> {
  if (header.trim() === '*') return success({ any: true })
  const tags: EntityTag[] = []
  tagPattern.lastIndex = 0
  for (let isOpen = true; isOpen; ) {
    const found = tagPattern.exec(header)
    if (found === null) return failure(notTags(name))
    const [, weak, opaque, separator] = found
    if (opaque !== undefined) tags.push({ isWeak: weak !== undefined, opaque })
    isOpen = separator === ','
  }
  return tags.length > 0 ? success({ any: false, tags }) : failure(notTags(name))
}

function notTags(name: string): NamingError {
  const example = '"7"'
  return new NamingError('bad-request', `${name} must be '*' or entity tags such as ${example}, separated by commas.`, {
    detail: { at: name },
  })
}

const versionTag = /^([1-9][0-9]{0,15})(?:-dtab)?$/

function versionsOf(tags: readonly EntityTag[]): number[] {
  const versions: number[] = []
  for (const { isWeak, opaque } of tags) {
    const version = versionTag.exec(opaque)?.[1]
    if (!isWeak && version !== undefined) versions.push(Number(version))
  }
  return versions
}

/** What a write expects of the head. Weak and foreign tags never match; If-None-Match may only be `*` here. */
export function expectationOf({ ifMatch, ifNoneMatch }: Preconditions): Result<Expectation> {
  if (ifMatch !== undefined && ifNoneMatch !== undefined) {
    return failure(
      new NamingError('bad-request', 'A write takes If-Match or If-None-Match, not both.', {
        detail: { at: 'If-None-Match' },
      }),
    )
  }
  if (ifMatch !== undefined) {
    const list = parseTagList('If-Match', ifMatch)
    if (!list.ok) return list
    return success(list.value.any ? { kind: 'present' } : { kind: 'version', versions: versionsOf(list.value.tags) })
  }
  if (ifNoneMatch === undefined) return success({ kind: 'anything' })
  if (ifNoneMatch.trim() === '*') return success({ kind: 'absent' })
  return failure(
    new NamingError('bad-request', "If-None-Match on a write may only be '*'.", { detail: { at: 'If-None-Match' } }),
  )
}

/** What becomes of a read of a representation with this tag. */
export function readOutcome(
  { ifMatch, ifNoneMatch }: Preconditions,
  tag: string,
): Result<'send' | 'not-modified' | 'precondition-failed'> {
  const isListed = (list: TagList, isWeakGood: boolean): boolean =>
    list.any || list.tags.some(({ isWeak, opaque }) => (isWeakGood || !isWeak) && `"${opaque}"` === tag)
  if (ifMatch !== undefined) {
    const list = parseTagList('If-Match', ifMatch)
    if (!list.ok) return list
    if (!isListed(list.value, false)) return success('precondition-failed')
  }
  if (ifNoneMatch === undefined) return success('send')
  const list = parseTagList('If-None-Match', ifNoneMatch)
  if (!list.ok) return list
  return success(isListed(list.value, true) ? 'not-modified' : 'send')
}
