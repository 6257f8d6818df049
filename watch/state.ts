// The three states of everything that changes.

/** Since when (ms since 1970) and why a value's source has been failing; the value is the last good one. */
export type Stale = { readonly since: number; readonly reason: Error }

/** Not known yet; waitingFor names what the answer hangs on. */
export type Pending = { readonly kind: 'pending'; readonly waitingFor?: string }
export type Ok<T> = { readonly kind: 'ok'; readonly value: T; readonly stale?: Stale }
export type Failed = { readonly kind: 'failed'; readonly error: Error }

export type State<T> = Pending | Ok<T> | Failed

export const pending: Pending = { kind: 'pending' }

/** What a mirror shows until it is told its first state; known by identity. */
export const awaited: Pending = { kind: 'pending', waitingFor: 'the first word of what is mirrored' }

export function pendingOn(waitingFor: string): Pending {
  return { kind: 'pending', waitingFor }
}

export function ok<T>(value: T, stale?: Stale): Ok<T> {
  return stale === undefined ? { kind: 'ok', value } : { kind: 'ok', value, stale }
}

export function failed(error: Error): Failed {
  return { kind: 'failed', error }
}

function sameStale(a: Stale | undefined, b: Stale | undefined): boolean {
  return a === b || (a !== undefined && b !== undefined && a.since === b.since && a.reason.message === b.reason.message)
}

/** Whether a watcher that has seen `a` learns nothing from `b`. */
export function sameState<T>(a: State<T>, b: State<T>, equals: (a: T, b: T) => boolean): boolean {
  if (a === b) return true
  if (a.kind === 'ok') return b.kind === 'ok' && sameStale(a.stale, b.stale) && equals(a.value, b.value)
  if (a.kind === 'failed') return b.kind === 'failed' && a.error.message === b.error.message
  return b.kind === 'pending' && a.waitingFor === b.waitingFor
}
