import { join } from 'node:path'
import { expect, it } from 'vitest'
import { Reader } from '../../../storage/sqlite/reader.ts'
import { largeTextBytes } from '../../../storage/sqlite/rows.ts'
import { Writer } from '../../../storage/sqlite/writer.ts'
import { request } from '../../contract/store.contract.ts'
import { tempDirectory } from '../store.fixture.ts'

it('a large head that is asked for again is the present one, and a deletion when it is deleted', () => {
  const directory = tempDirectory()
  const path = join(directory.path, 'store.db')
  const writer = new Writer(path, 0)
  const reader = new Reader(path)
  const write = (namespace: string, text: string | undefined): void => {
    writer.run([{ kind: 'write', request: request(namespace, text) }], 0)
  }
  const large = (letter: string): string => `# ${letter.repeat(largeTextBytes)}`
  write('a', large('a'))
  write('b', large('b'))
  for (const _ of [1, 2]) {
    expect(reader.head('a')).toMatchObject({ namespace: 'a', version: 1, text: large('a') })
    expect(reader.head('a')).toMatchObject({ namespace: 'a', version: 1, text: large('a') })
    expect(reader.head('b')).toMatchObject({ namespace: 'b', version: 1, text: large('b') })
  }
  write('b', large('c'))
  expect(reader.head('b')).toMatchObject({ version: 2, text: large('c') })
  write('b', '/small=>/one')
  expect(reader.head('b')).toMatchObject({ version: 3, text: '/small=>/one' })
  write('b', undefined)
  expect(reader.head('b')).not.toHaveProperty('text')
  expect(reader.head('b')).toMatchObject({ version: 4 })
  reader.close()
  writer.close()
  directory.remove()
})
