// Makes an idle process small: what loading has left behind goes at once. Knows nothing of what was loaded.
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'

/**
 * Gives back what loading has left behind, in some tens of milliseconds: to be called when all is loaded and nobody waits
 * for an answer yet. V8 would do it by itself only after minutes.
 */
export function trimHeap(): void {
  setFlagsFromString('--expose-gc')
  const collect = runInNewContext('globalThis.gc') as Collect | undefined // what the flag defines
  setFlagsFromString('--no-expose-gc')
  collect?.({ type: 'major', flavor: 'last-resort' })
}

type Collect = (options: { readonly type: 'major'; readonly flavor: 'last-resort' }) => void
