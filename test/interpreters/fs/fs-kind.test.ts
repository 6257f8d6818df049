import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { fs } from '../../../interpreters/fs/index.ts'
import { silentLog } from '../../../runtime/log.ts'
import { createMetrics } from '../../../runtime/metrics.ts'
import { systemClock, systemRandom } from '../../../watch/clock.ts'
import { createKernel } from '../../../watch/kernel.ts'
import { createTempDir } from './fs.fixture.ts'

const env = {
  kernel: createKernel({ clock: systemClock, onError: () => {} }),
  clock: systemClock,
  random: systemRandom,
  log: silentLog,
  metrics: createMetrics(),
}

describe('the kind io.l5d.fs', () => {
  it('has its own name as prefix unless another is given', () => {
    expect(fs.config.parse({ rootDir: '/disco' })).toEqual({
      rootDir: '/disco',
      prefix: ['#', 'io.l5d.fs'],
      emptyIsNeg: false,
      emptyHoldDownMs: 1000,
    })
    expect(fs.config.parse({ rootDir: '/disco', prefix: '/a/b' }).prefix).toEqual(['#', 'a', 'b'])
  })

  it.each([
    [{}, 'rootDir'],
    [{ rootDir: '' }, 'rootDir'],
    [{ rootDir: '/disco', rootdir: '/disco' }, 'rootdir'],
    [{ rootDir: '/disco', prefix: 'disco' }, 'prefix'],
    [{ rootDir: '/disco', prefix: '/' }, 'prefix'],
    [{ rootDir: '/disco', emptyHoldDownMs: -1 }, 'emptyHoldDownMs'],
  ])('refuses %j, naming %s', (config, key) => {
    const checked = fs.config.safeParse(config)
    expect(JSON.stringify(checked.error?.issues)).toContain(key)
  })

  it('does not open on what is no directory, and names it', () => {
    const file = join(createTempDir(), 'file')
    writeFileSync(file, '')
    for (const rootDir of [file, `${file}-absent`, `${file}/below`]) {
      const open = () => fs.open(fs.config.parse({ rootDir }), env)
      expect(open).toThrow(expect.objectContaining({ code: 'bad-config', message: expect.stringContaining(rootDir) }))
    }
  })
})
