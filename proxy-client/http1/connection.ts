// What Connection says of the connection itself (RFC 9110, 7.6.1): whether it goes on, and whether it may change protocols.
import { withoutBlanks } from './blanks.ts'
import { Field, type Fields } from './fields.ts'
import { isToken } from './framing.ts'
import type { MessageProblem } from './message.ts'
import { malformed } from './problem.ts'

/** What a message says of its connection, as bits. */
export const ConnectionOption = { close: 1, keepAlive: 2, upgrade: 4 } as const

const optionBits: ReadonlyMap<string, number> = new Map([
  ['close', ConnectionOption.close],
  ['keep-alive', ConnectionOption.keepAlive],
  ['upgrade', ConnectionOption.upgrade],
  // Spellings that come often, so that they need no other string.
  ['Close', ConnectionOption.close],
  ['Keep-Alive', ConnectionOption.keepAlive],
  ['Upgrade', ConnectionOption.upgrade],
])

const notOptions = malformed('Connection is not a list of options.')

/** The bits of `ConnectionOption`, of all Connection fields together. */
export function connectionOptions(fields: Fields): number | MessageProblem {
  if ((fields.present & Field.connection) === 0) return 0
  const values = fields.all('connection')
  if (values.length === 1) {
    const bit = optionBits.get(values[0] ?? '')
    if (bit !== undefined) return bit
  }
  let bits = 0
  for (const option of listed(values)) {
    if (!isToken(option)) return notOptions
    bits |= optionBits.get(option.toLowerCase()) ?? 0
  }
  return bits
}

function isOther(protocol: string): boolean {
  const name = protocolForm.exec(protocol)?.[1]
  return name !== undefined && !carriesRequests.test(name)
}

/** Whether a change to `chosen` was asked for by `asked`, both by `upgradeBy` (RFC 9110, 7.8). */
export function isAmong(chosen: string | undefined, asked: string | undefined): boolean {
  if (chosen === undefined || asked === undefined) return false
  const known = new Set(asked.toLowerCase().split(', '))
  return chosen
    .toLowerCase()
    .split(', ')
    .every(protocol => known.has(protocol))
}

/** The elements of the lists; empty ones do not count (RFC 9110, 5.6.1.2). */
function listed(values: readonly string[]): string[] {
  return values
    .join(',')
    .split(',')
    .map(option => withoutBlanks(option))
    .filter(option => option !== '')
}

/** Whether the connection may carry another message, by version and options. */
export function isPersistentBy(minor: 0 | 1, options: number): boolean {
  if ((options & ConnectionOption.close) !== 0) return false
  return minor === 1 || (options & ConnectionOption.keepAlive) !== 0
}

/** A protocol with its version or without (RFC 9110, 7.8). */
const protocolForm = /^([!#$%&'*+.^_`|~0-9A-Za-z-]+)(?:\/[!#$%&'*+.^_`|~0-9A-Za-z-]+)?$/

/** HTTP itself in whatever form, and TLS, within which it would go on: they would carry requests past us. */
const carriesRequests = /^(?:h2|http$|tls$)/i

/**
 * The protocols that the message asks to change to. None for HTTP/1.0, none when one of them would carry requests past us and
 * none when they are no list of protocols.
 */
export function upgradeBy(fields: Fields, minor: 0 | 1, options: number): string | undefined {
  if (minor === 0 || (options & ConnectionOption.upgrade) === 0 || (fields.present & Field.upgrade) === 0)
    return undefined
  const protocols = listed(fields.all('upgrade'))
  return protocols.length > 0 && protocols.every(isOther) ? protocols.join(', ') : undefined
}
