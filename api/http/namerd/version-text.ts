// Versions as namerd's clients see them: base64 of eight bytes, big-endian. Its in-memory store showed them so.

/** `AAAAAAAAAAE=` for 1. */
export function versionText(version: number): string {
  const bytes = Buffer.alloc(8)
  bytes.writeBigUInt64BE(BigInt(version))
  return bytes.toString('base64')
}

const base64 = /^[A-Za-z0-9+/]*={0,2}$/

/**
 * The version an If-Match names, quotes around it tolerated. `*` and any other number of bytes is no version of ours
 * (0, which never matches); undefined for what is not base64 at all.
 */
export function versionFromText(header: string): number | undefined {
  const text = header.trim().replace(/^"(.*)"$/, '$1')
  if (text === '*') return 0
  if (!base64.test(text) || text.length % 4 === 1) return undefined
  const bytes = Buffer.from(text, 'base64')
  if (bytes.length !== 8) return 0
  const version = bytes.readBigUInt64BE()
  return version <= BigInt(Number.MAX_SAFE_INTEGER) ? Number(version) : 0
}
