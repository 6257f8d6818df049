// Versions as namerd's clients see them: base64 of eight bytes, big-endian. Its in-memory store showed them so.

/** `AAAAAAAAAAE=` for 1. */
export function versionText(version: number): string {
  const bytes = Buffer.alloc(8)
  bytes.writeBigUInt64BE(BigInt(version))
  return bytes.toString('base64')
}

const base64 = /^[A-Za-z0-9+/]*={0,2}$/

/**
 * The versions an If-Match names, quotes around it tolerated: one, or none for `*`, zero and any other number of bytes,
 * which no version of ours has. Undefined for what is not base64 at all.
 */
export function versionsFromText(header: string): readonly number[] | undefined {
  const text = header.trim().replace(/^"(.*)"$/, '$1')
  if (text === '*') return []
  if (!base64.test(text) || text.length % 4 === 1) return undefined
  const bytes = Buffer.from(text, 'base64')
  if (bytes.length !== 8) return []
  const version = bytes.readBigUInt64BE()
  return version > 0n && version <= BigInt(Number.MAX_SAFE_INTEGER) ? [Number(version)] : []
}
