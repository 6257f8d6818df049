// The listing stays sorted, and arrays that were handed out stay as they were.
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { Listing } from '../../storage/listing.ts'
import type { NamespaceSummary } from '../../storage/store.ts'

const summary = (namespace: string, version: number): NamespaceSummary => {
  const facts = { deleted: false, author: 'ann', verified: false, message: '', time: version, bytes: 0 }
  return { namespace, version, ...facts }
}

const name = fc.stringMatching(/^[A-C0-1._-]{1,3}$/)
const step = fc.oneof(
  fc.record({ put: fc.array(name, { maxLength: 6 }) }),
  fc.record({ remove: fc.array(name, { maxLength: 3 }) }),
)

describe('the listing', () => {
  it('is what a sorted map would be after any puts and removals', () => {
    const property = fc.property(fc.array(step, { maxLength: 20 }), steps => {
      const listing = new Listing()
      const model = new Map<string, NamespaceSummary>()
      let version = 0
      for (const change of steps) {
        const before = listing.sorted
        const copy = [...before]
        if ('put' in change) {
          const put = change.put.map(namespace => summary(namespace, ++version))
          listing.put(put)
          for (const one of put) model.set(one.namespace, one)
        } else {
          listing.remove(new Set(change.remove))
          for (const namespace of change.remove) model.delete(namespace)
        }
        expect(before).toEqual(copy)
        expect(listing.sorted).toEqual([...model.keys()].sort().map(namespace => model.get(namespace)))
      }
    })
    fc.assert(property, { seed: 5, numRuns: 200 })
  })
})
