// What stands in the store and is no dtab, as sentences for /ready. It holds nothing back: what was there before is served.
import type { RefusedText, Store } from '../storage/store.ts'

export interface RefusedReasons {
  reasons(): readonly string[]
  close(): void
}

const maxReasons = 5

/** Follows the store's refusals; the caller closes it. */
export function createRefusedReasons(store: Pick<Store, 'refusals'>): RefusedReasons {
  const cell = store.refusals()
  const unwatch = cell.watch(() => {})
  return {
    reasons: () => {
      const state = cell.peek()
      if (state.kind !== 'ok') return []
      const shown = state.value.slice(0, maxReasons).map(sentence)
      const more = state.value.length - shown.length
      return more > 0 ? [...shown, `and ${more} more texts in the store that are no dtabs`] : shown
    },
    close: unwatch,
  }
}

function sentence({ namespace, reason, position }: RefusedText): string {
  const place = position === undefined ? '' : ` (line ${position.line}, column ${position.column})`
  return `the text of '${namespace}' in the store is no dtab and is not served${place}: ${reason}`
}
