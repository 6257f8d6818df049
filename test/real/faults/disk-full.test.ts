import { execFileSync } from 'node:child_process'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { locateTool } from '../../../backends/locate.ts'
import { tempDirectory } from '../../storage/store.fixture.ts'

const filler = join(import.meta.dirname, '../disk-full.fixture.ts')

it('a full disk refuses writes with a reason, reads and watches go on, and writing resumes when there is room', () => {
  const directory = tempDirectory()
  const script = 'mount -t tmpfs -o size=6m none "$1" && exec "$2" "$3" "$1"'
  const arguments_ = ['--mount', '--map-root-user', 'sh', '-c', script, 'sh', directory.path, process.execPath, filler]
  const saw: unknown = JSON.parse(execFileSync(locateTool('unshare'), arguments_, { encoding: 'utf8' }))
  directory.remove()
  const last = (saw as { last: number }).last
  expect(last).toBeGreaterThan(5)
  const path = join(directory.path, 'store.db')
  const message = `The database ${path} cannot be written: the disk has no room. Free some space; nothing else is needed.`
  expect(saw).toEqual({
    refusal: ['store-full', message],
    last,
    head: last,
    first: 1,
    resumed: last + 1,
    watched: last + 1,
  })
})
