// The authority of a request: a host and perhaps a port (RFC 9110, 7.2; RFC 3986, 3.2). Knows no names of ours.
import { hexValues, hostBytes } from './octets.ts'

const colon = 0x3a
const percent = 0x25
const openBracket = 0x5b
const closeBracket = 0x5d
const maxPort = 65_535

/** Whether the text is a host that is not empty, with a port or without; an IPv6 address stands in brackets. */
export function isAuthority(text: string): boolean {
  const hostEnd = endOfHost(text)
  if (hostEnd <= 0) return false
  return hostEnd === text.length || (text.charCodeAt(hostEnd) === colon && isPort(text, hostEnd + 1, true))
}

/** As `isAuthority`, but the port must be there: what CONNECT asks for. */
export function isHostAndPort(text: string): boolean {
  const hostEnd = endOfHost(text)
  return hostEnd > 0 && text.charCodeAt(hostEnd) === colon && isPort(text, hostEnd + 1, false)
}

function endOfHost(text: string): number {
  if (text.charCodeAt(0) === openBracket) return endOfAddress(text)
  let at = 0
  while (at < text.length) {
    const code = text.charCodeAt(at)
    if (hostBytes[code] === 1) at++
    else if (code === percent && isHexPair(text, at + 1)) at += 3
    else break
  }
  return at
}

function isHexPair(text: string, at: number): boolean {
  return isHex(text.charCodeAt(at)) && isHex(text.charCodeAt(at + 1))
}

function isHex(code: number): boolean {
  return (hexValues[code] ?? 255) < 16
}

/** An address in brackets: hexadecimal digits, colons and dots; that it is an address is for the one who connects to it. */
function endOfAddress(text: string): number {
  let at = 1
  while (isHex(text.charCodeAt(at)) || text.charCodeAt(at) === colon || text.charCodeAt(at) === 0x2e) at++
  return at > 2 && text.charCodeAt(at) === closeBracket ? at + 1 : 0
}

function isPort(text: string, from: number, mayBeEmpty: boolean): boolean {
  if (text.length - from > 5) return false
  let port = 0
  for (let i = from; i < text.length; i++) {
    const digit = text.charCodeAt(i) - 0x30
    if (digit < 0 || digit > 9) return false
    port = port * 10 + digit
  }
  return port <= maxPort && (mayBeEmpty || from < text.length)
}
