// An export cut into smaller ones of whole namespaces, so that no request is long. Each part is read while it is sent.
import { type ExportHeader, encodeExportHeader, encodeExportTrailer } from '../proto/export-lines.ts'
import type { ReadLine } from './export-lines.ts'

/** A part ends with the namespace in which it reaches one of these. */
const partBytes = 4 * 1024 * 1024
const partNamespaces = 500
const partVersions = 2_000

/** One export; use each part up before the next. */
export class ExportParts {
  readonly #lines: AsyncIterator<ReadLine>
  #next: ReadLine | undefined
  #header: ExportHeader = { kind: 'header', exportedAt: 0, from: '' }

  constructor(lines: AsyncIterator<ReadLine>) {
    this.#lines = lines
  }

  /** The parts, each a complete export; at least one, of a file without versions too. */
  async *parts(): AsyncGenerator<AsyncGenerator<Uint8Array>> {
    await this.#advance()
    if (this.#next?.line.kind === 'header') this.#header = this.#next.line
    await this.#advance()
    do yield this.#part()
    while (this.#next?.line.kind === 'version')
    await this.#advance()
  }

  /** Ends the reading before its end. */
  async stop(): Promise<void> {
    await this.#lines.return?.()
  }

  async *#part(): AsyncGenerator<Uint8Array> {
    yield Buffer.from(encodeExportHeader(this.#header))
    const counts = { namespaces: 0, versions: 0 }
    let bytes = 0
    let namespace: string | undefined
    for (let next = this.#next; next?.line.kind === 'version'; next = this.#next) {
      const isOther = next.line.version.namespace !== namespace
      const isFull = bytes >= partBytes || counts.namespaces >= partNamespaces || counts.versions >= partVersions
      if (isOther && isFull) break
      if (isOther) counts.namespaces++
      namespace = next.line.version.namespace
      counts.versions++
      bytes += next.bytes.byteLength
      yield next.bytes
      await this.#advance()
    }
    yield Buffer.from(encodeExportTrailer(counts))
  }

  async #advance(): Promise<void> {
    const read = await this.#lines.next()
    this.#next = read.done === true ? undefined : read.value
  }
}
