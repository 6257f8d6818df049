// The lines of an import as namespaces with their versions, one after the other and each read once. Holds one line.
import type { NamingError } from '../../naming/errors.ts'
import type { ExportedVersion } from '../../proto/export-lines.ts'
import { ExportOrder } from '../../proto/export-order.ts'
import type { Version } from '../../storage/store.ts'
import type { ImportLine } from './import-line.ts'

export interface ImportGroup {
  readonly namespace: string
  /** Throws what is wrong with the version that comes next, and when the import ends within the namespace. */
  readonly versions: AsyncGenerator<Version>
}

interface VersionLine {
  readonly version: ExportedVersion
  readonly refusal: NamingError | undefined
}

/** Throws bad-request at the line that cannot come where it comes; what was left of a group is passed over. */
export async function* importGroups(lines: AsyncIterator<ImportLine>): AsyncGenerator<ImportGroup> {
  const reader = new GroupReader(lines)
  for (let next = await reader.peek(); next !== undefined; next = await reader.peek()) {
    const { namespace } = next.version
    yield { namespace, versions: reader.versionsOf(namespace) }
    await reader.skip(namespace)
  }
}

class GroupReader {
  readonly #lines: AsyncIterator<ImportLine>
  readonly #order = new ExportOrder()
  #held: VersionLine | undefined

  constructor(lines: AsyncIterator<ImportLine>) {
    this.#lines = lines
  }

  /** The version that comes next; undefined after the trailer, which must be the last line. */
  async peek(): Promise<VersionLine | undefined> {
    while (this.#held === undefined) {
      const read = await this.#lines.next()
      if (read.done === true) {
        const cutOff = this.#order.end()
        if (cutOff !== undefined) throw cutOff
        return undefined
      }
      const { line, refusal } = read.value
      const misplaced = this.#order.refuse(line)
      if (misplaced !== undefined) throw misplaced
      if (line.kind === 'version') this.#held = { version: line.version, refusal }
    }
    return this.#held
  }

  async *versionsOf(namespace: string): AsyncGenerator<Version> {
    for (let next = await this.peek(); next?.version.namespace === namespace; next = await this.peek()) {
      this.#held = undefined
      if (next.refusal !== undefined) throw next.refusal
      yield versionFromExported(next.version)
    }
  }

  async skip(namespace: string): Promise<void> {
    while ((await this.peek())?.version.namespace === namespace) this.#held = undefined
  }
}

function versionFromExported({ namespace, version, text, ...meta }: ExportedVersion): Version {
  return { namespace, version, ...(text !== undefined && { text }), meta }
}
