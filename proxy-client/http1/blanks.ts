// White space around values and elements of lists (OWS of RFC 9110, 5.6.3). Knows nothing of what stands between.

const sp = 0x20
const tab = 0x09

/**
 * The text from `from` to `to` without spaces and tabs around it. Not `trim`, which takes a byte 0xa0 for a blank too; and not
 * a regular expression, which takes the square of the length when many blanks stand inside.
 */
export function withoutBlanks(text: string, from = 0, to: number = text.length): string {
  let start = from
  let end = to
  while (start < end && isBlank(text.charCodeAt(start))) start++
  while (end > start && isBlank(text.charCodeAt(end - 1))) end--
  return text.substring(start, end)
}

function isBlank(code: number): boolean {
  return code === sp || code === tab
}
