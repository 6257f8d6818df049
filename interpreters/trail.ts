// The way of one evaluation through the rules: which look-ups are open, what it has cost, where it ran in a circle.
// Knows neither what is looked up nor what becomes of it.
import type { Dentry } from '../naming/dtab.ts'
import type { NamingError } from '../naming/errors.ts'
import { formatPrefix } from '../naming/format.ts'
import { type Path, pathEquals } from '../naming/path.ts'
import {
  type Circle,
  endlessCycle,
  lookupLevels,
  maxLookups,
  maxMatches,
  maxNesting,
  maxPathsKept,
  readableStep,
  tooDeep,
  tooLarge,
  tooMuchWork,
  tooNested,
} from './evaluation-limits.ts'

/** Ends a whole evaluation, through unions that would drop a failed branch. */
export class Exhausted extends Error {
  readonly reason: NamingError

  constructor(reason: NamingError) {
    super(reason.message)
    this.reason = reason
  }
}

export class Trail {
  readonly #root: Path
  readonly #maxWork: number
  /** The open look-ups, outermost first, and the rule that is followed from each. */
  readonly #open: Path[] = []
  readonly #rules: (Dentry | undefined)[] = []
  readonly #lookedUp: Path[] = []
  #lookups = 0
  #work = 0
  #nesting = 0
  #circle: Circle | undefined

  /** From `root`, up to `maxWork` units of work. */
  constructor(root: Path, maxWork: number) {
    this.#root = root
    this.#maxWork = maxWork
  }

  /** The paths looked up, the first maxPathsKept + 1 of them, in an array without room to grow. */
  get lookedUp(): readonly Path[] {
    return this.#lookedUp.slice()
  }

  /** What the errors are about. */
  get #name(): Path {
    return this.#open[0] ?? this.#root
  }

  get lookups(): number {
    return this.#lookups
  }

  /** How many look-ups are open. */
  get depth(): number {
    return this.#open.length
  }

  /** The innermost open look-up. */
  get path(): Path | undefined {
    return this.#open.at(-1)
  }

  /** Throws Exhausted when another look-up would be too many. */
  refuseMoreLookups(): void {
    if (this.#lookups >= maxLookups) throw new Exhausted(tooMuchWork(this.#name, this.noteCircle()))
  }

  /** Opens a look-up. */
  enter(path: Path): void {
    this.#lookups++
    if (this.#lookedUp.length <= maxPathsKept) this.#lookedUp.push(path)
    this.#open.push(path)
    this.#rules.push(undefined)
  }

  leave(): void {
    this.#open.pop()
    this.#rules.pop()
  }

  /** Closes the look-ups inside the outermost `depth` ones, which a failure left open. */
  backTo(depth: number): void {
    this.#open.length = this.#rules.length = depth
  }

  /** Says which rule is followed from the innermost look-up. */
  follow(rule: Dentry): void {
    this.#rules[this.#rules.length - 1] = rule
  }

  /** Throws Exhausted when there was too much of it. */
  spend(work: number): void {
    this.#work += work
    if (this.#work > this.#maxWork) throw new Exhausted(this.tooLarge())
  }

  /** Spends what it costs to find and order so many matching rules. */
  spendOnMatches(count: number): void {
    this.spend((count * this.#maxWork) / maxMatches)
  }

  tooLarge(): NamingError {
    return tooLarge(this.#name, this.#maxWork, this.noteCircle())
  }

  /** Enters one more node of a tree. Throws Exhausted where recursion would go too deep. */
  nest(): void {
    const level = ++this.#nesting + this.#open.length * lookupLevels
    if (level > maxNesting) throw new Exhausted(tooNested(this.#name))
  }

  unnest(): void {
    this.#nesting--
  }

  /** Where `path` stands among the open look-ups; -1 when it is not open. A circle is noted. */
  circleFrom(path: Path): number {
    const from = openAt(this.#open, path)
    if (from >= 0) this.#circle ??= this.#open.slice(from).map(readableStep)
    return from
  }

  /** The error for a path that is open already. */
  endlessCycle(): NamingError {
    return endlessCycle(this.#circle ?? [])
  }

  /** The error for the open look-ups, which are too many. A circle is noted. */
  tooDeep(): NamingError {
    return tooDeep(this.#open, this.noteCircle())
  }

  /** The first circle that was met, if any was. */
  noteCircle(): Circle | undefined {
    this.#circle ??= this.#circleOfRules()
    return this.#circle
  }

  /** A name that grows never comes back to a path, but to a rule. */
  #circleOfRules(): Circle | undefined {
    const rules = this.#rules.filter(rule => rule !== undefined)
    for (const [from, rule] of rules.entries()) {
      const to = rules.indexOf(rule, from + 1)
      if (to >= 0) return rules.slice(from, to).map(each => formatPrefix(each.prefix))
    }
    return undefined
  }
}

/** Where `path` stands in the open look-ups; -1 when it is not open. */
function openAt(open: readonly Path[], path: Path): number {
  for (let i = open.length - 1; i >= 0; i--) {
    const other = open[i]
    if (other !== undefined && pathEquals(other, path)) return i
  }
  return -1
}
