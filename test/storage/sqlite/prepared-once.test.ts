import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { Reader } from '../../../storage/sqlite/reader.ts'
import { Writer } from '../../../storage/sqlite/writer.ts'
import { request } from '../../contract/store.contract.ts'
import { tempDirectory } from '../store.fixture.ts'

/** SQLite gives no count of it, but the driver compiles a function for the rows of each statement that was prepared anew. */
function preparationsIn(run: () => void): number {
  using compile = vi.spyOn(globalThis, 'Function')
  run()
  return compile.mock.calls.length
}

describe('a statement', () => {
  let directory: ReturnType<typeof tempDirectory>
  let writer: Writer
  let reader: Reader
  beforeEach(() => {
    directory = tempDirectory()
    const path = join(directory.path, 'store.db')
    writer = new Writer(path, 0)
    reader = new Reader(path)
  })
  afterEach(() => {
    reader.close()
    writer.close()
    directory.remove()
  })

  const write = (namespace: string, key: string): void => {
    const idempotency = { key, fingerprint: '' }
    writer.run([{ kind: 'write', request: request(namespace, '1', { idempotency }) }], 0)
    writer.run([{ kind: 'write', request: request(namespace, '2') }], 0)
    writer.run([{ kind: 'write', request: request(namespace, '1', { idempotency }) }], 0)
  }

  const read = (namespace: string, key: string): void => {
    reader.head(namespace)
    reader.version(namespace, 1)
    reader.history(namespace, { limit: 3 })
    reader.recall(namespace, { key, fingerprint: '' }, 0)
    reader.unsettledRow(namespace)
    reader.headsSince(0)
    reader.summaries()
  }

  it.each([
    ['writes', write],
    ['reads', read],
  ])('that %s is prepared once, not for each value it is called with', (_, run) => {
    write('a', 'k')
    write('b', 'l')
    const runAll = (): void => {
      for (const [namespace, key] of ['bk', 'al', 'ck', 'bm']) run(namespace ?? '', key ?? '')
    }
    runAll()
    expect(preparationsIn(runAll)).toBe(0)
  })
})
