// Tells what a slow relist found that a watch should have told, apart from what is merely still on its way.
import type { HeldObjects, Listed, Listing } from './held-objects.ts'
import { isOlder } from './resource-version.ts'

/** Keys whose listed state (undefined: not listed) is not the one that is held. */
export type Differences<T> = Map<string, Listed<T> | undefined>

/** What differs although no event has touched it since the list was asked for; what is held newer does not count. */
export function differencesOf<T>(
  listing: Listing<T>,
  held: HeldObjects<T>,
  touched: ReadonlySet<string>,
): Differences<T> {
  const differences: Differences<T> = new Map()
  for (const [key, listed] of listing.objects) {
    const version = held.versionOf(key)
    if (touched.has(key) || version === listed.version) continue
    if (version === undefined || !isOlder(listed.version, version)) differences.set(key, listed)
  }
  for (const key of held.objects.keys()) {
    if (touched.has(key) || listing.objects.has(key)) continue
    if (!isOlder(listing.version, held.versionOf(key) ?? '')) differences.set(key, undefined)
  }
  return differences
}
