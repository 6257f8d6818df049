// The short content hash that versions every pushed state, so that equal content is recognised across servers.
import { hash } from 'node:crypto'

/** 16 lower-case hex digits that depend on the content alone. Input is canonical text or encoded bytes. */
export function contentHash(content: string | Uint8Array): string {
  return hash('sha1', content, 'hex').slice(0, 16)
}
