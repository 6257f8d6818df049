// Dtab text to what evaluation needs of it, in slices when it is large. Knows no namespace and no store.
import type { Dtab } from '../naming/dtab.ts'
import { dtabHash } from '../naming/dtab-hash.ts'
import { createLookupIndex, createLookupIndexBuilder, type LookupIndex } from '../naming/lookup-index.ts'
import { createDtabParser, parseDtab } from '../naming/parse.ts'
import { failure, type Result, success } from '../naming/result.ts'
import type { Cancel, Clock } from '../watch/clock.ts'

/** A dtab ready for look-ups. */
export interface CompiledDtab {
  readonly dtab: Dtab
  readonly index: LookupIndex
  /** Content hash of the dtab, made when first asked for. */
  readonly hash: string
}

/** Texts up to this many characters are compiled at once. */
const sliceFrom = 256 * 1024
/** How long one turn may compile, in milliseconds, in how many steps, and how much one step does. */
const turnMs = 10
const stepsPerTurn = 32
const termsPerStep = 500
const entriesPerStep = 500

/** A dtab that is parsed already. `previous` is an earlier one that has most of its entries. */
export function compileEntries(dtab: Dtab, previous?: CompiledDtab): CompiledDtab {
  return withHash(dtab, createLookupIndex(dtab, previous?.index))
}

/**
 * Compiles `text`; `done` is called once, before this returns when the text is small, else in a later turn, and not at
 * all after the returned cancel.
 */
export function compileDtab(
  text: string,
  clock: Clock,
  previous: CompiledDtab | undefined,
  done: (result: Result<CompiledDtab>) => void,
): Cancel {
  if (text.length > sliceFrom) return compileInSlices(text, clock, previous, done)
  const parsed = parseDtab(text, previous?.dtab)
  done(parsed.ok ? success(compileEntries(parsed.value, previous)) : failure(parsed.error))
  return () => {}
}

function compileInSlices(
  text: string,
  clock: Clock,
  previous: CompiledDtab | undefined,
  done: (result: Result<CompiledDtab>) => void,
): Cancel {
  const work = compilation(text, previous)
  let cancel: Cancel = () => {}
  const turn = (): void => {
    const startedAt = clock.monotonic()
    for (let steps = 0; steps < stepsPerTurn && clock.monotonic() - startedAt < turnMs; steps++) {
      const step = work.next()
      if (step.done === true) {
        done(step.value)
        return
      }
    }
    cancel = clock.defer(turn)
  }
  cancel = clock.defer(turn)
  return () => cancel()
}

/** Parses, then indexes; may stop at each yield. */
function* compilation(text: string, previous: CompiledDtab | undefined): Generator<undefined, Result<CompiledDtab>> {
  const parser = createDtabParser(text, previous?.dtab)
  let parsed = parser.parse(termsPerStep)
  for (; parsed === 'more'; parsed = parser.parse(termsPerStep)) yield
  if (!parsed.ok) return failure(parsed.error)
  yield
  const builder = createLookupIndexBuilder(parsed.value, previous?.index)
  yield
  let index = builder.build(entriesPerStep)
  for (; index === 'more'; index = builder.build(entriesPerStep)) yield
  return success(withHash(parsed.value, index))
}

function withHash(dtab: Dtab, index: LookupIndex): CompiledDtab {
  let hash: string | undefined
  return {
    dtab,
    index,
    get hash(): string {
      hash ??= dtabHash(dtab)
      return hash
    },
  }
}
