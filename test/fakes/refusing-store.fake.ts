// A store in whose place for some namespaces somebody left texts that are no dtabs, as a test says.
import type { RefusedText, Store } from '../../storage/store.ts'
import type { Input, Kernel } from '../../watch/cell.ts'

export class RefusingStore {
  #cell: Input<readonly RefusedText[]> | undefined

  /** To be put between a store and the API. */
  readonly wrap = (store: Store, kernel: Kernel): Store => {
    const cell = kernel.input<readonly RefusedText[]>('refusals', { initial: [] })
    this.#cell = cell
    return new Proxy(store, {
      get: (target, name: keyof Store) => {
        if (name === 'refusals') return () => cell
        const member: unknown = target[name]
        return typeof member === 'function' ? member.bind(target) : member
      },
    })
  }

  /** What is refused from now on. */
  refuse(...texts: readonly RefusedText[]): void {
    this.#cell?.set(texts)
  }
}

/** A refusal of 12 bytes at line 2, column 4. */
export function refusedText(namespace: string): RefusedText {
  const position = { offset: 9, line: 2, column: 4 }
  return { namespace, reason: "'=>' expected.", position, bytes: 12, since: 1_700_000_000_000 }
}
