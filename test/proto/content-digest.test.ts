// The digest of a stream: the same from any order of changes as from what is there in the end.
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { leaf } from '../../naming/name-tree.ts'
import { ContentDigest, contentMark, noUpdate, resourceMark, updateMark } from '../../proto/content-digest.ts'
import { encodeTreeContent, hashOf } from '../../proto/updates.ts'
import { ok } from '../../watch/state.ts'

const seed = { seed: 20_260_102, numRuns: 300 }
const resource = fc.oneof(fc.nat(20), fc.constantFrom(['#', 'a'], ['#a'], ['#', 'a', 'b'], ['#', 'ab']))
const hash = fc.oneof(
  fc.constant(''),
  fc.string({ unit: fc.constantFrom('\0', 'a', '\xff'), minLength: 8, maxLength: 8 }),
)
const change = fc.record({ resource, hash, isStale: fc.boolean() })

describe('a digest', () => {
  test('after any changes is that of what is there, in any order', () => {
    fc.assert(
      fc.property(fc.array(change, { maxLength: 40 }), changes => {
        const changed = new ContentDigest()
        const there = new Map<number, number>()
        for (const { resource, hash, isStale } of changes) {
          const mark = resourceMark(resource)
          const after = updateMark(hash, isStale)
          changed.change(mark, there.get(mark) ?? noUpdate, after)
          there.set(mark, after)
        }
        const again = new ContentDigest()
        for (const [mark, update] of [...there].reverse()) again.change(mark, noUpdate, update)
        expect(changed.value).toBe(again.value)
        for (const [mark, update] of there) changed.change(mark, update, noUpdate)
        expect(changed.value).toBe(0)
      }),
      seed,
    )
  })

  test('is another one for every set of a thousand names, with any one of them missing, moved or stale', () => {
    const seen = new Set<number>()
    const digest = new ContentDigest()
    for (let key = 1; key <= 1000; key++) {
      const mark = updateMark(`hash${1000 + key}`, false)
      digest.change(key, noUpdate, mark)
      seen.add(digest.value)
      digest.change(key, mark, updateMark(`hash${1000 + key}`, true))
      seen.add(digest.value)
      digest.change(key, updateMark(`hash${1000 + key}`, true), noUpdate)
      digest.change(key + 5000, noUpdate, mark)
      seen.add(digest.value)
    }
    expect(seen.size).toBe(3000)
    for (const value of seen) expect(Number.isSafeInteger(value)).toBe(true)
  })

  test('takes the same mark from a content as from its hash, and never that of no update', () => {
    for (const label of ['a', 'b', '\xff']) {
      const content = encodeTreeContent(ok(leaf({ id: [label], residual: [] })))
      for (const isStale of [false, true])
        expect(contentMark(content, isStale)).toBe(updateMark(hashOf(content), isStale))
    }
    expect(updateMark('', true)).toBe(noUpdate)
    expect(updateMark('\0\0\0\0\0\0\0\0', false)).not.toBe(noUpdate)
    expect(resourceMark(['#', 'a'])).not.toBe(resourceMark(['#a']))
  })

  test('is the same number in every version of this software', () => {
    const digest = new ContentDigest()
    digest.change(resourceMark(7), noUpdate, updateMark('abcdefgh', false))
    digest.change(resourceMark(['#', 'fs', 'a\xff']), noUpdate, updateMark('\x01\x80\xff45678', true))
    expect(digest.value).toBe(1_114_555_150_477_045)
  })
})
