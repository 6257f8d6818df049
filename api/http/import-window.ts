// Several namespaces of an import on their way into the store at a time, for each waits for the disk or the network. Small
// ones only: a large one goes alone, as it is read. Knows neither format nor store.
import type { ImportResult } from '../../storage/import.ts'
import type { Version } from '../../storage/store.ts'

const maxRunning = 8
/** Of the texts of a namespace that is read whole before it is brought in. */
const maxHeldLength = 256 * 1024
const maxHeldVersions = 1_000

type Bring = (versions: AsyncIterable<Version>) => Promise<ImportResult>
type Outcome = { readonly result: ImportResult } | { readonly error: unknown }

/** Of one import. Nothing is under way any more once `settle` has resolved. */
export class ImportWindow {
  readonly #running: Promise<Outcome>[] = []
  readonly #isStop: (result: ImportResult) => boolean
  /** In the order in which they were begun. */
  readonly results: ImportResult[] = []

  /** `isStop`: this result ends the import by its error. */
  constructor(isStop: (result: ImportResult) => boolean) {
    this.#isStop = isStop
  }

  /** Resolves once the versions were read; throws what went wrong with this namespace or with one that was begun before. */
  async add(versions: AsyncGenerator<Version>, bring: Bring): Promise<void> {
    const held = await hold(versions)
    const isAlone = !held.isWhole || held.error !== undefined
    if (isAlone) await this.finish()
    else if (this.#running.length >= maxRunning) await this.#takeOldest()
    this.#running.push(outcomeOf(bring(held.isWhole ? replay(held) : chained(held, versions))))
    if (isAlone) await this.finish()
  }

  /** Throws as `add` does. */
  async finish(): Promise<void> {
    while (this.#running.length > 0) await this.#takeOldest()
  }

  /** Never rejects. */
  async settle(): Promise<void> {
    await Promise.all(this.#running.splice(0))
  }

  async #takeOldest(): Promise<void> {
    const outcome = await this.#running.shift()
    if (outcome === undefined) return
    if ('error' in outcome) throw outcome.error
    if (this.#isStop(outcome.result)) throw outcome.result.error
    this.results.push(outcome.result)
  }
}

interface Held {
  readonly versions: readonly Version[]
  /** There are no more. */
  readonly isWhole: boolean
  /** What came in place of the next one. */
  readonly error?: unknown
}

async function hold(versions: AsyncGenerator<Version>): Promise<Held> {
  const held: Version[] = []
  let length = 0
  try {
    while (length <= maxHeldLength && held.length < maxHeldVersions) {
      const next = await versions.next()
      if (next.done === true) return { versions: held, isWhole: true }
      held.push(next.value)
      length += next.value.text?.length ?? 0
    }
    return { versions: held, isWhole: false }
  } catch (error) {
    return { versions: held, isWhole: true, error }
  }
}

async function* replay({ versions, error }: Held): AsyncGenerator<Version> {
  yield* versions
  if (error !== undefined) throw error
}

async function* chained({ versions }: Held, rest: AsyncGenerator<Version>): AsyncGenerator<Version> {
  yield* versions
  yield* rest
}

async function outcomeOf(running: Promise<ImportResult>): Promise<Outcome> {
  try {
    return { result: await running }
  } catch (error) {
    return { error }
  }
}
