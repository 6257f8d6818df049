// The texts that others left in a shared backend and that are no dtabs: for operators to see, counted and told once each.

import type { Counter } from 'prom-client'
import type { Env } from '../../runtime/env.ts'
import type { Cell, Sink } from '../../watch/cell.ts'
import { type RefusedText, storageGroup } from '../store.ts'

export interface RefusedTextsOptions {
  readonly kind: string
  readonly env: Env
  readonly lingerMs: number
  /** Follows the backend for as long as the cell is open; what it returns lets go. */
  readonly hold: () => () => void
  /** Whether all that stands in the backend is known. */
  readonly isCurrent: () => boolean
}

interface Refusal {
  /** Undefined once it may stand for something else. */
  token: string | undefined
  readonly refused: RefusedText
}

export class RefusedTexts {
  readonly cell: Cell<readonly RefusedText[]>
  readonly #options: RefusedTextsOptions
  readonly #refusals = new Map<string, Refusal>()
  readonly #total: Counter
  #sink: Sink<readonly RefusedText[]> | undefined

  constructor(options: RefusedTextsOptions) {
    this.#options = options
    const { kind, env, lingerMs } = options
    this.cell = env.kernel.source(`${kind} refused texts`, sink => this.#open(sink), {
      lingerMs,
      group: storageGroup,
      equals: sameRefusals,
    })
    this.#total = env.metrics.counter({
      name: 'nameplane_dtab_refusals_total',
      help: 'Texts found in the store that are no dtabs and were put there past Nameplane.',
    })
    env.metrics.gauge({
      name: 'nameplane_dtabs_refused',
      help: 'Namespaces in whose place a text that is no dtab stands in the store now.',
      collect: () => this.#refusals.size,
    })
  }

  /** Whether this very content was refused before. */
  has(namespace: string, token: string): boolean {
    return this.#refusals.get(namespace)?.token === token
  }

  /** The namespaces of what is refused. */
  get namespaces(): readonly string[] {
    return [...this.#refusals.keys()]
  }

  /** All that is refused is to be looked at again: what it was known by may stand for something else. */
  rewound(): void {
    for (const refusal of this.#refusals.values()) refusal.token = undefined
  }

  put(token: string, refused: Omit<RefusedText, 'since'>): void {
    const { namespace } = refused
    if (this.has(namespace, token)) return
    const { kind, env } = this.#options
    this.#refusals.set(namespace, { token, refused: { ...refused, since: env.clock.now() } })
    this.#total.inc()
    const { reason, position, bytes } = refused
    const place = position === undefined ? {} : { line: position.line, column: position.column }
    env.log.warn(
      { store: kind, namespace, reason, ...place, bytes },
      'a text in the store is no dtab; it is not served',
    )
    this.#publish()
  }

  /** A good text, a write or a deletion took its place. */
  clear(namespace: string): void {
    if (!this.#refusals.delete(namespace)) return
    this.#options.env.log.info({ store: this.#options.kind, namespace }, 'a refused text is gone from the store')
    this.#publish()
  }

  /** All that stands in the backend is known again. */
  heard(): void {
    this.#publish()
  }

  failed(error: Error, retryAt: number): void {
    this.#sink?.fail(error, retryAt)
  }

  contact(): void {
    this.#sink?.contact()
  }

  #open(sink: Sink<readonly RefusedText[]>): () => void {
    this.#sink = sink
    const release = this.#options.hold()
    this.#publish()
    return () => {
      this.#sink = undefined
      release()
    }
  }

  #publish(): void {
    if (this.#sink === undefined || !this.#options.isCurrent()) return
    const refused = [...this.#refusals.values()].map(refusal => refusal.refused)
    this.#sink.set(refused.sort((a, b) => (a.namespace < b.namespace ? -1 : 1)))
  }
}

function sameRefusals(a: readonly RefusedText[], b: readonly RefusedText[]): boolean {
  return a.length === b.length && a.every((refused, i) => refused === b[i])
}
