// Via (RFC 9110, 7.6.3): which proxies a message came through, so that a loop shows.
import { Field, type Fields } from '../http1/fields.ts'

/** How this proxy names itself. */
const pseudonym = 'nameplane'

const firstHop = [`Via: 1.0 ${pseudonym}\r\n`, `Via: 1.1 ${pseudonym}\r\n`] as const

/** The whole line, with this hop after those before it. `minor` is the version in which the message came. */
export function viaLine(fields: Fields, minor: 0 | 1): string {
  if ((fields.present & Field.via) === 0) return firstHop[minor]
  return `Via: ${fields.all('via').join(', ')}, 1.${minor} ${pseudonym}\r\n`
}

const comma = 44

/** How many proxies a message came through; a comma within a comment counts as one more. */
export function callDepth(fields: Fields): number {
  if ((fields.present & Field.via) === 0) return 0
  let depth = 0
  for (const value of fields.all('via')) {
    depth++
    for (let i = 0; i < value.length; i++) if (value.charCodeAt(i) === comma) depth++
  }
  return depth
}
