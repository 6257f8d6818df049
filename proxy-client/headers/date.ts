// The Date of what the proxy says itself, and of what came without one (RFC 9110, 6.6.1).

let second = Number.NaN
let line = ''

/** The whole line; made anew once a second at most. `now` by `Clock.now`. */
export function dateLine(now: number): string {
  const nowSecond = Math.floor(now / 1_000)
  if (nowSecond !== second) {
    second = nowSecond
    // biome-ignore lint/style/noRestrictedGlobals: it formats, and does not read the clock
    line = `Date: ${new Date(nowSecond * 1_000).toUTCString()}\r\n`
  }
  return line
}
