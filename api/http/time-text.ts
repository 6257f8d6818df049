// Instants as text. Reads no clock.

/** Milliseconds since 1970 as RFC 3339 in UTC: `2026-01-31T12:00:00.000Z`. */
export function timeText(ms: number): string {
  // biome-ignore lint/style/noRestrictedGlobals: formats an instant that the injected clock gave
  return new Date(ms).toISOString()
}
