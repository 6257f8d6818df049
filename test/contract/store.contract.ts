// The suite that every store passes: cases as data, run against whatever a factory opens. Knows no backend.
import { afterAll, beforeAll, describe, it } from 'vitest'
import type { Store, WriteRequest } from '../../storage/store.ts'
import type { Kernel } from '../../watch/cell.ts'
import { cellCases } from './store-cells.contract.ts'
import { claimCases } from './store-claims.contract.ts'
import { forgetCases } from './store-forget.contract.ts'
import { historyCases } from './store-history.contract.ts'
import { importCases } from './store-import.contract.ts'
import { keyCases } from './store-keys.contract.ts'
import { textCases } from './store-texts.contract.ts'
import { writeCases } from './store-writes.contract.ts'

/** A store on an empty backend, with its clock in the test's hand or, where the backend is a real one, a real clock. */
export interface StoreFixture {
  readonly store: Store
  readonly kernel: Kernel
  /** Lets this much of the store's time go by, answers of the backend included. On a real clock no more than some twenty seconds. */
  pass(ms: number): Promise<void>
  /** What is written from now on is written so much later by the time of day. Nothing that waits need fall due. */
  age(ms: number): Promise<void>
  /** Lets deliveries and answers come until it holds; rejects when it never does. */
  until(what: string, holds: () => boolean): Promise<void>
  /** Timers and deferred work that wait; undefined where the clock cannot tell. */
  readonly waiting: number | undefined
  close(): Promise<void>
}

export interface StoreCase {
  readonly title: string
  /** Needs a store of its own; the others share one and keep to names that begin with `ns`. */
  readonly fresh?: boolean
  run(fixture: StoreFixture, ns: string): Promise<void>
}

/** A blind write of `text` by a fixed author, with what a case wants different. */
export function request(namespace: string, text: string | undefined, more: Partial<WriteRequest> = {}): WriteRequest {
  const base = { namespace, expect: { kind: 'anything' }, author: 'ann', verified: false, message: '' } as const
  return { ...base, ...(text !== undefined && { text }), ...more }
}

/** The code a promise rejects with; undefined when it does not. */
export async function codeOf(outcome: Promise<unknown>): Promise<unknown> {
  return outcome.then(
    () => undefined,
    (error: unknown) => (error instanceof Error && 'code' in error ? error.code : error),
  )
}

export const storeCases: readonly StoreCase[] = [
  ...writeCases,
  ...keyCases,
  ...historyCases,
  ...textCases,
  ...cellCases,
  ...claimCases,
  ...forgetCases,
  ...importCases,
]

export interface StoreContractOptions {
  /** Cases run side by side, for stores that take their time. */
  readonly concurrent?: boolean
  /** For one case, in ms; vitest's own when absent. */
  readonly timeoutMs?: number
}

/** Runs every case; `open` makes an empty store each time. */
export function storeContract(
  name: string,
  open: () => Promise<StoreFixture>,
  { concurrent = false, timeoutMs }: StoreContractOptions = {},
): void {
  describe(`the ${name} store`, { concurrent, ...(timeoutMs !== undefined && { timeout: timeoutMs }) }, () => {
    let shared: StoreFixture
    beforeAll(async () => {
      shared = await open()
    }, timeoutMs)
    afterAll(() => shared.close(), timeoutMs)
    for (const [index, { title, fresh, run }] of storeCases.entries()) {
      it(title, async () => {
        if (fresh !== true) return run(shared, `case-${index}`)
        const own = await open()
        try {
          await run(own, 'own')
        } finally {
          await own.close()
        }
      })
    }
  })
}
