// Reads one name tree without recursion, in slices of any size. Knows neither dentries nor what follows a tree.
import { alt, empty, fail, leaf, type NameTree, neg, union, type Weighted } from './name-tree.ts'
import { emptyPath, type Label, type Path } from './path.ts'
import type { Scanner } from './scanner.ts'

/**
 * How deep parentheses may nest. Far beyond any real rule, and shallow enough that plain recursion over a parsed
 * tree is safe everywhere.
 */
export const maxNesting = 1000

/** How many terms the trees of one text may have: memory for a text of the largest size stays a few hundred MB. */
export const maxTerms = 1_000_000

const openParen = 0x28
const closeParen = 0x29
const star = 0x2a
const ampersand = 0x26
const bar = 0x7c
const slash = 0x2f
const defaultWeight = 1

const marks = new Map<number, NameTree<Path>>([
  [0x21, fail],
  [0x7e, neg],
  [0x24, empty],
])

/** One level of parentheses: alternatives already closed and the union being read. Most unions have one branch. */
class Level {
  /** Weight of the parenthesis itself in the level around it. */
  readonly weight: number
  readonly #alternatives: NameTree<Path>[] = []
  readonly #branches: Weighted<Path>[] = []
  #first: NameTree<Path> | undefined
  #firstWeight = defaultWeight

  constructor(weight: number) {
    this.weight = weight
  }

  add(weight: number, tree: NameTree<Path>): void {
    if (this.#first === undefined) {
      this.#first = tree
      this.#firstWeight = weight
      return
    }
    if (this.#branches.length === 0) this.#branches.push({ weight: this.#firstWeight, tree: this.#first })
    this.#branches.push({ weight, tree })
  }

  nextAlternative(): void {
    this.#alternatives.push(this.#closeUnion())
    this.#branches.length = 0
    this.#first = undefined
  }

  close(): NameTree<Path> {
    const last = this.#closeUnion()
    if (this.#alternatives.length === 0) return last
    this.#alternatives.push(last)
    return alt(this.#alternatives.slice())
  }

  /** A weight on a lone branch means nothing and is dropped. Copies have no spare room, as a pushed-to array has. */
  #closeUnion(): NameTree<Path> {
    return this.#branches.length === 0 ? (this.#first ?? neg) : union(this.#branches.slice())
  }
}

/** Reads a path; undefined on a fault. */
export function scanPath(scanner: Scanner): Path | undefined {
  if (!scanner.openPath()) return undefined
  return scanner.atLabel ? scanner.list(labelAt) : emptyPath
}

function labelAt(scanner: Scanner): Label | undefined {
  return scanner.label()
}

/** A reader of the tree at the scanner's place. Call `read` until it gives something other than 'more'; then it is ready for another. */
export class TreeParser {
  readonly #scanner: Scanner
  readonly #outer: Level[] = []
  #level: Level | undefined
  #terms: number

  /** `termsBefore` of the same text were read by another. */
  constructor(scanner: Scanner, termsBefore = 0) {
    this.#scanner = scanner
    this.#terms = termsBefore
  }

  /** Terms read so far, those before included. */
  get terms(): number {
    return this.#terms
  }

  /** Reads up to `atMost` terms (a path, a mark or a parenthesis); undefined on a fault. */
  read(atMost: number): NameTree<Path> | 'more' | undefined {
    for (let terms = 0; terms < atMost; terms++) {
      const weight = this.#weight()
      if (weight === undefined) return undefined
      if (this.#scanner.take(openParen)) {
        if (!this.#open(weight)) return undefined
        continue
      }
      const term = this.#term()
      if (term === undefined) return undefined
      const whole = this.#afterTerm(weight, term)
      if (whole !== 'more') return whole
    }
    return 'more'
  }

  #weight(): number | undefined {
    const scanner = this.#scanner
    scanner.skipBlanks()
    if (!scanner.atNumber) return defaultWeight
    const weight = scanner.number()
    if (weight === undefined) return undefined
    scanner.skipBlanks()
    if (!scanner.require(star)) return undefined
    scanner.skipBlanks()
    return weight
  }

  #open(weight: number): boolean {
    this.#outer.push(this.#level ?? new Level(defaultWeight))
    this.#level = new Level(weight)
    if (this.#outer.length <= maxNesting) return true
    this.#scanner.position--
    this.#scanner.fail(`no more than ${maxNesting} nested parentheses`)
    return false
  }

  #term(): NameTree<Path> | undefined {
    const scanner = this.#scanner
    if (++this.#terms > maxTerms) return scanner.fail(`no more than ${maxTerms} terms`)
    const unit = scanner.peek()
    if (unit === slash) {
      const path = scanPath(scanner)
      return path === undefined ? undefined : leaf(path)
    }
    const mark = marks.get(unit)
    if (mark === undefined) return scanner.fail('simple')
    scanner.position++
    return mark
  }

  /** Decides by the next token whether another term follows ('more'), a parenthesis closes, or the tree ends. */
  #afterTerm(firstWeight: number, firstTree: NameTree<Path>): NameTree<Path> | 'more' | undefined {
    const scanner = this.#scanner
    let weight = firstWeight
    let tree = firstTree
    for (;;) {
      scanner.skipBlanks()
      const unit = scanner.peek()
      if (unit === ampersand || unit === bar) {
        this.#level ??= new Level(defaultWeight)
        this.#level.add(weight, tree)
        if (unit === bar) this.#level.nextAlternative()
        scanner.position++
        return 'more'
      }
      if (this.#level === undefined) return tree
      this.#level.add(weight, tree)
      tree = this.#level.close()
      weight = this.#level.weight
      this.#level = this.#outer.pop()
      if (this.#level === undefined) return tree
      if (!scanner.require(closeParen)) return undefined
    }
  }
}
