// Fits the young part of the heap to a proxy: small while it idles, collected by the thread that works. What is loaded at the
// start makes that part grow to its full size, of which an idle proxy needs nothing and which it does not give back for
// minutes: 10 MB of 100. Knows nothing of what is loaded.
import { setFlagsFromString } from 'node:v8'
import type { Clock } from '../watch/clock.ts'

/** V8's own. */
const usualGrowth = 2
/** The first connections, to servers above all, load the last of what is loaded. */
const settleMs = 2_000

/**
 * To be called before the rest is loaded. Helper threads are woken for a fraction of a millisecond's work, many times a second
 * under load, as little outlives a request: they cost a tenth of a request's time and gain none.
 */
export function holdYoungHeap(): void {
  setFlagsFromString('--semi-space-growth-factor=1')
  setFlagsFromString('--no-parallel-scavenge')
}

/** It grows again when there is work. */
export function releaseYoungHeapSoon(clock: Clock): void {
  clock.after(settleMs, () => setFlagsFromString(`--semi-space-growth-factor=${usualGrowth}`))
}
