// An export as bytes that come in pieces, read line by line and checked for its order. Holds one line.
import { decodeExportLine, type ExportLine, maxExportLineBytes } from '../proto/export-lines.ts'
import { ExportOrder } from '../proto/export-order.ts'
import { CliError } from './cli-error.ts'

export interface ReadLine {
  readonly line: ExportLine
  /** As it was read, with the newline. */
  readonly bytes: Uint8Array
}

const newline = 0x0a

/** Throws a CliError that names `source` and the line: what is no export, what is out of order, and one that was cut off. */
export async function* readExport(
  chunks: AsyncIterable<Uint8Array>,
  source: string,
  order = new ExportOrder(),
): AsyncGenerator<ReadLine> {
  for await (const bytes of linesOf(chunks, source)) {
    const decoded = decodeExportLine(textOf(bytes, source))
    if (!decoded.ok) throw fault(source, `Line ${order.lines + 1}: ${decoded.error.message}`)
    const misplaced = order.refuse(decoded.value)
    if (misplaced !== undefined) throw fault(source, misplaced.message)
    yield { line: decoded.value, bytes }
  }
  const cutOff = order.end()
  if (cutOff !== undefined) throw fault(source, cutOff.message)
}

async function* linesOf(chunks: AsyncIterable<Uint8Array>, source: string): AsyncGenerator<Buffer> {
  let pieces: Buffer[] = []
  let held = 0
  for await (const chunk of chunks) {
    const bytes = Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength)
    let start = 0
    for (let end = bytes.indexOf(newline); end >= 0; end = bytes.indexOf(newline, start)) {
      yield Buffer.concat([...pieces, bytes.subarray(start, end + 1)])
      pieces = []
      held = 0
      start = end + 1
    }
    held += bytes.byteLength - start
    if (held > maxExportLineBytes) throw fault(source, 'a line is longer than any dtab can be')
    if (start < bytes.byteLength) pieces.push(Buffer.from(bytes.subarray(start)))
  }
  if (held > 0) yield Buffer.concat([...pieces, Buffer.from([newline])])
}

function textOf(bytes: Uint8Array, source: string): string {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes)
  } catch (error) {
    throw new CliError(1, `${source} is not UTF-8: is it an export?`, { cause: error })
  }
}

function fault(source: string, problem: string): CliError {
  return new CliError(1, `${source}: ${problem}`)
}
