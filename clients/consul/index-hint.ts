// What the next query says of the index it has seen. An index is a hint of when to answer and never orders states: each
// server may count on its own, and a restarted one begins anew.

/** How an answer's index stands to the one that was asked with. */
export type IndexStep = 'usual' | 'fell'

export class IndexHint {
  #next: bigint | undefined

  /** What to ask with; undefined asks for an answer at once. */
  get next(): string | undefined {
    return this.#next?.toString()
  }

  /** Takes an answer's X-Consul-Index. One that is missing, malformed, 0 or below the last one is not asked with. */
  learn(header: string | undefined): IndexStep {
    const index = parseIndex(header)
    const fell = index !== undefined && this.#next !== undefined && index < this.#next
    this.#next = fell ? undefined : index
    return fell ? 'fell' : 'usual'
  }

  forget(): void {
    this.#next = undefined
  }
}

function parseIndex(text: string | undefined): bigint | undefined {
  if (text === undefined || !/^\d{1,20}$/.test(text)) return undefined
  const index = BigInt(text)
  return index === 0n ? undefined : index
}
