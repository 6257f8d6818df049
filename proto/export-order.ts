// In which order the lines of an export come, checked line by line; holds nothing but the last one's place.
import { NamingError } from '../naming/errors.ts'
import type { ExportLine } from './export-lines.ts'

/** For one export; hand it each line once. */
export class ExportOrder {
  #lines = 0
  #namespace = ''
  #version = 0
  #namespaces = 0
  #versions = 0
  #isEnded = false

  /** Lines so far. */
  get lines(): number {
    return this.#lines
  }

  get namespaces(): number {
    return this.#namespaces
  }

  get versions(): number {
    return this.#versions
  }

  /** Why the line cannot come here; undefined when it can. A cut-off export shows at `end` at the latest. */
  refuse(line: ExportLine): NamingError | undefined {
    this.#lines++
    const problem = this.#problemOf(line)
    return problem === undefined ? undefined : this.#error(problem)
  }

  /** Why the export cannot end after the last line; undefined when it can. */
  end(): NamingError | undefined {
    return this.#isEnded ? undefined : this.#error('the export ends before its last line, so it was cut off')
  }

  #problemOf(line: ExportLine): string | undefined {
    if (this.#isEnded) return 'something comes after the end of the export'
    if ((line.kind === 'header') !== (this.#lines === 1)) return 'an export begins with one header'
    if (line.kind === 'version') return this.#problemOfVersion(line.version)
    if (line.kind === 'header') return undefined
    this.#isEnded = true
    if (line.namespaces === this.#namespaces && line.versions === this.#versions) return undefined
    return `the export should hold ${line.versions} versions of ${line.namespaces} namespaces; ${this.#versions} of ${this.#namespaces} came, so lines are missing`
  }

  #problemOfVersion({
    namespace,
    version,
    parent,
  }: {
    readonly namespace: string
    readonly version: number
    readonly parent: number
  }): string | undefined {
    const isSame = namespace === this.#namespace
    if (!isSame && namespace < this.#namespace)
      return `'${namespace}' comes after '${this.#namespace}', but namespaces are sorted by name`
    if (isSame && version <= this.#version)
      return `version ${version} of '${namespace}' comes after version ${this.#version}, but the oldest comes first`
    const last = isSame ? this.#version : 0
    if (parent < last || parent >= version)
      return `version ${version} of '${namespace}' names ${parent} as the one before it, but ${last} came before`
    if (!isSame) this.#namespaces++
    this.#versions++
    this.#namespace = namespace
    this.#version = version
    return undefined
  }

  #error(problem: string): NamingError {
    return new NamingError('bad-request', `Line ${this.#lines}: ${problem}.`, { detail: { at: `line ${this.#lines}` } })
  }
}
