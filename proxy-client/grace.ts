// How long a proxy that is asked to stop lets requests end.

/** In milliseconds. */
export const graceMs = 10_000
