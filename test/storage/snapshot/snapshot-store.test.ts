import { readdirSync, readFileSync, rmSync, statSync, utimesSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { snapshotOrigin } from '../../../storage/snapshot/index.ts'
import { realTurn } from '../store.fixture.ts'
import { WarmWorld } from './warm-world.fixture.ts'

const dayMs = 24 * 60 * 60 * 1000
const old = '/#/fake/v1/web'

let world: WarmWorld
beforeEach(() => {
  world = new WarmWorld()
})
afterEach(() => world.close())

/** The files of heads, by what is written in them. */
function headFile(text: string): string {
  const found = readdirSync(world.path).find(
    file => /^[0-9a-f]{64}\.json$/.test(file) && readFileSync(join(world.path, file), 'utf8').includes(text),
  )
  if (found === undefined) throw new Error(`no head holds ${text}`)
  return join(world.path, found)
}

/** By the clock in a few steps of 0.2 s; the disk may take longer for each. */
async function onDiskSoon(text: string): Promise<void> {
  const onDisk = (): boolean => world.onDisk().includes(text)
  for (let step = 0; step < 4; step++) {
    await world.idle()
    world.clock.advance(200)
    for (const deadline = Date.now() + 1_000; !onDisk() && Date.now() < deadline; ) await world.idle()
    if (onDisk()) return
  }
  throw new Error(`not on the disk after 0.8 s: ${text}`)
}

async function servesStale(namespace = 'default'): Promise<void> {
  world.backend.mode = 'failing'
  const started = await world.start()
  const bindings = started.bindings(namespace)
  await world.until('the snapshot', () => bindings.at(-1) === `${old} (stale)`)
  await started.stop()
}

async function servesNothing(namespace = 'default'): Promise<void> {
  world.backend.mode = 'failing'
  const started = await world.start()
  const bindings = started.bindings(namespace)
  await world.until('an end', () => bindings.at(-1) === 'failed')
  expect(bindings).toEqual(['pending', 'failed'])
  await started.stop()
}

describe('the files of the snapshot', () => {
  it('belong to their user alone, and are named so that any namespace has one', async () => {
    const long = 'x'.repeat(253)
    await world.learn({ [long]: '/svc => /#/fake/v1', Default: '/svc=>/#/fake/v1', default: '/svc=>/#/fake/v1;' })
    expect(statSync(world.path).mode & 0o777).toBe(0o700)
    for (const file of readdirSync(world.path)) expect(statSync(join(world.path, file)).mode & 0o777).toBe(0o600)
    await servesStale(long)
    await servesStale('Default')
  })

  it.each([
    ['torn', (text: string) => text.slice(0, text.length / 2), 'it is torn, or was changed'],
    ['garbage', () => 'hello\n', 'it is no snapshot'],
    ['of another format', (text: string) => text.replace('"format":1', '"format":9'), 'it has format 9'],
  ])('that are %s are ignored and named in the log; the others are served', async (_, spoil, why) => {
    await world.learn({ default: '/svc=>/#/fake/v1', other: '/svc => /#/fake/v1' })
    const file = headFile('"default"')
    writeFileSync(file, spoil(readFileSync(file, 'utf8')))
    await servesNothing()
    const complaint = world.lines.find(({ message }) => message.includes('is ignored'))
    expect([complaint?.level, complaint?.facts, complaint?.message]).toEqual([
      'warn',
      { file },
      expect.stringContaining(why),
    ])
    await servesStale('other')
  })

  it('of one namespace under the name of another are ignored', async () => {
    await world.learn({ default: '/svc=>/#/fake/v1', other: '/svc => /#/fake/v1' })
    writeFileSync(headFile('"default"'), readFileSync(headFile('"other"')))
    await servesNothing()
  })

  it('that a killed server left half-written harm nothing and are removed by the next', async () => {
    await world.learn()
    const torn = `${headFile('"default"')}.new`
    writeFileSync(torn, readFileSync(headFile('"default"'), 'utf8').slice(0, 50))
    await servesStale()
    writeFileSync(torn, 'half')
    const started = await world.start()
    expect(readdirSync(world.path).filter(file => file.endsWith('.new'))).toEqual([])
    await started.stop()
  })

  it('of a store that is configured otherwise are not served', async () => {
    await world.learn()
    world.backend.mode = 'failing'
    const started = await world.start({ origin: 'that store' })
    const bindings = started.bindings()
    await world.until('an end', () => bindings.at(-1) === 'failed')
    expect(world.said('warn')).toContain('a snapshot file is ignored: it is of a store that is configured otherwise')
    await started.stop()
    expect(snapshotOrigin({ kind: 'etcd', prefix: '/a' })).not.toBe(snapshotOrigin({ kind: 'etcd', prefix: '/b' }))
  })

  it('are written once for many changes in a row, with the newest', async () => {
    await world.learn()
    const started = await world.start()
    const bindings = started.bindings()
    for (let n = 0; n < 20; n++) await world.backend.put('default', `/svc => /#/fake/n${n}`)
    await world.until('the newest', () => bindings.at(-1) === '/#/fake/n19/web')
    expect(world.onDisk()).toContain('/#/fake/v1')
    world.clock.advance(200)
    await world.until('the file', () => world.onDisk().includes('/#/fake/n19'))
    expect(world.onDisk()).not.toMatch(/fake\/n[0-9]"/)
    await started.stop()
  })

  it('are written 0.2 s after each of many changes, however long the listing waits for its turn', async () => {
    const started = await world.start()
    started.bindings()
    for (let version = 1; version <= 5; version++) {
      await world.backend.put('default', `/svc => /#/fake/v${version}`)
      await onDiskSoon(`/#/fake/v${version}"`)
    }
    await started.stop()
  })
})

describe('a directory that cannot be used', () => {
  it('is a warning, and the store serves as it would alone', async () => {
    writeFileSync(world.path, 'a file stands here')
    const started = await world.start()
    await world.backend.put('default', '/svc => /#/fake/v1')
    const bindings = started.bindings()
    await world.until('the store', () => bindings.at(-1) === old)
    expect(world.said('warn')).toEqual([
      expect.stringMatching(
        /^the snapshot directory cannot be written \(EEXIST.*\): what this server learns is not saved$/,
      ),
    ])
    await world.pass(30_000, 10_000)
    expect(world.said('warn')).toHaveLength(1)
    rmSync(world.path)
    await world.eventually('a directory', () => world.said('info').includes('the snapshot directory is ours now'))
    await world.eventually('the file', () => world.onDisk().includes('/#/fake/v1'))
    await started.stop()
  })

  it('and then can be is told of, though the first claim of it took longer than it holds', async () => {
    writeFileSync(world.path, 'a file stands here')
    const started = await world.start()
    rmSync(world.path)
    for (let turn = 0; turn < 100; turn++) {
      world.clock.advance(31_000)
      await realTurn()
    }
    await world.idle()
    await world.pass(10_000)
    expect(world.said('info')).toEqual(['the snapshot directory is ours now'])
    await started.stop()
  })

  it('because another server writes to it is read, and named with its owner; it is taken over when that is gone', async () => {
    await world.learn()
    const owner = await world.start()
    const other = await world.start()
    expect(world.said('warn')).toEqual([
      expect.stringMatching(
        /^the snapshot directory is in use by process \d+ on \S+: what this server learns is not saved/,
      ),
    ])
    owner.crash()
    const bindings = other.bindings()
    await world.backend.put('default', '/svc => /#/fake/v2')
    await world.until('the newer', () => bindings.at(-1) === '/#/fake/v2/web')
    await world.pass(20_000)
    expect(world.onDisk()).not.toContain('/#/fake/v2')
    await world.eventually('the file', () => world.onDisk().includes('/#/fake/v2'))
    await other.stop()
  })
})

describe('what the snapshot keeps', () => {
  it('is kept up to date for namespaces that nobody asks for now', async () => {
    await world.learn()
    await world.backend.put('default', '/svc => /#/fake/v2')
    const started = await world.start()
    await world.eventually('the file', () => world.onDisk().includes('/#/fake/v2'))
    const reads = world.backend.reads
    await world.pass(60_000, 10_000)
    expect([reads, world.backend.reads]).toEqual([1, 1])
    await started.stop()
  })

  it('ends with a deletion, also one that nobody watched', async () => {
    await world.learn()
    await world.backend.put('default', undefined)
    const started = await world.start()
    await world.eventually('no file', () => !world.onDisk().includes('/#/fake/v1'))
    await started.stop()
  })

  it('ends for a namespace that was not used for 30 days, not for one that is', async () => {
    await world.learn({ default: '/svc=>/#/fake/v1', other: '/svc => /#/fake/v1' })
    const started = await world.start()
    started.bindings()
    for (const name of ['"default"', '"other"']) {
      const longAgo = (world.clock.now() - 30 * dayMs) / 1000
      utimesSync(headFile(name), longAgo, longAgo)
    }
    await world.eventually('one file less', () => !world.onDisk().includes('/svc => /#/fake/v1'))
    await started.stop()
    await servesStale()
    await servesNothing('other')
  })

  it('notes nothing of namespaces that never were, however many are asked for', async () => {
    await world.learn()
    const started = await world.start()
    await world.pass(12_000)
    for (let n = 0; n < 50; n++) started.bindings(`none-${n}`)
    await world.pass(2_000)
    expect(readdirSync(world.path).filter(file => file.endsWith('.json'))).toHaveLength(3)
    await started.stop()
  })
})

describe('what only the store can answer', () => {
  it('is asked of the store: a read of the head is refused while it is away', async () => {
    await world.learn()
    world.backend.mode = 'failing'
    const started = await world.start()
    await expect(started.store.head('default')).rejects.toMatchObject({ code: 'store-unavailable' })
    await started.stop()
  })
})
