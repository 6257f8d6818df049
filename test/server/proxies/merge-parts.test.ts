import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { compareProxies, cursorOf, type ProxiesPart, type ProxyState, parseCursor } from '../../../api/proxies.ts'
import { mergeParts } from '../../../server/proxies/merge-parts.ts'

function proxyOf(id: string, ref: string): ProxyState {
  return {
    id,
    ref,
    server: ref,
    protocol: 'nameplane.v1',
    confirms: true,
    address: 'x:1',
    since: 0,
    streams: 1,
    namespaces: [],
    namespaceCount: 0,
    refusals: 0,
  }
}

/** What a place with these proxies answers; it may say less than it was asked for. */
function pageOf(own: readonly ProxyState[], after: string | undefined, most: number): ProxiesPart {
  const begin = after === undefined ? undefined : parseCursor(after)
  const rest = own.filter(proxy => begin === undefined || compareProxies(proxy, begin) > 0).sort(compareProxies)
  const proxies = rest.slice(0, most)
  const last = proxies.at(-1)
  const hasMore = rest.length > proxies.length && last !== undefined
  return { proxies, total: own.length, behind: 0, ...(hasMore && { next: cursorOf(last) }) }
}

const ids = fc.constantFrom('a', 'b', 'b c', 'é', '\u{1f600}')
const places = fc.array(fc.record({ ids: fc.array(ids, { maxLength: 8 }), most: fc.integer({ min: 1, max: 4 }) }), {
  maxLength: 3,
})

describe('pages of several places as pages of one', () => {
  it('hold each proxy once and in order, however little each place says at a time', () => {
    const property = fc.property(places, fc.integer({ min: 1, max: 5 }), (all, limit) => {
      const owns = all.map((place, at) => place.ids.map((id, n) => proxyOf(id, `s${at}/${n}`)))
      const seen: ProxyState[] = []
      for (let after: string | undefined; ; ) {
        const page = mergeParts(
          owns.map((own, at) => pageOf(own, after, Math.min(limit, all[at]?.most ?? 1))),
          limit,
        )
        expect(page.proxies.length).toBeLessThanOrEqual(limit)
        expect(page.total).toBe(owns.flat().length)
        seen.push(...page.proxies)
        if (page.next === undefined) break
        expect(page.next).not.toBe(after)
        after = page.next
      }
      expect(seen).toEqual(owns.flat().sort(compareProxies))
    })
    fc.assert(property, { seed: 11, numRuns: 100 })
  })
})
