// L1: inotify handles leaked on read errors until the host had none left.
import { mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import type { Disk } from '../../interpreters/fs/disk.ts'
import { nodeDisk } from '../../interpreters/fs/node-disk.ts'
import {
  createCountedDisk,
  createFsFixture,
  hurriedClock,
  isNeg,
  shownEndpoints,
  shows,
} from '../interpreters/fs/fs.fixture.ts'

/** No poll comes to help. */
const idle = { watching: 3_600_000, polling: 3_600_000, absent: 3_600_000 }
const quickly = { watching: 20, polling: 10, absent: 2 }

/** The kernel's own list of inotify watches of this process on one directory. */
function kernelWatches(directory: string): number {
  const inode = statSync(directory).ino.toString(16)
  const lines = readdirSync('/proc/self/fd').flatMap(fd => inotifyLines(fd))
  return lines.filter(line => line.includes(` ino:${inode} `)).length
}

function inotifyLines(fd: string): string[] {
  try {
    return readFileSync(`/proc/self/fdinfo/${fd}`, 'utf8')
      .split('\n')
      .filter(line => line.startsWith('inotify wd:'))
  } catch {
    return [] // The descriptor was closed since it was listed.
  }
}

describe('L1: file watch handles', () => {
  it('holds one watch however often the directory is deleted and created again', async () => {
    const disk = createCountedDisk()
    const fixture = createFsFixture({ disk, intervals: idle, clock: hurriedClock })
    mkdirSync(fixture.at('team'))
    const replicas = fixture.replicas('/team/web')
    for (let round = 1; round <= 300; round++) {
      writeFileSync(fixture.at('team', 'web'), `10.0.0.1 ${round}\n`)
      await replicas.until(shows(`10.0.0.1:${round}`))
      rmSync(fixture.at('team'), { recursive: true })
      if (round % 100 === 0) await replicas.until(isNeg)
      mkdirSync(fixture.at('team'))
    }
    writeFileSync(fixture.at('team', 'web'), '10.0.0.1 80\n')
    await replicas.until(shows('10.0.0.1:80'))
    // What the file says may be shown a moment before its new directory is watched.
    await expect.poll(() => disk.counts.open).toBe(2)
    expect(disk.counts.most).toBe(2)
    expect(disk.counts.opened).toBeLessThanOrEqual(2 + 3 * 300)
    expect(kernelWatches(fixture.at('team'))).toBe(1)
    replicas.stop()
    await expect.poll(() => disk.counts.open).toBe(0)
    expect(kernelWatches(fixture.at('team'))).toBe(0)
  })

  it('holds one watch however often the root is deleted and created again', async () => {
    const disk = createCountedDisk()
    const fixture = createFsFixture({ disk, intervals: { ...idle, absent: 2 }, clock: hurriedClock })
    const replicas = fixture.replicas('/web')
    for (let round = 1; round <= 150; round++) {
      writeFileSync(fixture.at('web'), `10.0.0.1 ${round}\n`)
      await replicas.until(shows(`10.0.0.1:${round}`))
      rmSync(fixture.root, { recursive: true })
      if (round % 50 === 0) await replicas.until(isNeg)
      mkdirSync(fixture.root)
    }
    expect(disk.counts.most).toBe(1)
  })

  it('opens nothing more while a file cannot be read, and keeps what it held', async () => {
    let reads = 0
    let isReadable = true
    const read: Disk['read'] = path => {
      reads++
      const error = Object.assign(new Error('EACCES: permission denied'), { code: 'EACCES' })
      return isReadable ? nodeDisk.read(path) : Promise.resolve({ kind: 'unreadable', isLink: false, error })
    }
    const disk = createCountedDisk({ read })
    const fixture = createFsFixture({ disk, intervals: quickly })
    writeFileSync(fixture.at('web'), '10.0.0.1 80\n')
    const replicas = fixture.replicas('/web')
    await replicas.until(shows('10.0.0.1:80'))
    const openBefore = readdirSync('/proc/self/fd').length
    isReadable = false
    for (let round = 0; round < 200; round++) disk.send(fixture.root, 'change', 'web')
    const stale = await replicas.until(state => state.kind === 'ok' && state.stale !== undefined)
    expect(shownEndpoints(stale)).toBe('10.0.0.1:80')
    expect(stale).toMatchObject({
      stale: { reason: { message: expect.stringContaining(`cannot read ${fixture.at('web')}`) } },
    })
    expect(disk.counts).toMatchObject({ opened: 1, open: 1 })
    expect(reads).toBeLessThan(50)
    expect(readdirSync('/proc/self/fd').length).toBeLessThan(openBefore + 20)
    isReadable = true
    await replicas.until(state => state.kind === 'ok' && state.stale === undefined)
  })

  it('polls, and says so, when no watch is left; returns to watching when there is one', async () => {
    const disk = createCountedDisk({ limit: 16 })
    const fixture = createFsFixture({ disk, intervals: quickly })
    const teams = Array.from({ length: 20 }, (_, i) => `team-${i}`)
    for (const team of teams) {
      mkdirSync(fixture.at(team))
      writeFileSync(fixture.at(team, 'web'), '10.0.0.1 80\n')
    }
    const followed = teams.map(team => fixture.replicas(`/${team}/web`))
    await Promise.all(followed.map(replicas => replicas.until(shows('10.0.0.1:80'))))
    expect(disk.counts).toMatchObject({ open: 16, most: 16 })
    expect(fixture.warnings).toHaveLength(5)
    expect(fixture.warnings[0]).toMatch(/no inotify watch is left.*polled every.*max_user_watches/)
    expect((await fixture.metrics.expose()).body).toContain('namer_fs_polled 5')
    for (const team of teams) writeFileSync(fixture.at(team, 'web'), '10.0.0.2 80\n')
    await Promise.all(followed.map(replicas => replicas.until(shows('10.0.0.2:80'))))
    for (const { stop } of followed.slice(0, 10)) stop()
    await expect.poll(() => disk.counts.open).toBe(11)
    expect((await fixture.metrics.expose()).body).toContain('namer_fs_polled 0')
  })
})
