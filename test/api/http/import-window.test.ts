import { describe, expect, it } from 'vitest'
import { ImportWindow } from '../../../api/http/import-window.ts'
import { NamingError } from '../../../naming/errors.ts'
import type { ImportResult } from '../../../storage/import.ts'
import type { Version } from '../../../storage/store.ts'
import { turns } from './http-api.fixture.ts'

const meta = { author: 'ann', verified: false, message: '', time: 0, parent: 0 }

async function* versionsOf(namespace: string, count: number, length: number): AsyncGenerator<Version> {
  for (let version = 1; version <= count; version++) yield { namespace, version, text: 'x'.repeat(length), meta }
}

/** Brings in as a test lets it; reads the versions only then. */
class Store {
  readonly begun: string[] = []
  readonly read: Record<string, number> = {}
  readonly #waiting = new Map<string, () => void>()

  bring =
    (namespace: string, error?: NamingError) =>
    async (versions: AsyncIterable<Version>): Promise<ImportResult> => {
      this.begun.push(namespace)
      await new Promise<void>(resolve => this.#waiting.set(namespace, resolve))
      for await (const _ of versions) this.read[namespace] = (this.read[namespace] ?? 0) + 1
      return { namespace, outcome: error === undefined ? 'imported' : 'refused', ...(error && { error }) }
    }

  release(...namespaces: readonly string[]): void {
    for (const namespace of namespaces) this.#waiting.get(namespace)?.()
  }
}

const isStop = ({ error }: ImportResult): boolean => error !== undefined

describe('the imports under way', () => {
  it('are at most eight small ones, and their results keep the order', async () => {
    const store = new Store()
    const window = new ImportWindow(isStop)
    const names = Array.from({ length: 10 }, (_, i) => `n${i}`)
    const adding = (async () => {
      for (const name of names) await window.add(versionsOf(name, 2, 10), store.bring(name))
      await window.finish()
    })()
    await turns()
    expect(store.begun).toEqual(names.slice(0, 8))
    store.release(...names.slice(1, 8))
    await turns()
    expect(store.begun).toHaveLength(8)
    store.release('n0')
    await turns()
    expect(store.begun).toEqual(names)
    store.release('n8', 'n9')
    await adding
    expect(window.results.map(({ namespace }) => namespace)).toEqual(names)
  })

  it('are one, when it is too large to be held', async () => {
    const store = new Store()
    const window = new ImportWindow(isStop)
    const adding = (async () => {
      await window.add(versionsOf('small', 1, 10), store.bring('small'))
      await window.add(versionsOf('large', 50, 20_000), store.bring('large'))
      await window.add(versionsOf('after', 1, 10), store.bring('after'))
      await window.finish()
    })()
    await turns()
    expect(store.begun).toEqual(['small'])
    store.release('small')
    await turns()
    expect(store.begun).toEqual(['small', 'large'])
    store.release('large')
    await turns()
    store.release('after')
    await adding
    expect(store.read).toEqual({ small: 1, large: 50, after: 1 })
  })

  it('end with the first that is refused, and are waited for', async () => {
    const store = new Store()
    const window = new ImportWindow(isStop)
    const refusal = new NamingError('dtab-exists', 'here already')
    await window.add(versionsOf('a', 1, 10), store.bring('a', refusal))
    await window.add(versionsOf('b', 1, 10), store.bring('b'))
    store.release('a')
    await expect(window.finish()).rejects.toBe(refusal)
    let isSettled = false
    const settling = window.settle().then(() => {
      isSettled = true
    })
    await turns()
    expect(isSettled).toBe(false)
    store.release('b')
    await settling
  })
})
