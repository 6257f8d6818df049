// A stream of bytes, cut at newlines. Holds one line, however the bytes come.
import type { Readable } from 'node:stream'
import { NamingError } from '../../naming/errors.ts'
import type { Clock } from '../../watch/clock.ts'
import { nextTurn } from '../../watch/pause.ts'

const newline = 0x0a

export interface ReadLinesOptions {
  readonly maxBytes: number
  readonly clock: Pick<Clock, 'defer'>
}

/** The lines without their newlines. body-too-large for one that is too long. Whoever leaves early leaves the rest in the stream. */
export async function* readLines(stream: Readable, { maxBytes, clock }: ReadLinesOptions): AsyncGenerator<Buffer> {
  let pieces: Buffer[] = []
  let held = 0
  let count = 1
  const hold = (piece: Buffer): void => {
    held += piece.byteLength
    if (held > maxBytes) throw tooLong(count, maxBytes)
    if (piece.byteLength > 0) pieces.push(piece)
  }
  const release = (): Buffer => {
    const [only] = pieces
    const line = pieces.length === 1 && only !== undefined ? only : Buffer.concat(pieces)
    pieces = []
    held = 0
    count++
    return line
  }
  for await (const chunk of stream.iterator({ destroyOnReturn: false })) {
    const bytes: Buffer = Buffer.isBuffer(chunk) ? chunk : Buffer.from(String(chunk))
    let start = 0
    for (let end = bytes.indexOf(newline); end >= 0; end = bytes.indexOf(newline, start)) {
      hold(bytes.subarray(start, end))
      start = end + 1
      yield release()
    }
    hold(bytes.subarray(start))
    await nextTurn(clock)
  }
  if (held > 0) yield release()
}

function tooLong(line: number, maxBytes: number): NamingError {
  return new NamingError(
    'body-too-large',
    `Line ${line} has more than ${maxBytes} bytes; no store holds so large a dtab.`,
    {
      detail: { at: `line ${line}`, limit: maxBytes },
    },
  )
}
