// Moments as text.

/** Milliseconds since 1970 as `2026-11-21T19:55:00.000Z`. */
export function isoTime(ms: number): string {
  // biome-ignore lint/style/noRestrictedGlobals: it converts a moment and reads no clock
  return new Date(ms).toISOString()
}
