// From text to paths, prefixes, name trees, dentries and dtabs. Never throws, never recurses; says where and why it stopped.
import type { Dentry, Dtab, Prefix, PrefixElem } from './dtab.ts'
import type { ErrorCode } from './errors.ts'
import type { NameTree } from './name-tree.ts'
import type { Path } from './path.ts'
import { failure, type Result, success } from './result.ts'
import { Scanner } from './scanner.ts'
import { scanPath, TreeParser } from './tree-parser.ts'

const star = 0x2a
const equalsSign = 0x3d
const greaterThan = 0x3e
const semicolon = 0x3b

/** A path such as `/svc/web`, blanks around it allowed. */
export function parsePath(text: string): Result<Path> {
  return parseWhole(text, 'bad-path', scanPath)
}

/** The left side of a dentry: a path in which an element may be `*`. */
export function parsePrefix(text: string): Result<Prefix> {
  return parseWhole(text, 'bad-prefix', scanPrefix)
}

/** The right side of a dentry. */
export function parseNameTree(text: string): Result<NameTree<Path>> {
  return parseWhole(text, 'bad-tree', scanTree)
}

/** Exactly one dentry, `prefix => tree`, without a semicolon. */
export function parseDentry(text: string): Result<Dentry> {
  return parseWhole(text, 'bad-dtab', scanner => {
    const prefix = scanDentryHead(scanner)
    if (prefix === undefined) return undefined
    const dst = scanTree(scanner)
    return dst === undefined ? undefined : { prefix, dst }
  })
}

/** A whole dtab in one go. For texts that may be large use `createDtabParser`. */
export function parseDtab(text: string): Result<Dtab> {
  const parsed = createDtabParser(text).parse(Number.POSITIVE_INFINITY)
  if (parsed === 'more') throw new Error('an unlimited parse stopped early')
  return parsed
}

/** A parser that does its work in slices. */
export interface DtabParser {
  /** Reads up to `maxTerms` more terms of trees (at least one), then says 'more', or the outcome, again on each further call. */
  parse(maxTerms: number): 'more' | Result<Dtab>
}

/** A resumable parser of `text`, so that no turn of the event loop has to read a large dtab whole. Holds nothing to release. */
export function createDtabParser(text: string): DtabParser {
  return new SlicedDtabParser(text)
}

class SlicedDtabParser implements DtabParser {
  readonly #scanner: Scanner
  readonly #dentries: Dentry[] = []
  #prefix: Prefix = []
  #tree: TreeParser | undefined
  #outcome: Result<Dtab> | undefined

  constructor(text: string) {
    this.#scanner = new Scanner(text)
  }

  parse(maxTerms: number): 'more' | Result<Dtab> {
    for (let terms = 0; this.#outcome === undefined; terms++) {
      if (terms >= Math.max(1, maxTerms)) return 'more'
      if (this.#tree === undefined) this.#openDentry()
      if (this.#tree !== undefined) this.#readTree(this.#tree)
    }
    return this.#outcome
  }

  #openDentry(): void {
    const scanner = this.#scanner
    scanner.skipBlanks()
    const prefix = scanner.atEnd ? undefined : scanDentryHead(scanner)
    if (prefix === undefined) {
      this.#finish()
      return
    }
    this.#prefix = prefix
    this.#tree = new TreeParser(scanner)
  }

  #readTree(tree: TreeParser): void {
    const dst = tree.read(1)
    if (dst === 'more') return
    this.#tree = undefined
    if (dst !== undefined) this.#dentries.push({ prefix: this.#prefix, dst })
    if (dst === undefined || !this.#takeSeparator()) this.#finish()
  }

  #takeSeparator(): boolean {
    this.#scanner.skipBlanks()
    return this.#scanner.take(semicolon)
  }

  #finish(): void {
    const scanner = this.#scanner
    const isWhole = !scanner.hasFailed && scanner.requireEnd()
    this.#outcome = isWhole ? success(this.#dentries) : failure(scanner.error('bad-dtab'))
  }
}

function parseWhole<T>(text: string, code: ErrorCode, scan: (scanner: Scanner) => T | undefined): Result<T> {
  const scanner = new Scanner(text)
  const value = scan(scanner)
  if (value === undefined) return failure(scanner.error(code))
  scanner.skipBlanks()
  return scanner.requireEnd() ? success(value) : failure(scanner.error(code))
}

function scanTree(scanner: Scanner): NameTree<Path> | undefined {
  const tree = new TreeParser(scanner).read(Number.POSITIVE_INFINITY)
  if (tree === 'more') throw new Error('an unlimited parse stopped early')
  return tree
}

/** The prefix and the arrow of a dentry. */
function scanDentryHead(scanner: Scanner): Prefix | undefined {
  const prefix = scanPrefix(scanner)
  if (prefix === undefined) return undefined
  scanner.skipBlanks()
  return scanner.require(equalsSign) && scanner.require(greaterThan) ? prefix : undefined
}

function scanPrefix(scanner: Scanner): Prefix | undefined {
  if (!scanner.openPath()) return undefined
  const elems: PrefixElem[] = []
  if (!scanner.atLabel && scanner.peek() !== star) return elems
  do {
    const elem = scanner.take(star) ? null : scanner.label()
    if (elem === undefined) return undefined
    elems.push(elem)
  } while (scanner.takeSlash())
  return elems
}
