// Lets a bounded number of tasks run at once, in the order in which they came.

/** Runs a task as soon as fewer than `limit` others are under way. */
export type Gate = <T>(task: () => Promise<T>) => Promise<T>

/** Holds nothing but the tasks that wait. */
export function createGate(limit: number): Gate {
  const waiting: (() => void)[] = []
  let running = 0
  return async task => {
    if (running >= limit) await new Promise<void>(resolve => waiting.push(resolve))
    else running++
    try {
      return await task()
    } finally {
      // The place goes straight to the next in line, so that nobody slips in between.
      const next = waiting.shift()
      if (next === undefined) running--
      else next()
    }
  }
}
