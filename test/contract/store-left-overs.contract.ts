// What a store that several servers share does with what an import has put whose server was killed in the middle.
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { Version } from '../../storage/store.ts'
import { request, type StoreContractOptions, type StoreFixture } from './store.contract.ts'

export interface LeftOverFixture extends StoreFixture {
  /** Stores an old version as an import does, which then does nothing more. */
  leaveOver(version: Version): Promise<void>
}

interface LeftOverCase {
  readonly title: string
  run(fixture: LeftOverFixture, ns: string): Promise<void>
}

function past(ns: string, version: number, parent: number, text: string): Version {
  const meta = { author: 'bo', verified: true, message: '', time: 1_600_000_000_000 + version, parent }
  return { namespace: ns, version, text, meta }
}

async function leaveTen({ leaveOver }: LeftOverFixture, ns: string): Promise<void> {
  for (let version = 1; version <= 10; version++) await leaveOver(past(ns, version, version - 1, '/left=>/over'))
}

/** Writes up to this version; each version says its number. */
async function writeUpTo({ store }: LeftOverFixture, ns: string, last: number): Promise<void> {
  for (let version = 0; version < last; )
    version = (await store.write(request(ns, `/a=>/w`, { message: 'written' }))).written.version
}

/** The numbers of the history, page by page, and those that can be read. */
async function shown({ store }: LeftOverFixture, ns: string): Promise<{ listed: number[]; readable: number[] }> {
  const listed: number[] = []
  for (let before = 99; ; ) {
    const page = await store.history(ns, { before, limit: 5 })
    listed.push(...page.map(({ version }) => version))
    const last = page.at(-1)
    if (last === undefined) break
    before = last.version
  }
  const readable: number[] = []
  for (let version = 20; version > 0; version--)
    if ((await store.version(ns, version)) !== undefined) readable.push(version)
  return { listed, readable }
}

const fallingFrom = (top: number): number[] => Array.from({ length: top }, (_, i) => top - i)
const both = (numbers: number[]) => ({ listed: numbers, readable: numbers })

export const leftOverCases: readonly LeftOverCase[] = [
  {
    title: 'shows nothing of it as long as nobody writes',
    run: async (fixture, ns) => {
      await leaveTen(fixture, ns)
      expect(await fixture.store.head(ns)).toBeUndefined()
      expect(await shown(fixture, ns)).toEqual(both([]))
    },
  },
  {
    title: 'counts from 1 in a write after it, and never shows anything of it, nor when old versions go',
    run: async (fixture, ns) => {
      await leaveTen(fixture, ns)
      expect((await fixture.store.write(request(ns, '/a=>/b'))).written).toMatchObject({ version: 1 })
      expect(await shown(fixture, ns)).toEqual(both([1]))
      await writeUpTo(fixture, ns, 12)
      expect(await shown(fixture, ns)).toEqual(both(fallingFrom(12)))
      await fixture.store.forget(ns, [1, 2, 11])
      expect(await shown(fixture, ns)).toEqual(both([12, 10, 9, 8, 7, 6, 5, 4, 3]))
      expect((await fixture.store.version(ns, 5))?.text).toBe('/a=>/w')
    },
  },
  {
    title: 'lets a write that wants no such namespace through',
    run: async (fixture, ns) => {
      await leaveTen(fixture, ns)
      const expectNone = { expect: { kind: 'version', versions: [0] } } as const
      expect((await fixture.store.write(request(ns, '/a=>/b', expectNone))).written).toMatchObject({ version: 1 })
    },
  },
  {
    title: 'brings in another history after it, and nothing of the first shows between its numbers or above them',
    run: async (fixture, ns) => {
      await leaveTen(fixture, ns)
      const versions = [past(ns, 2, 1, '/a=>/b2'), past(ns, 6, 4, '/a=>/b6'), past(ns, 7, 6, '/a=>/b7')]
      await fixture.store.importHistory(ns, versions)
      expect(await shown(fixture, ns)).toEqual(both([7, 6, 2]))
      await writeUpTo(fixture, ns, 12)
      expect(await shown(fixture, ns)).toEqual(both([12, 11, 10, 9, 8, 7, 6, 2]))
    },
  },
  {
    title: 'brings in a history of one version after it',
    run: async (fixture, ns) => {
      await leaveTen(fixture, ns)
      await fixture.store.importHistory(ns, [past(ns, 4, 3, '/a=>/b4')])
      expect(await shown(fixture, ns)).toEqual(both([4]))
      await writeUpTo(fixture, ns, 11)
      expect(await shown(fixture, ns)).toEqual(both([11, 10, 9, 8, 7, 6, 5, 4]))
    },
  },
]

/** Runs every case on one store. */
export function storeLeftOverContract(
  name: string,
  open: () => Promise<LeftOverFixture>,
  { concurrent = false, timeoutMs }: StoreContractOptions = {},
): void {
  const options = { concurrent, ...(timeoutMs !== undefined && { timeout: timeoutMs }) }
  describe(`the ${name} store after an import that was killed`, options, () => {
    let fixture: LeftOverFixture
    beforeAll(async () => {
      fixture = await open()
    }, timeoutMs)
    afterAll(() => fixture.close(), timeoutMs)
    for (const [index, { title, run }] of leftOverCases.entries()) it(title, () => run(fixture, `left-${index}`))
  })
}
