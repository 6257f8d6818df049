// L2: Kernel events that do not come, come under another name or come too early: swaps, renames, half-written files.
import {
  chmodSync,
  closeSync,
  mkdirSync,
  openSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
  writeSync,
} from 'node:fs'
import { describe, expect, it } from 'vitest'
import type { Disk } from '../../interpreters/fs/disk.ts'
import { nodeDisk } from '../../interpreters/fs/node-disk.ts'
import type { ReplicaSet } from '../../naming/replica-set.ts'
import type { State } from '../../watch/state.ts'
import { FakeClock } from '../fakes/clock.fake.ts'
import { FakeDisk, fakeRoot, settle } from '../interpreters/fs/disk.fake.ts'
import {
  createCountedDisk,
  createFsFixture,
  createTrialClock,
  type FsFixture,
  isNeg,
  shownEndpoints,
  shows,
} from '../interpreters/fs/fs.fixture.ts'

const idle = { watching: 3_600_000, polling: 3_600_000, absent: 3_600_000 }

/** A new directory becomes the content of a mounted volume, as the kubelet does it. */
function swapVolume(fixture: FsFixture, version: number, text: string): void {
  const dir = `..v${version}`
  mkdirSync(fixture.at(dir))
  writeFileSync(fixture.at(dir, 'web'), text)
  symlinkSync(dir, fixture.at('..data_tmp'))
  renameSync(fixture.at('..data_tmp'), fixture.at('..data'))
  rmSync(fixture.at(`..v${version - 1}`), { recursive: true, force: true })
}

