// A version as people give it: our number, or the base64 text that namerd's API shows.
import { InvalidArgumentError } from 'commander'

/** 7 from `7`, and from namerd's `AAAAAAAAAAc=`: 8 bytes, the most significant first. */
export function parseVersion(text: string): number {
  const version = /^\d{1,16}$/.test(text) ? Number(text) : decodeVersion(text)
  if (version === undefined || version < 1 || !Number.isSafeInteger(version))
    throw new InvalidArgumentError('a version is a number such as 7, or the text that namerd shows, AAAAAAAAAAc=')
  return version
}

function decodeVersion(text: string): number | undefined {
  const bytes = Buffer.from(text, 'base64')
  const isExact = bytes.length === 8 && bytes.toString('base64') === text
  return isExact ? Number(bytes.readBigUInt64BE()) : undefined
}
