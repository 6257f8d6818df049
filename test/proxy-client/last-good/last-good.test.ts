import { execFile } from 'node:child_process'
import { mkdtemp, readdir, readFile, rm, stat, symlink, truncate, utimes, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { describe, expect, it, onTestFinished } from 'vitest'
import { NamingError } from '../../../naming/errors.ts'
import { neg } from '../../../naming/name-tree.ts'
import { withLastGood } from '../../../proxy-client/last-good/last-good-naming.ts'
import type { NamingClient } from '../../../proxy-client/naming.ts'
import { createMetrics } from '../../../runtime/metrics.ts'
import type { Cell } from '../../../watch/cell.ts'
import { createKernel } from '../../../watch/kernel.ts'
import type { State } from '../../../watch/state.ts'
import { FakeClock } from '../../fakes/clock.fake.ts'
import { type LogLine, recordingLog } from '../../fakes/log.fake.ts'
import { endpointAt, FakeNaming, leafOf, pathOf } from '../naming.fake.ts'

const web = { namespace: 'default', path: pathOf('/svc/web') }
const days = 86_400_000

async function folder(): Promise<string> {
  const path = await mkdtemp(join(tmpdir(), 'nameplane-last-good-'))
  onTestFinished(() => rm(path, { recursive: true, force: true }))
  return path
}

interface Run {
  readonly client: NamingClient
  readonly naming: FakeNaming
  readonly lines: readonly LogLine[]
  readonly clock: FakeClock
  see<T>(cell: Cell<T>): () => State<T> | undefined
}

/** One life of a proxy. */
async function run(
  path: string,
  options: { servers?: string[]; worker?: number; startMs?: number; isConnected?: boolean } = {},
): Promise<Run> {
  const { servers = ['10.0.0.1:4321'], worker = 0, startMs, isConnected = false } = options
  const clock = new FakeClock(startMs)
  const lines: LogLine[] = []
  const log = recordingLog(lines)
  const onError = (error: unknown): void => {
    throw error
  }
  const kernel = createKernel({ clock, onError })
  const naming = new FakeNaming(kernel)
  naming.present = { connected: isConnected, wasConnected: isConnected, facts: {} }
  const env = { kernel, clock, random: () => 0.5, log, metrics: createMetrics() }
  const client = await withLastGood(naming, { path, servers, worker, maxAgeMs: 7 * days }, env)
  const see = <T>(cell: Cell<T>): (() => State<T> | undefined) => {
    let seen: State<T> | undefined
    cell.watch(state => {
      seen = state
    })
    return () => {
      for (let turns = 0; turns < 5; turns++) clock.turn()
      return seen
    }
  }
  return { client, naming, lines, clock, see }
}

/** A run that learns where web is, and ends. */
async function learn(path: string, options: Parameters<typeof run>[1] = {}): Promise<void> {
  const { client, naming, see } = await run(path, options)
  const tree = see(client.bind(web))
  const set = see(client.replicas(pathOf('/#/fs/blue')))
  naming.route('/svc/web', '/#/fs/blue', [endpointAt(8080)])
  expect([tree()?.kind, set()?.kind]).toEqual(['ok', 'ok'])
  await client.close()
}

describe('the last good state', () => {
  it('serves what was known at the last run, stale, while no server has answered', async () => {
    const path = await folder()
    await learn(path)
    const { client, see } = await run(path, { startMs: 1_700_000_000_000 + days })
    const tree = see(client.bind(web))()
    expect(tree).toMatchObject({ kind: 'ok', value: leafOf('/#/fs/blue'), stale: { since: 1_700_000_000_000 } })
    const set = see(client.replicas(pathOf('/#/fs/blue')))()
    expect(set).toMatchObject({ kind: 'ok', value: { kind: 'bound', endpoints: [endpointAt(8080)] } })
    expect(client.status().lastGood).toEqual({ names: 1, savedAt: 1_700_000_000_000 })
  })

  it('says nothing of a name that it does not know', async () => {
    const path = await folder()
    await learn(path)
    const { client, see } = await run(path)
    expect(see(client.bind({ ...web, namespace: 'other' }))()).toEqual({ kind: 'pending' })
    expect(see(client.bind({ ...web, dtab: '/svc => /x' }))()).toEqual({ kind: 'pending' })
  })

  it('lets the answer of a server take over, not stale', async () => {
    const path = await folder()
    await learn(path)
    const { client, naming, see } = await run(path)
    const tree = see(client.bind(web))
    expect(tree()).toMatchObject({ stale: {} })
    naming.route('/svc/web', '/#/fs/blue', [endpointAt(8080)])
    expect(tree()).toEqual({ kind: 'ok', value: leafOf('/#/fs/blue') })
  })

  it('makes before it breaks: the old tree stays until the endpoints of the new one are known', async () => {
    const path = await folder()
    await learn(path)
    const { client, naming, see } = await run(path)
    const tree = see(client.bind(web))
    naming.tree('/svc/web').set(leafOf('/#/fs/green'))
    expect(tree()).toMatchObject({ value: leafOf('/#/fs/blue'), stale: {} })
    naming.replicaSet('/#/fs/green').set({ kind: 'bound', endpoints: [endpointAt(9090)] })
    expect(tree()).toEqual({ kind: 'ok', value: leafOf('/#/fs/green') })
  })

  it('lets a server that is connected answer first, for a second', async () => {
    const path = await folder()
    await learn(path)
    const { client, naming, clock, see } = await run(path, { isConnected: true })
    const tree = see(client.bind(web))
    const set = see(client.replicas(pathOf('/#/fs/blue')))
    clock.advance(999)
    expect([tree()?.kind, set()?.kind]).toEqual(['pending', 'pending'])
    naming.tree('/svc/web').set(leafOf('/#/fs/green'))
    expect(tree()).toEqual({ kind: 'ok', value: leafOf('/#/fs/green') })
    clock.advance(1)
    expect(set()).toMatchObject({ kind: 'ok', value: { kind: 'bound' }, stale: {} })
  })

  it('shows what it knew as soon as a connected server says that it cannot answer', async () => {
    const path = await folder()
    await learn(path)
    const { client, naming, clock, see } = await run(path, { isConnected: true })
    const tree = see(client.bind(web))
    naming.tree('/svc/web').fail(new NamingError('unavailable', 'the store is away'))
    expect(tree()).toMatchObject({ kind: 'ok', value: leafOf('/#/fs/blue'), stale: {} })
    await client.close()
    clock.settle()
  })

  it('keeps what a name was when it was dropped, and asks a connected server before it serves that again', async () => {
    const { client, naming, clock, see } = await run(await folder(), { isConnected: true })
    naming.route('/svc/web', '/#/fs/blue', [endpointAt(8080)])
    const use = new AbortController()
    client.bind(web).watch(() => {}, use.signal)
    use.abort()
    clock.settle()
    naming.tree('/svc/web').set(leafOf('/#/fs/green'))
    expect(see(client.bind(web))()).toEqual({ kind: 'ok', value: leafOf('/#/fs/green') })
  })

  it('shows the new tree after 5 s though its endpoints are not known', async () => {
    const path = await folder()
    await learn(path)
    const { client, naming, clock, see } = await run(path)
    const tree = see(client.bind(web))
    naming.tree('/svc/web').set(leafOf('/#/fs/green'))
    tree()
    clock.advance(4_999)
    expect(tree()).toMatchObject({ value: leafOf('/#/fs/blue') })
    clock.advance(1)
    expect(tree()).toEqual({ kind: 'ok', value: leafOf('/#/fs/green') })
  })

  it('keeps endpoints for 5 s of an id that does not exist any more, for the tree may be about to leave it', async () => {
    const path = await folder()
    await learn(path)
    const { client, naming, clock, see } = await run(path)
    const set = see(client.replicas(pathOf('/#/fs/blue')))
    naming.replicaSet('/#/fs/blue').set({ kind: 'neg' })
    set()
    clock.advance(4_999)
    expect(set()).toMatchObject({ value: { kind: 'bound' }, stale: {} })
    clock.advance(1)
    expect(set()).toEqual({ kind: 'ok', value: { kind: 'neg' } })
  })

  it('keeps what it knew while servers have only failures that may pass', async () => {
    const path = await folder()
    await learn(path)
    const { client, naming, see } = await run(path)
    const tree = see(client.bind(web))
    naming.tree('/svc/web').fail(new NamingError('unavailable', 'the store is away'))
    expect(tree()).toMatchObject({ kind: 'ok', value: leafOf('/#/fs/blue') })
  })

  it('gives way to a failure that stands', async () => {
    const path = await folder()
    await learn(path)
    const { client, naming, see } = await run(path)
    const tree = see(client.bind(web))
    naming.tree('/svc/web').fail(new NamingError('bad-dtab', 'no such rule'))
    expect(tree()).toMatchObject({ kind: 'failed' })
  })

  it('keeps a name over runs in which nobody asks for it, and forgets it when it is too old', async () => {
    const path = await folder()
    await learn(path)
    const between = await run(path, { startMs: 1_700_000_000_000 + 3 * days })
    between.see(between.client.bind({ ...web, path: pathOf('/svc/other') }))
    between.naming.route('/svc/other', '/#/fs/other', [])
    between.clock.turn()
    await between.client.close()
    const later = await run(path, { startMs: 1_700_000_000_000 + 6 * days })
    expect(later.see(later.client.bind(web))()).toMatchObject({ kind: 'ok' })
    const tooLate = await run(path, { startMs: 1_700_000_000_000 + 8 * days })
    expect(tooLate.see(tooLate.client.bind(web))()).toEqual({ kind: 'pending' })
  })

  it('forgets a name that came to be bound to nothing', async () => {
    const path = await folder()
    await learn(path)
    const next = await run(path)
    const tree = next.see(next.client.bind(web))
    next.naming.tree('/svc/web').set(neg)
    expect(tree()).toEqual({ kind: 'ok', value: neg })
    await next.client.close()
    const last = await run(path)
    expect(last.see(last.client.bind(web))()).toEqual({ kind: 'pending' })
  })

  it('knows what other workers knew, and what was known of servers of which one address is left', async () => {
    const path = await folder()
    await learn(path, { worker: 3, servers: ['10.0.0.1:4321', '10.0.0.2:4321'] })
    const { client, see } = await run(path, { worker: 1, servers: ['10.0.0.2:4321', '10.0.0.9:4321'] })
    expect(see(client.bind(web))()).toMatchObject({ kind: 'ok' })
    const other = await run(path, { servers: ['10.0.0.9:4321'] })
    expect(other.see(other.client.bind(web))()).toEqual({ kind: 'pending' })
  })

  it.each([
    ['torn', (bytes: Buffer) => bytes.subarray(0, bytes.length - 3)],
    ['changed', (bytes: Buffer) => Buffer.concat([bytes, Buffer.from('x')])],
    ['foreign', () => Buffer.from('hello\n')],
    ['empty', () => Buffer.alloc(0)],
    [
      'of another format',
      (bytes: Buffer) => Buffer.from(bytes.toString('latin1').replace('"format":1', '"format":2'), 'latin1'),
    ],
  ])('ignores a file that is %s, with a warning', async (_what, damage) => {
    const path = await folder()
    await learn(path)
    const [file = ''] = await readdir(path)
    await writeFile(join(path, file), damage(await readFile(join(path, file))))
    const { client, lines, see } = await run(path)
    expect(see(client.bind(web))()).toEqual({ kind: 'pending' })
    expect(client.status().lastGood).toBeUndefined()
    expect(lines.filter(({ level }) => level === 'warn')).toHaveLength(1)
  })

  it.each([
    ['no file', (file: string, elsewhere: string) => symlink(elsewhere, file)],
    ['larger than any of ours', (file: string, elsewhere: string) => makeLarge(file, elsewhere)],
  ])('does not read what is %s', async (_what, make) => {
    const path = await folder()
    await learn(path)
    const [name = ''] = await readdir(path)
    const file = join(path, name)
    const elsewhere = join(path, 'elsewhere')
    await writeFile(elsewhere, await readFile(file))
    await rm(file)
    await make(file, elsewhere)
    const { client, lines } = await run(path)
    expect(client.status().lastGood).toBeUndefined()
    expect(lines.filter(({ level }) => level === 'warn')).toHaveLength(1)
  })

  it('is for its user alone', async () => {
    const path = join(await folder(), 'made')
    await learn(path)
    const [file = ''] = await readdir(path)
    const modes = await Promise.all([path, join(path, file)].map(async each => (await stat(each)).mode & 0o777))
    expect(modes).toEqual([0o700, 0o600])
  })

  it('leaves the file before where the disk takes only a part of the new one', async () => {
    const path = await folder()
    const script = join(import.meta.dirname, 'two-writes.fixture.ts')
    const shell = 'ulimit -f 64; exec "$0" "$1" "$2"'
    const { stdout } = await promisify(execFile)('sh', ['-c', shell, process.execPath, script, path])
    expect(stdout).toMatch(/^small: written\nlarge: there was room for \d+ of \d+ bytes\nfound: 1\n$/)
    expect(await readdir(path)).toHaveLength(1)
  })

  it('removes what a process that was killed while it wrote has left, when that is an hour old', async () => {
    const path = await folder()
    await learn(path)
    const [file = ''] = await readdir(path)
    const [old, young] = [1, 2].map(i => join(path, `${file}.00000000-0000-4000-8000-00000000000${i}.new`))
    for (const left of [old, young]) await writeFile(left ?? '', 'half')
    const startMs = 1_700_000_000_000
    await utimes(old ?? '', startMs / 1000 - 3_601, startMs / 1000 - 3_601)
    await utimes(young ?? '', startMs / 1000 - 3_599, startMs / 1000 - 3_599)
    await run(path, { startMs })
    expect((await readdir(path)).map(name => join(path, name)).toSorted()).toEqual([join(path, file), young])
  })

  it('is not kept longer for a clock that was ahead when it was written', async () => {
    const path = await folder()
    await learn(path, { startMs: 1_700_000_000_000 + 300 * days })
    const { client, see } = await run(path)
    expect(see(client.bind(web))()).toMatchObject({ stale: { since: 1_700_000_000_000 } })
    expect(client.status().lastGood?.savedAt).toBe(1_700_000_000_000)
  })

  it('serves, and warns once, when the directory cannot be written', async () => {
    const path = join(await folder(), 'file')
    await writeFile(path, '')
    const { client, naming, lines, see } = await run(path)
    const tree = see(client.bind(web))
    naming.route('/svc/web', '/#/fs/blue', [])
    expect(tree()).toEqual({ kind: 'ok', value: leafOf('/#/fs/blue') })
    await client.close()
    expect(lines.filter(({ message }) => message.includes('cannot be written'))).toHaveLength(1)
  })
})

/** All zeros, and no room taken on most disks. */
async function makeLarge(file: string, from: string): Promise<void> {
  await writeFile(file, await readFile(from))
  await truncate(file, 64 * 1024 * 1024 + 1)
}