describe('L2: swaps, renames and writes of files', () => {
  it('sees each of 300 swaps of a ..data link, without a trial and without a poll', async () => {
    const clock = createTrialClock()
    const disk = createCountedDisk()
    const fixture = createFsFixture({ clock, disk, intervals: idle })
    swapVolume(fixture, 1, '10.0.0.1 1\n')
    symlinkSync('..data/web', fixture.at('web'))
    const replicas = fixture.replicas('/web')
    await replicas.until(shows('10.0.0.1:1'))
    for (let version = 2; version <= 301; version++) {
      swapVolume(fixture, version, `10.0.0.1 ${version}`)
      await replicas.until(shows(`10.0.0.1:${version}`))
    }
    expect(replicas.states.filter(state => state.kind !== 'pending')).toHaveLength(301)
    expect(clock.trials).toBe(0)
    expect(disk.counts.opened).toBe(1)
  })

  it('reads a link again for the names that it leads through, and for no other', async () => {
    const fixture = createFsFixture()
    swapVolume(fixture, 1, '10.0.0.1 1\n')
    symlinkSync('..data/web', fixture.at('web'))
    symlinkSync('./web', fixture.at('alias'))
    symlinkSync(fixture.at('web'), fixture.at('absolute'))
    const via = async (name: string) => {
      const reading = await nodeDisk.read(fixture.at(name))
      return reading.kind === 'file' ? reading.via : reading.kind
    }
    expect(await via('web')).toEqual(['..data', '..v1'])
    expect(await via('alias')).toEqual(['web', '..data', '..v1'])
    expect(await via('absolute')).toBeUndefined()
    rmSync(fixture.at('..v1', 'web'))
    symlinkSync('../real', fixture.at('..v1', 'web'))
    writeFileSync(fixture.at('real'), '10.0.0.1 1\n')
    expect(await via('web')).toBeUndefined()
  })

  it('does not read two thousand links again because another name came', async () => {
    const clock = new FakeClock()
    const disk = new FakeDisk(Object.fromEntries(Array.from({ length: 2_000 }, (_, i) => [`n${i}`, '10.0.0.1 1\n'])))
    disk.linksVia = ['..data']
    const fixture = createFsFixture({ clock, disk, rootDir: fakeRoot })
    for (const name of disk.files.keys()) fixture.replicas(`/${name}`)
    await settle(clock)
    const before = disk.reads
    for (let i = 0; i < 1_000; i++) disk.tell('rename', `other${i}`)
    await settle(clock)
    expect(disk.reads).toBe(before)
    disk.tell('rename', '..data')
    await settle(clock)
    expect(disk.reads).toBe(before + 2_000)
  })

  it('does not look at a directory again because another name came beside it, unless it is a link', async () => {
    const looked: string[] = []
    const identity: typeof nodeDisk.identity = directory => {
      looked.push(directory.slice(directory.lastIndexOf('/') + 1))
      return nodeDisk.identity(directory)
    }
    const fixture = createFsFixture({ disk: createCountedDisk({ identity }), intervals: idle })
    mkdirSync(fixture.at('team'))
    symlinkSync('team', fixture.at('linked'))
    writeFileSync(fixture.at('team', 'web'), '10.0.0.1 1\n')
    writeFileSync(fixture.at('last'), '10.0.0.1 1\n')
    const last = fixture.replicas('/last')
    await last.until(shows('10.0.0.1:1'))
    for (const name of ['team', 'linked']) await fixture.replicas(`/${name}/web`).until(shows('10.0.0.1:1'))
    writeFileSync(fixture.at('last'), '10.0.0.1 1\n10.0.0.1 2\n')
    await last.until(shows('10.0.0.1:1 10.0.0.1:2'))
    looked.length = 0
    for (let i = 0; i < 100; i++) writeFileSync(fixture.at(`other${i}`), '')
    writeFileSync(fixture.at('last'), '10.0.0.1 1\n10.0.0.1 2\n10.0.0.1 3\n')
    await last.until(shows('10.0.0.1:1 10.0.0.1:2 10.0.0.1:3'))
    expect(new Set(looked)).toEqual(new Set(['linked']))
  })

  it('publishes a rename at once, also when endpoints go and no line ends it', async () => {
    const clock = createTrialClock()
    const fixture = createFsFixture({ clock, intervals: idle })
    writeFileSync(fixture.at('web'), '10.0.0.1 80\n10.0.0.2 80\n')
    const replicas = fixture.replicas('/web')
    await replicas.until(shows('10.0.0.1:80 10.0.0.2:80'))
    for (let round = 1; round <= 100; round++) {
      writeFileSync(fixture.at('web.tmp'), `10.0.1.1 ${round}`)
      renameSync(fixture.at('web.tmp'), fixture.at('web'))
      await replicas.until(shows(`10.0.1.1:${round}`))
    }
    expect(clock.trials).toBe(0)
  })

  it('publishes the last of many renames in a row', async () => {
    const fixture = createFsFixture({ intervals: idle })
    writeFileSync(fixture.at('web'), '10.0.0.1 1\n')
    const replicas = fixture.replicas('/web')
    await replicas.until(shows('10.0.0.1:1'))
    for (let round = 2; round <= 200; round++) {
      writeFileSync(fixture.at('web.tmp'), `10.0.0.1 ${round}\n`)
      renameSync(fixture.at('web.tmp'), fixture.at('web'))
    }
    await replicas.until(shows('10.0.0.1:200'))
  })

  it('publishes an in-place addition at once', async () => {
    const clock = createTrialClock()
    const fixture = createFsFixture({ clock, intervals: idle })
    writeFileSync(fixture.at('web'), '10.0.0.1 80\n')
    const replicas = fixture.replicas('/web')
    await replicas.until(shows('10.0.0.1:80'))
    writeFileSync(fixture.at('web'), '10.0.0.2 80\n', { flag: 'a' })
    await replicas.until(shows('10.0.0.1:80 10.0.0.2:80'))
    expect(clock.trials).toBe(0)
  })

  it.each([
    ['cut in a line', '10.0.0.1 80\n10.0.0.2 8'],
    ['cut after a line', '10.0.0.1 80\n'],
    ['empty', ''],
  ])('publishes nothing of a file that is truncated and written again while it is %s', async (_how, half) => {
    const clock = createTrialClock()
    const fixture = createFsFixture({ clock, intervals: idle })
    const whole = '10.0.0.1 80\n10.0.0.2 80\n'
    writeFileSync(fixture.at('web'), whole)
    const replicas = fixture.replicas('/web')
    await replicas.until(shows('10.0.0.1:80 10.0.0.2:80'))
    const before = replicas.states.length
    const trial = clock.nextTrial()
    const file = openSync(fixture.at('web'), 'w')
    writeSync(file, half)
    await trial
    expect(replicas.states.length).toBe(before)
    writeSync(file, `${whole.slice(half.length)}10.0.0.3 80\n`)
    closeSync(file)
    await replicas.until(shows('10.0.0.1:80 10.0.0.2:80 10.0.0.3:80'))
    expect(replicas.states.length).toBe(before + 1)
  })

  it('publishes nothing of a file that is deleted and written again', async () => {
    const clock = createTrialClock()
    const fixture = createFsFixture({ clock, intervals: idle })
    writeFileSync(fixture.at('web'), '10.0.0.1 80\n10.0.0.2 80\n')
    const replicas = fixture.replicas('/web')
    await replicas.until(shows('10.0.0.1:80 10.0.0.2:80'))
    const before = replicas.states.length
    const trial = clock.nextTrial()
    rmSync(fixture.at('web'))
    const file = openSync(fixture.at('web'), 'w')
    writeSync(file, '10.0.0.1 80\n')
    await trial
    expect(replicas.states.length).toBe(before)
    writeSync(file, '10.0.0.2 81\n10.0.0.2 80\n')
    closeSync(file)
    await replicas.until(shows('10.0.0.1:80 10.0.0.2:81 10.0.0.2:80'))
    expect(replicas.states.length).toBe(before + 1)
  })

  it('publishes a removal, an emptied file and a deletion once they have stayed the same', async () => {
    const clock = createTrialClock()
    const fixture = createFsFixture({ clock, intervals: idle })
    writeFileSync(fixture.at('web'), '10.0.0.1 80\n10.0.0.2 80\n')
    const replicas = fixture.replicas('/web')
    await replicas.until(shows('10.0.0.1:80 10.0.0.2:80'))
    const steps: [() => void, (state: State<ReplicaSet>) => boolean][] = [
      [() => writeFileSync(fixture.at('web'), '10.0.0.2 80\n'), shows('10.0.0.2:80')],
      [() => writeFileSync(fixture.at('web'), ''), shows('')],
      [() => rmSync(fixture.at('web')), isNeg],
    ]
    for (const [change, shown] of steps) {
      const trial = clock.nextTrial()
      const before = replicas.states.length
      change()
      await trial
      expect(replicas.states.length).toBe(before)
      clock.release()
      await replicas.until(shown)
    }
  })

  it('keeps the last endpoints, stale, while the file cannot be read', async () => {
    let refuses = false
    const read: Disk['read'] = async path => {
      const error = Object.assign(new Error('EACCES: permission denied'), { code: 'EACCES' })
      return refuses ? { kind: 'unreadable', isLink: false, error } : nodeDisk.read(path)
    }
    const fixture = createFsFixture({ disk: createCountedDisk({ read }), intervals: idle })
    writeFileSync(fixture.at('web'), '10.0.0.1 80\n')
    const replicas = fixture.replicas('/web')
    await replicas.until(shows('10.0.0.1:80'))
    refuses = true
    chmodSync(fixture.at('web'), 0o000)
    const stale = await replicas.until(state => state.kind === 'ok' && state.stale !== undefined)
    expect(shownEndpoints(stale)).toBe('10.0.0.1:80')
    refuses = false
    chmodSync(fixture.at('web'), 0o644)
    await replicas.until(state => state.kind === 'ok' && state.stale === undefined)
  })

  it('reads everything again when the events do not say what changed', async () => {
    const disk = createCountedDisk({ tellsWrites: false })
    const silent: Disk = { ...disk, watch: (directory, _onEvent, onError) => disk.watch(directory, ignore, onError) }
    const fixture = createFsFixture({ disk: silent, intervals: { ...idle, watching: 20 } })
    for (const name of ['api', 'web']) writeFileSync(fixture.at(name), '10.0.0.1 80\n')
    const followed = ['/api', '/web'].map(path => fixture.replicas(path))
    await Promise.all(followed.map(replicas => replicas.until(shows('10.0.0.1:80'))))
    for (const name of ['api', 'web']) writeFileSync(fixture.at(name), '10.0.0.2 80\n')
    await Promise.all(followed.map(replicas => replicas.until(shows('10.0.0.2:80'))))
  })
})

