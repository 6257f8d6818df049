// Time and chance as the product sees them. The only place that touches the runtime's timers; tests inject a fake.

/** Undoes a timer; harmless after it ran and when called twice. */
export type Cancel = () => void

export interface Clock {
  /** Milliseconds since 1970, for what people read. */
  now(): number
  /** Milliseconds that never go back, for durations. */
  monotonic(): number
  /** Runs once after `ms` milliseconds. */
  after(ms: number, run: () => void): Cancel
  /** Runs once at the next turn of the event loop, after pending input and output had their chance. */
  defer(run: () => void): Cancel
}

/** A number from 0 up to, not including, 1. */
export type Random = () => number

export const systemClock: Clock = {
  now: () => Date.now(),
  monotonic: () => performance.now(),
  after: (ms, run) => {
    const timer = setTimeout(run, ms)
    return () => clearTimeout(timer)
  },
  defer: run => {
    const immediate = setImmediate(run)
    return () => clearImmediate(immediate)
  },
}

export const systemRandom: Random = () => Math.random()
