import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { locateTool } from '../../backends/locate.ts'
import { tempDirectory } from '../storage/store.fixture.ts'
import { answeredTooEarly, readTrace } from './system-calls.fixture.ts'

const writer = join(import.meta.dirname, 'durable-writer.fixture.ts')

describe('S8: the disk has a version before its writer has an answer', () => {
  let directory: ReturnType<typeof tempDirectory>
  beforeEach(() => {
    directory = tempDirectory()
  })
  afterEach(() => directory.remove())

  it.each([
    { clients: 1, writesEach: 100 },
    { clients: 50, writesEach: 10 },
  ])('with $clients clients of $writesEach writes, as strace sees it', ({ clients, writesEach }) => {
    const path = join(directory.path, 'store.db')
    const output = join(directory.path, 'trace')
    const calls = 'trace=write,pwrite64,fsync,fdatasync'
    const command = [process.execPath, writer, path, String(clients), String(writesEach)]
    execFileSync(locateTool('strace'), ['-f', '-y', '-s', '4200', '-e', calls, '-o', output, ...command])
    const traced = readTrace(readFileSync(output, 'utf8'), `${path}-wal`)
    expect(traced.answers).toHaveLength(clients * writesEach)
    expect(answeredTooEarly(traced)).toEqual([])
    expect(traced.logSyncs.length).toBeLessThanOrEqual(clients * writesEach + 10)
  })
})