const ignore = (): void => {}

describe('L2: on a disk that tells little', () => {
  it('compares content at each poll, so that a time that does not move hides nothing', async () => {
    const clock = new FakeClock()
    const disk = new FakeDisk({ web: '10.0.0.1 80\n' })
    const fixture = createFsFixture({ clock, disk, rootDir: fakeRoot })
    const replicas = fixture.replicas('/web')
    await settle(clock)
    expect(shownEndpoints(replicas.last)).toBe('10.0.0.1:80')
    disk.files.set('web', '10.0.0.1 80\n10.0.0.2 80\n')
    clock.advance(2999)
    await settle(clock)
    expect(shownEndpoints(replicas.last)).toBe('10.0.0.1:80')
    clock.advance(1)
    await settle(clock)
    expect(shownEndpoints(replicas.last)).toBe('10.0.0.1:80 10.0.0.2:80')
  })

  it('reads every file again after an event without a name', async () => {
    const clock = new FakeClock()
    const names = ['a', 'b', 'c']
    const disk = new FakeDisk(Object.fromEntries(names.map(name => [name, '10.0.0.1 80\n'])))
    const fixture = createFsFixture({ clock, disk, rootDir: fakeRoot })
    const followed = ['/a', '/b', '/c'].map(path => fixture.replicas(path))
    await settle(clock)
    disk.reads = 0
    for (const name of names) disk.files.set(name, '10.0.0.1 80\n10.0.0.2 80\n')
    disk.tell('change')
    await settle(clock)
    expect(disk.reads).toBe(3)
    for (const replicas of followed) expect(shownEndpoints(replicas.last)).toBe('10.0.0.1:80 10.0.0.2:80')
  })

  it('counts 50 ms from the last change of content, not from the last event', async () => {
    const clock = new FakeClock()
    const disk = new FakeDisk({ web: '10.0.0.1 80\n10.0.0.2 80\n' })
    const fixture = createFsFixture({ clock, disk, rootDir: fakeRoot })
    const replicas = fixture.replicas('/web')
    await settle(clock)
    const step = async (text: string, ms: number): Promise<void> => {
      disk.files.set('web', text)
      disk.tell('change', 'web')
      await settle(clock)
      clock.advance(ms)
      await settle(clock)
    }
    await step('', 49)
    await step('10.0.0.2 80\n', 49)
    expect(shownEndpoints(replicas.last)).toBe('10.0.0.1:80 10.0.0.2:80')
    await step('10.0.0.2 80\n', 1)
    expect(shownEndpoints(replicas.last)).toBe('10.0.0.2:80')
  })
})
