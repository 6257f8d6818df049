// Pages of several places made into one page of all. Pure.
import { compareProxies, cursorOf, firstPage, type ProxiesPart, parseCursor } from '../../api/proxies.ts'

/** The first `limit` of what the parts hold, each being what its place has after the same cursor. */
export function mergeParts(parts: readonly ProxiesPart[], limit: number): ProxiesPart {
  const end = firstEnd(parts)
  const known = parts
    .flatMap(({ proxies }) => proxies)
    .filter(proxy => end === undefined || compareProxies(proxy, end) <= 0)
    .sort(compareProxies)
  const proxies = firstPage(known, limit)
  const last = known.length > proxies.length ? proxies.at(-1) : end
  return {
    proxies,
    total: parts.reduce((sum, { total }) => sum + total, 0),
    behind: parts.reduce((sum, { behind }) => sum + behind, 0),
    ...(last !== undefined && { next: cursorOf(last) }),
  }
}

/** A place that has more than it said may have one before what another said: all is known up to the first such end only. */
function firstEnd(parts: readonly ProxiesPart[]): ReturnType<typeof parseCursor> {
  const ends = parts.flatMap(({ next }) => (next === undefined ? [] : (parseCursor(next) ?? [])))
  return ends.sort(compareProxies)[0]
}
