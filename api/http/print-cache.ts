// The large texts that were printed last, so that a large dtab that many read is printed once. Knows nothing of how.
import type { Result } from '../../naming/result.ts'
import type { Coded } from './codec.ts'
import type { Printing } from './dtab-codec.ts'

/** Of the texts and what was printed of them, in characters. Anything larger is not kept. */
const keptChars = 64 * 1024 * 1024
const keptTexts = 8

interface Printed {
  readonly text: string
  readonly as: Printing
  readonly outcome: Promise<Result<Coded>>
  /** Known once it is printed. */
  chars: number
}

export class PrintCache {
  /** The one used last stands last. */
  #kept: Printed[] = []

  /** What was printed of this very text, or is being; `print` is asked when there is none. */
  print(text: string, as: Printing, print: () => Promise<Result<Coded>>): Promise<Result<Coded>> {
    const known = this.#kept.find(printed => printed.as === as && printed.text === text)
    const printed = known ?? { text, as, outcome: print(), chars: text.length }
    this.#kept = [...this.#kept.filter(other => other !== printed), printed]
    if (known === undefined) void this.#settle(printed)
    return printed.outcome
  }

  /** A failure may pass, and is nothing to keep. */
  async #settle(printed: Printed): Promise<void> {
    const result = await printed.outcome.catch(() => undefined)
    if (result?.ok === true) printed.chars += result.value.text.length
    else this.#kept = this.#kept.filter(other => other !== printed)
    this.#shrink()
  }

  #shrink(): void {
    const total = (): number => this.#kept.reduce((sum, { chars }) => sum + chars, 0)
    while (this.#kept.length > keptTexts || total() > keptChars) this.#kept.shift()
  }
}
