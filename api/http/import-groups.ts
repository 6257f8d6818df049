// The lines of an import as namespaces with their versions, one after the other and each read once. Holds one line.
import { NamingError } from '../../naming/errors.ts'
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
  #isAtEnd = false
  #failure: NamingError | undefined

  constructor(lines: AsyncIterator<ImportLine>) {
    this.#lines = lines
  }

  /** The version that comes next; undefined after the trailer, which must be the last line. Once it has thrown it throws the same for ever. */
  async peek(): Promise<VersionLine | undefined> {
    if (this.#failure !== undefined) throw this.#failure
    try {
      while (this.#held === undefined && !this.#isAtEnd) await this.#advance()
    } catch (error) {
      this.#failure = NamingError.from(error)
      throw this.#failure
    }
    return this.#held
  }

  async #advance(): Promise<void> {
    const read = await this.#lines.next()
    const misplaced = read.done === true ? this.#order.end() : this.#order.refuse(read.value.line)
    if (misplaced !== undefined) throw misplaced
    if (read.done === true) this.#isAtEnd = true
    else if (read.value.line.kind === 'version')
      this.#held = { version: read.value.line.version, refusal: read.value.refusal }
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
