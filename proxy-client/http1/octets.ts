// Which bytes may stand where, as tables. Knows nothing of messages.

function table(isMember: (byte: number) => boolean): Uint8Array {
  return Uint8Array.from({ length: 256 }, (_, byte) => (isMember(byte) ? 1 : 0))
}

function members(text: string): (byte: number) => boolean {
  const bytes = new Set(Buffer.from(text, 'latin1'))
  return byte => bytes.has(byte)
}

const isDigit = (byte: number): boolean => byte >= 0x30 && byte <= 0x39
const isLetter = (byte: number): boolean => (byte | 0x20) >= 0x61 && (byte | 0x20) <= 0x7a
const isVisible = (byte: number): boolean => byte > 0x20 && byte < 0x7f

const isMark = members("!#$%&'*+-.^_`|~")
const isHostMark = members('-._~')

/** tchar of RFC 9110, 5.6.2: 1 for bytes of methods, field names and other tokens. */
export const tokenBytes = table(byte => isDigit(byte) || isLetter(byte) || isMark(byte))

/**
 * Bytes of a request target: any VCHAR but `#`, for readers differ on what a fragment means in a request. Wider than the
 * grammar of URIs, for browsers send `|`, `{` and their like as they are; never a byte over 0x7e.
 */
export const targetBytes = table(byte => isVisible(byte) && byte !== 0x23)

/** Bytes of a chunk extension as we let it pass by: SP and VCHAR. */
export const extensionBytes = table(byte => byte === 0x20 || isVisible(byte))

/** Bytes of a registered name but `%`. The grammar has sub-delims too; a host with `,` or `;` in it is a doubt. */
export const hostBytes = table(byte => isDigit(byte) || isLetter(byte) || isHostMark(byte))

/** The byte in lower case. */
export const lowerBytes = Uint8Array.from({ length: 256 }, (_, byte) =>
  byte >= 0x41 && byte <= 0x5a ? byte | 0x20 : byte,
)

/** The value of a hexadecimal digit; 255 for every other byte. */
export const hexValues = Uint8Array.from({ length: 256 }, (_, byte) => {
  if (isDigit(byte)) return byte - 0x30
  return isLetter(byte) && (byte | 0x20) <= 0x66 ? (byte | 0x20) - 0x57 : 255
})
