// IP addresses between text and the bytes of the network. Knows no host names.
import { isIPv4, isIPv6 } from 'node:net'

/** 4 or 16 bytes; undefined for what is no IP literal, and for one with a zone, which means nothing elsewhere. */
export function bytesFromIp(address: string): Uint8Array | undefined {
  if (isIPv4(address)) return bytesFromIpv4(address)
  if (!isIPv6(address) || address.includes('%')) return undefined
  const [head = '', tail] = address.split('::')
  const before = groupsOf(head)
  const after = tail === undefined ? [] : groupsOf(tail)
  const bytes = new Uint8Array(16)
  bytes.set(before)
  bytes.set(after, 16 - after.length)
  return bytes
}

const dot = 46
const zero = 48

/** By hand: a set of endpoints may have very many. */
function bytesFromIpv4(address: string): Uint8Array {
  const bytes = new Uint8Array(4)
  let place = 0
  let value = 0
  for (let i = 0; i < address.length; i++) {
    const code = address.charCodeAt(i)
    if (code === dot) {
      bytes[place++] = value
      value = 0
    } else value = value * 10 + code - zero
  }
  bytes[place] = value
  return bytes
}

/** The bytes of colon-separated groups, the last of which may be an IPv4 address. */
function groupsOf(text: string): readonly number[] {
  if (text === '') return []
  return text.split(':').flatMap(group => {
    if (group.includes('.')) return group.split('.').map(Number)
    const value = Number.parseInt(group, 16)
    return [value >> 8, value & 255]
  })
}

/** Text in the form of RFC 5952. Throws a RangeError when it is neither 4 nor 16 bytes. */
export function ipFromBytes(bytes: Uint8Array): string {
  if (bytes.length === 4) return bytes.join('.')
  if (bytes.length !== 16) throw new RangeError(`an address has ${bytes.length} bytes`)
  const groups: number[] = []
  for (let i = 0; i < 16; i += 2) groups.push(((bytes[i] ?? 0) << 8) | (bytes[i + 1] ?? 0))
  return textOfGroups(groups)
}

/** The longest run of two or more zero groups, the first of equal ones, becomes `::`. */
function textOfGroups(groups: readonly number[]): string {
  const { start, length } = longestZeros(groups)
  const text = (part: readonly number[]): string => part.map(group => group.toString(16)).join(':')
  if (length < 2) return text(groups)
  return `${text(groups.slice(0, start))}::${text(groups.slice(start + length))}`
}

function longestZeros(groups: readonly number[]): { readonly start: number; readonly length: number } {
  let longest = { start: 0, length: 0 }
  let length = 0
  for (const [i, group] of groups.entries()) {
    length = group === 0 ? length + 1 : 0
    if (length > longest.length) longest = { start: i + 1 - length, length }
  }
  return longest
}
