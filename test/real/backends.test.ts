import { spawnSync } from 'node:child_process'
import { describe, expect, it } from 'vitest'
import { lockCache } from '../../backends/cache-lock.ts'
import { backends, systemTools } from '../../backends/catalogue.ts'
import { locateBackend, locateTool } from '../../backends/locate.ts'
import { findVersion } from '../../backends/version.ts'
import { tempDirectory } from '../storage/store.fixture.ts'

const never = new AbortController().signal

describe('the real backends', () => {
  it.each(backends)('have $name in version $version', ({ name, version, askVersion }) => {
    const { stdout } = spawnSync(locateBackend(name), askVersion, { encoding: 'utf8' })
    expect(findVersion(stdout)).toBe(version)
  })

  it('have every tool of the system', () => {
    for (const { command } of systemTools) expect(locateTool(command)).toMatch(/^\//)
  })

  it('are made by one run at a time, and the next begins when that ends', async () => {
    const directory = tempDirectory()
    const first = await lockCache(directory.path, () => {}, never)
    const events: string[] = []
    const second = lockCache(directory.path, () => events.push('waits'), never)
    await expect.poll(() => events, { timeout: 20_000 }).toEqual(['waits'])
    events.push('first ends')
    first[Symbol.dispose]()
    ;(await second)[Symbol.dispose]()
    expect(events).toEqual(['waits', 'first ends'])
    directory.remove()
  })

  it('give up waiting when the run is told to end', async () => {
    const directory = tempDirectory()
    const held = await lockCache(directory.path, () => {}, never)
    const controller = new AbortController()
    const waiting = lockCache(directory.path, () => controller.abort('SIGINT'), controller.signal)
    await expect(waiting).rejects.toBe('SIGINT')
    held[Symbol.dispose]()
    directory.remove()
  })
})
