import { execFileSync } from 'node:child_process'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { z } from 'zod'
import { locateTool } from '../../../backends/locate.ts'
import { tempDirectory } from '../../storage/store.fixture.ts'

const filler = join(import.meta.dirname, '../disk-full.fixture.ts')

const report = z.looseObject({ last: z.number() })

it('a full disk refuses writes with 507 and a reason, reads and watches go on, writing resumes when there is room, and nothing is lost', () => {
  const directory = tempDirectory()
  const script = 'mount -t tmpfs -o size=9m none "$1" && exec "$2" "$3" "$1"'
  const arguments_ = ['--mount', '--map-root-user', 'sh', '-c', script, 'sh', directory.path, process.execPath, filler]
  const saw = report.parse(JSON.parse(execFileSync(locateTool('unshare'), arguments_, { encoding: 'utf8' })))
  directory.remove()
  const { last } = saw
  expect(last).toBeGreaterThan(5)
  const path = join(directory.path, 'store.db')
  const refusal = {
    status: 507,
    code: 'store-full',
    detail: `The database ${path} cannot be written: the disk has no room. Free some space; nothing else is needed.`,
  }
  expect(saw).toEqual({
    refusal,
    last,
    whileFull: { head: last, first: 1, bind: 200, ready: 200, again: refusal },
    resumed: last + 1,
    watched: last + 1,
    after: { head: last + 1, all: true },
  })
})
