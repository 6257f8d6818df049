// The version in a start line.
import type { MessageProblem } from './message.ts'
import { malformed, otherVersion } from './problem.ts'

/** Bytes of `HTTP/1.1`. */
export const versionBytes = 8

const prefix = Buffer.from('HTTP/', 'latin1')
const one = 0x31
const zero = 0x30
const dot = 0x2e

function isDigit(byte: number | undefined): boolean {
  return byte !== undefined && byte >= zero && byte <= 0x39
}

/** Checks the eight bytes from `start`; what is before `end` only. The minor version is the last of them. */
export function checkVersion(bytes: Buffer, start: number, end: number): MessageProblem | undefined {
  if (end - start < versionBytes) return malformed('The start line has no HTTP version.')
  for (let i = 0; i < prefix.length; i++) {
    if (bytes[start + i] !== prefix[i]) return malformed('The start line has no HTTP version.')
  }
  const major = bytes[start + 5]
  const minor = bytes[start + 7]
  if (!isDigit(major) || bytes[start + 6] !== dot || !isDigit(minor))
    return malformed('The HTTP version is no version.')
  if (major !== one || (minor !== zero && minor !== one))
    return otherVersion('The HTTP version is neither 1.1 nor 1.0.')
  return undefined
}

/** The minor version by its digit's byte. */
export function minorVersion(byte: number | undefined): 0 | 1 {
  return byte === one ? 1 : 0
}
