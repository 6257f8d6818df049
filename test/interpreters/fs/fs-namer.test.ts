import { execFileSync } from 'node:child_process'
import { existsSync, mkdirSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { FakeClock } from '../../fakes/clock.fake.ts'
import { FakeDisk, fakeRoot, settle } from './disk.fake.ts'
import { createCountedDisk, createFsFixture, isNeg, Observed, prefix, shownEndpoints, shows } from './fs.fixture.ts'

const isSettled = (state: { readonly kind: string }): boolean => state.kind !== 'pending'

describe('looking up', () => {
  it('binds a file by its name and leaves the rest of the path', async () => {
    const fixture = createFsFixture()
    writeFileSync(fixture.at('web'), '10.0.0.1 80\n')
    const tree = fixture.tree('/web/a/b')
    expect(await tree.until(state => state.kind === 'ok')).toMatchObject({
      value: { kind: 'leaf', value: { kind: 'bound', id: [...prefix, 'web'], residual: ['a', 'b'] } },
    })
  })

  it('descends sub-directories; a directory itself is neg', async () => {
    const fixture = createFsFixture()
    mkdirSync(fixture.at('team'))
    writeFileSync(fixture.at('team', 'web'), '10.0.0.1 80\n')
    const below = fixture.tree('/team/web/x')
    expect(await below.until(state => state.kind === 'ok')).toMatchObject({
      value: { kind: 'leaf', value: { id: [...prefix, 'team', 'web'], residual: ['x'] } },
    })
    await fixture.tree('/team').until(isNeg)
    await fixture.replicas('/team').until(isNeg)
    await fixture.replicas('/team/web/x').until(shows('10.0.0.1:80'))
  })

  it('is neg for a missing file and live as soon as there is one', async () => {
    const fixture = createFsFixture()
    const tree = fixture.tree('/web')
    const replicas = fixture.replicas('/web')
    await tree.until(isNeg)
    writeFileSync(fixture.at('web'), '10.0.0.1 80\n')
    await tree.until(state => state.kind === 'ok' && state.value.kind === 'leaf')
    await replicas.until(shows('10.0.0.1:80'))
    rmSync(fixture.at('web'))
    await tree.until(isNeg)
    await replicas.until(isNeg)
  })

  it('does not leave the root by any label', async () => {
    const fixture = createFsFixture()
    mkdirSync(fixture.at('inner'))
    writeFileSync(fixture.at('secret'), '10.0.0.1 80\n')
    for (const labels of [
      ['..', 'secret'],
      ['inner', '..', 'secret'],
      ['.', 'secret'],
      ['inner/../secret'],
      ['secret\0'],
    ]) {
      const tree = new Observed(fixture.kernel.derive('tree', read => fixture.namer.lookup(labels, read)))
      await tree.until(isNeg)
    }
    await fixture.tree('/').until(isNeg)
  })

  it('takes names that are not UTF-8, and none that are too long', async () => {
    const fixture = createFsFixture()
    writeFileSync(Buffer.from(fixture.at('b\xff'), 'latin1'), '10.0.0.1 80\n')
    await fixture.replicas('/b\\xff').until(shows('10.0.0.1:80'))
    await fixture.replicas(`/${'n'.repeat(300)}`).until(isNeg)
  })

  it('changes no tree when only endpoints change', async () => {
    const fixture = createFsFixture()
    writeFileSync(fixture.at('web'), '10.0.0.1 80\n')
    const tree = fixture.tree('/web')
    const replicas = fixture.replicas('/web')
    await replicas.until(shows('10.0.0.1:80'))
    const deliveries = tree.states.length
    writeFileSync(fixture.at('web'), '10.0.0.1 80\n10.0.0.2 80\n')
    await replicas.until(shows('10.0.0.1:80 10.0.0.2:80'))
    expect(tree.states.length).toBe(deliveries)
  })
})

describe('endpoints', () => {
  it('are bound without any for an empty file', async () => {
    const fixture = createFsFixture()
    writeFileSync(fixture.at('web'), '')
    await fixture.replicas('/web').until(shows(''))
  })

  it('fail with the line while the file was never well formed, and come when it is', async () => {
    const fixture = createFsFixture()
    writeFileSync(fixture.at('web'), '10.0.0.1 80\n10.0.0.2 nope\n')
    const replicas = fixture.replicas('/web')
    const state = await replicas.until(({ kind }) => kind === 'failed')
    expect(state).toMatchObject({
      error: { message: `malformed address: 10.0.0.2 nope (${fixture.at('web')}, line 2)` },
    })
    const tree = await fixture.tree('/web').until(({ kind }) => kind === 'ok')
    expect(tree).toMatchObject({ value: { kind: 'leaf' } })
    writeFileSync(fixture.at('web'), '10.0.0.1 80\n10.0.0.2 81\n')
    await replicas.until(shows('10.0.0.1:80 10.0.0.2:81'))
  })

  it('stay, stale with the line as reason, when the file becomes malformed', async () => {
    const fixture = createFsFixture()
    writeFileSync(fixture.at('web'), '10.0.0.1 80\n')
    const replicas = fixture.replicas('/web')
    await replicas.until(shows('10.0.0.1:80'))
    writeFileSync(fixture.at('web'), 'oops\n')
    const stale = await replicas.until(state => state.kind === 'ok' && state.stale !== undefined)
    expect(shownEndpoints(stale)).toBe('10.0.0.1:80')
    expect(stale).toMatchObject({ stale: { reason: { message: expect.stringContaining('malformed address: oops') } } })
    writeFileSync(fixture.at('web'), '10.0.0.1 80\n')
    await replicas.until(state => state.kind === 'ok' && state.stale === undefined)
  })

  it('stay when the file grows over the size limit', async () => {
    const fixture = createFsFixture()
    writeFileSync(fixture.at('web'), '10.0.0.1 80\n')
    const replicas = fixture.replicas('/web')
    await replicas.until(shows('10.0.0.1:80'))
    writeFileSync(fixture.at('web'), '# a long comment\n'.repeat(40_000))
    const stale = await replicas.until(state => state.kind === 'ok' && state.stale !== undefined)
    expect(shownEndpoints(stale)).toBe('10.0.0.1:80')
    expect(stale).toMatchObject({ stale: { reason: { message: expect.stringContaining('larger than 512000 bytes') } } })
  })

  it('have host names looked up once; a name without an address is left out and logged', async () => {
    const asked: string[] = []
    const fixture = createFsFixture({
      lookUpHost: async host => {
        asked.push(host)
        if (host === 'gone.example.org') throw new Error('no such host')
        return '10.9.9.9'
      },
    })
    writeFileSync(fixture.at('web'), 'web.example.org 80\ngone.example.org 80\nweb.example.org 81\n::1 82\n')
    await fixture.replicas('/web').until(shows('10.9.9.9:80 10.9.9.9:81 ::1:82'))
    expect(asked).toEqual(['web.example.org', 'gone.example.org'])
    expect(fixture.warnings).toEqual(['a host name has no address; its endpoint is left out'])
  })
})

describe('a host name without an address', () => {
  it('is looked up again at the next poll, and logged once', async () => {
    const clock = new FakeClock()
    const disk = new FakeDisk({ web: 'web.example.org 80\n' })
    let asked = 0
    const lookUpHost = async (): Promise<string> => {
      if (++asked < 4) throw new Error('no such host')
      return '10.9.9.9'
    }
    const fixture = createFsFixture({ clock, disk, rootDir: fakeRoot, lookUpHost })
    const replicas = fixture.replicas('/web')
    for (let poll = 0; poll < 3; poll++) {
      await settle(clock)
      expect(shownEndpoints(replicas.last)).toBe('')
      clock.advance(3000)
    }
    await settle(clock)
    expect(shownEndpoints(replicas.last)).toBe('10.9.9.9:80')
    expect(fixture.warnings).toHaveLength(1)
  })

  it('keeps the address that it had until DNS says that there is none', async () => {
    const clock = new FakeClock()
    const disk = new FakeDisk({ web: 'web.example.org 80\n' })
    const coded = (code: string): Error => Object.assign(new Error(code), { code })
    let answer: string | Error = '10.9.9.9'
    const asked: string[] = []
    const lookUpHost = async (host: string): Promise<string> => {
      asked.push(host)
      if (answer instanceof Error) throw answer
      return answer
    }
    const fixture = createFsFixture({ clock, disk, rootDir: fakeRoot, lookUpHost })
    const replicas = fixture.replicas('/web')
    await settle(clock)
    answer = coded('EAI_AGAIN')
    disk.files.set('web', 'web.example.org 80\nnew.example.org 81\n10.0.0.1 82\n')
    disk.tell('change', 'web')
    await settle(clock)
    expect(shownEndpoints(replicas.last)).toBe('10.9.9.9:80 10.0.0.1:82')
    expect(fixture.warnings).toEqual([
      'a host name has no address; its last address stays',
      'a host name has no address; its endpoint is left out',
    ])
    answer = coded('ENOTFOUND')
    clock.advance(3000)
    await settle(clock)
    expect(shownEndpoints(replicas.last)).toBe('10.0.0.1:82')
    answer = '10.9.9.8'
    asked.length = 0
    clock.advance(3000)
    await settle(clock)
    expect(shownEndpoints(replicas.last)).toBe('10.9.9.8:80 10.9.9.8:81 10.0.0.1:82')
    expect(asked).toEqual(['web.example.org', 'new.example.org'])
    clock.advance(3000)
    await settle(clock)
    expect(asked).toHaveLength(2)
  })

  it('holds back no poll of another file, however long its name server is away', async () => {
    const clock = new FakeClock()
    const names = ['a', 'b', 'c', 'd', 'e']
    const disk = new FakeDisk({
      ...Object.fromEntries(names.map(name => [name, `dead.test 80\n`])),
      web: '10.0.0.1 1\n',
    })
    let asked = 0
    const lookUpHost = (): Promise<string> => {
      asked++
      return new Promise(() => {})
    }
    const fixture = createFsFixture({ clock, disk, rootDir: fakeRoot, lookUpHost })
    for (const name of names) fixture.replicas(`/${name}`)
    const web = fixture.replicas('/web')
    await settle(clock)
    clock.advance(2000)
    await settle(clock)
    expect(shownEndpoints(web.last)).toBe('10.0.0.1:1')
    disk.files.set('web', '10.0.0.1 1\n10.0.0.1 2\n')
    clock.advance(3000)
    await settle(clock)
    expect(shownEndpoints(web.last)).toBe('10.0.0.1:1 10.0.0.1:2')
    expect(asked).toBe(1)
  })
})

describe('what is neither file nor directory', () => {
  it('is neg, or fails without an end to its content, and nothing waits for it', async () => {
    const fixture = createFsFixture()
    execFileSync('mkfifo', [fixture.at('pipe')])
    symlinkSync('/dev/zero', fixture.at('device'))
    symlinkSync('b', fixture.at('a'))
    symlinkSync('a', fixture.at('b'))
    symlinkSync('.', fixture.at('self'))
    for (const name of ['pipe', 'device', 'a', 'self', `self${'/self'.repeat(60)}`])
      expect((await fixture.replicas(`/${name}`).until(isSettled)).kind, name).toBe('ok')
    for (const name of ['pipe', 'device', 'a', 'self'])
      expect(isNeg(await fixture.replicas(`/${name}`).until(isSettled))).toBe(true)
  })

  it('is no more than a large file where its size says nothing', async () => {
    const fixture = createFsFixture()
    const large = fixture.at('large')
    writeFileSync(large, '#'.repeat(600_000))
    symlinkSync(existsSync('/proc/kallsyms') ? '/proc/kallsyms' : large, fixture.at('web'))
    const state = await fixture.replicas('/web').until(isSettled)
    expect(state).toMatchObject({ kind: 'failed', error: { message: expect.stringContaining('larger than 512000') } })
  })
})

describe('listing', () => {
  it('shows files and directories of the root, each as one name, and follows changes', async () => {
    const fixture = createFsFixture()
    mkdirSync(fixture.at('team'))
    writeFileSync(fixture.at('team', 'web'), '')
    writeFileSync(fixture.at('web'), '')
    writeFileSync(fixture.at('.hidden'), '')
    const names = new Observed(fixture.namer.names?.() ?? expect.fail('no names'))
    const listed = (wanted: string) =>
      names.until(s => s.kind === 'ok' && s.value.map(path => path.at(-1)).join() === wanted)
    expect(await listed('team,web')).toMatchObject({
      value: [
        [...prefix, 'team'],
        [...prefix, 'web'],
      ],
    })
    writeFileSync(fixture.at('api'), '')
    await listed('api,team,web')
    rmSync(fixture.at('team'), { recursive: true })
    await listed('api,web')
  })
})

describe('watching', () => {
  it('opens one watch per directory for any number of names and closes it after the last watcher', async () => {
    const disk = createCountedDisk()
    const fixture = createFsFixture({ disk })
    for (let i = 0; i < 50; i++) writeFileSync(fixture.at(`web-${i}`), `10.0.0.1 ${i + 1}\n`)
    const followed = Array.from({ length: 50 }, (_, i) => fixture.replicas(`/web-${i}`))
    await Promise.all(followed.map((replicas, i) => replicas.until(shows(`10.0.0.1:${i + 1}`))))
    expect(disk.counts).toMatchObject({ opened: 1, open: 1 })
    for (const { stop } of followed) stop()
    await new Promise(setImmediate) // sources close at the next turn, in the order of their leaving
    expect(fixture.kernel.counts()).toMatchObject({ watchers: 0, openSources: 0 })
    expect(disk.counts).toMatchObject({ opened: 1, open: 0 })
  })

  it('delivers nothing and holds nothing after close', async () => {
    const disk = createCountedDisk()
    const fixture = createFsFixture({ disk })
    writeFileSync(fixture.at('web'), '10.0.0.1 80\n')
    const replicas = fixture.replicas('/web')
    await replicas.until(shows('10.0.0.1:80'))
    fixture.namer.close()
    const deliveries = replicas.states.length
    expect(disk.counts.open).toBe(0)
    disk.send(fixture.root, 'change', 'web')
    expect(replicas.states.length).toBe(deliveries)
  })

  it('follows a root that is itself reached through swapped links', async () => {
    const outer = createFsFixture()
    for (const version of ['1', '2']) {
      mkdirSync(outer.at(version, 'disco'), { recursive: true })
      writeFileSync(outer.at(version, 'disco', 'web'), `10.0.0.${version} 80\n`)
    }
    symlinkSync('1', outer.at('..data'))
    symlinkSync('..data/disco', outer.at('disco'))
    const idle = { watching: 3_600_000, polling: 3_600_000, absent: 3_600_000 }
    const fixture = createFsFixture({ rootDir: outer.at('disco'), intervals: idle })
    const replicas = fixture.replicas('/web')
    await replicas.until(shows('10.0.0.1:80'))
    symlinkSync('2', outer.at('..tmp'))
    renameSync(outer.at('..tmp'), outer.at('..data'))
    await replicas.until(shows('10.0.0.2:80'))
  })
})
