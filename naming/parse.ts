// From text to paths, prefixes, name trees, dentries and dtabs. Never throws, never recurses; says where and why it stopped.
import type { Dentry, Dtab, Prefix, PrefixElem } from './dtab.ts'
import type { ErrorCode } from './errors.ts'
import type { NameTree } from './name-tree.ts'
import { type ParsedEntries, Reuse, rememberText } from './parsed-text.ts'
import { emptyPath, type Path } from './path.ts'
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

/** A whole dtab in one go. For texts that may be large use `createDtabParser`, which says what `previous` is. */
export function parseDtab(text: string, previous?: Dtab): Result<Dtab> {
  const parsed = createDtabParser(text, previous).parse(Number.POSITIVE_INFINITY)
  if (parsed === 'more') throw new Error('an unlimited parse stopped early')
  return parsed
}

/** A parser that does its work in slices. */
export interface DtabParser {
  /** Reads up to `maxTerms` more terms of trees (at least one), then says 'more', or the outcome, again on each further call. */
  parse(maxTerms: number): 'more' | Result<Dtab>
}

/**
 * A resumable parser of `text`, so that no turn of the event loop has to read a large dtab whole. Given the `previous`
 * dtab, as another parse gave it, it reads only what differs and shares the other entries, which makes comparing and
 * re-indexing cheap. The outcome is the same with or without. Holds nothing to release.
 */
export function createDtabParser(text: string, previous?: Dtab): DtabParser {
  return new SlicedDtabParser(text, Reuse.of(previous, text))
}

class SlicedDtabParser implements DtabParser {
  readonly #scanner: Scanner
  readonly #reuse: Reuse | undefined
  readonly #read: ParsedEntries
  readonly #tree: TreeParser
  /** Of the dentry whose tree is being read. */
  #prefix: Prefix | undefined
  #outcome: Result<Dtab> | undefined

  constructor(text: string, reuse: Reuse | undefined) {
    this.#scanner = new Scanner(text)
    this.#reuse = reuse
    this.#read = reuse?.head ?? { dentries: [], ends: [], terms: [] }
    this.#scanner.position = this.#read.ends.at(-1) ?? 0
    this.#tree = new TreeParser(this.#scanner, this.#read.terms.at(-1))
  }

  parse(maxTerms: number): 'more' | Result<Dtab> {
    for (let terms = 0; this.#outcome === undefined; terms++) {
      if (terms >= Math.max(1, maxTerms)) return 'more'
      this.#prefix ??= this.#openDentry()
      if (this.#prefix !== undefined) this.#readTree(this.#prefix)
    }
    return this.#outcome
  }

  /** The prefix of the next dentry; undefined at the end and on a fault. */
  #openDentry(): Prefix | undefined {
    this.#scanner.skipBlanks()
    const prefix = this.#scanner.atEnd ? undefined : scanDentryHead(this.#scanner)
    if (prefix === undefined) this.#finish()
    return prefix
  }

  #readTree(prefix: Prefix): void {
    const dst = this.#tree.read(1)
    if (dst === 'more') return
    this.#prefix = undefined
    if (dst !== undefined) {
      this.#read.dentries.push({ prefix, dst })
      this.#read.terms.push(this.#tree.terms)
    }
    if (dst === undefined || !this.#takeSeparator() || this.#takeTail()) this.#finish()
  }

  #takeSeparator(): boolean {
    this.#scanner.skipBlanks()
    if (!this.#scanner.take(semicolon)) return false
    this.#read.ends.push(this.#scanner.position)
    return true
  }

  /** From an entry's end on that the previous text shares, all that follows is known. */
  #takeTail(): boolean {
    const tail = this.#reuse?.tailAfter(this.#scanner.position, this.#tree.terms)
    if (tail === undefined) return false
    const { dentries, ends, terms } = this.#read
    for (const dentry of tail.dentries) dentries.push(dentry)
    for (const end of tail.ends) ends.push(end)
    for (const count of tail.terms) terms.push(count)
    this.#scanner.position = this.#scanner.text.length
    return true
  }

  #finish(): void {
    const scanner = this.#scanner
    if (scanner.hasFailed || !scanner.requireEnd()) {
      this.#outcome = failure(scanner.error('bad-dtab'))
      return
    }
    rememberText(scanner.text, this.#read)
    this.#outcome = success(this.#read.dentries)
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
  return scanner.atLabel || scanner.peek() === star ? scanner.list(prefixElemAt) : emptyPath
}

function prefixElemAt(scanner: Scanner): PrefixElem | undefined {
  return scanner.take(star) ? null : scanner.label()
}
