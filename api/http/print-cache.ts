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
  /** Grows once it is printed. */
  chars: number
  outcome: Promise<Result<Coded>> | undefined
}

export class PrintCache {
  /** The one used last stands last. */
  #kept: Printed[] = []

  /** What was printed of this very text, or is being; `print` is asked when there is none. */
  print(text: string, as: Printing, print: () => Promise<Result<Coded>>): Promise<Result<Coded>> {
    const known = this.#kept.find(printed => printed.as === as && printed.text === text)
    const printed = known ?? { text, as, chars: text.length, outcome: undefined }
    this.#drop(printed)
    this.#kept.push(printed)
    printed.outcome ??= this.#run(printed, print)
    return printed.outcome
  }

  /** A failure may pass, and is nothing to keep. */
  async #run(printed: Printed, print: () => Promise<Result<Coded>>): Promise<Result<Coded>> {
    let result: Result<Coded> | undefined
    try {
      result = await print()
      return result
    } finally {
      if (result?.ok === true) printed.chars += result.value.text.length
      else this.#drop(printed)
      this.#shrink()
    }
  }

  #drop(printed: Printed): void {
    this.#kept = this.#kept.filter(other => other !== printed)
  }

  #shrink(): void {
    const total = (): number => this.#kept.reduce((sum, { chars }) => sum + chars, 0)
    while (this.#kept.length > keptTexts || total() > keptChars) this.#kept.shift()
  }
}
