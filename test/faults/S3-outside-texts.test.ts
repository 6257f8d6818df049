// S3: somebody puts things into the backend past all servers. What is a dtab becomes one version; what is none is shown and
// served to nobody; other namespaces never notice.
import { afterEach, describe, expect, it } from 'vitest'
import type { RefusedText, Version } from '../../storage/store.ts'
import type { Cell } from '../../watch/cell.ts'
import { codeOf, request } from '../contract/store.contract.ts'
import { type LogLine, recordingLog } from '../fakes/log.fake.ts'
import { openSharedRig, type SharedRig, type SharedRigOptions } from '../storage/shared/shared-store.fixture.ts'

const rigs: SharedRig[] = []

function open(options?: SharedRigOptions): SharedRig {
  const rig = openSharedRig(options)
  rigs.push(rig)
  for (const { store } of rig.servers) {
    store.list().watch(() => {})
    store.refusals().watch(() => {})
  }
  return rig
}

afterEach(async () => {
  for (const rig of rigs.splice(0)) await rig.close()
})

function currentOf<T>(cell: Cell<T>): T | undefined {
  const state = cell.peek()
  return state.kind === 'ok' ? state.value : undefined
}

const refusals = (rig: SharedRig, server = 0): readonly RefusedText[] =>
  currentOf(rig.servers[server]?.store.refusals() ?? rig.store.refusals()) ?? []

/** Every version that is delivered, in order. */
function delivered(rig: SharedRig, namespace: string): (Version | undefined)[] {
  const seen: (Version | undefined)[] = []
  rig.store.observe(namespace).watch(state => {
    if (state.kind === 'ok' && state.stale === undefined) seen.push(state.value)
  })
  return seen
}

const bytes = (...values: number[]): Uint8Array => Uint8Array.from(values)

const bad: readonly (readonly [what: string, content: string | Uint8Array, refused: object])[] = [
  ['garbage', '/a => /b ;\n/c = /d', { position: { line: 2, column: 5 } }],
  ['half an entry', '/a =>', { position: { line: 1, column: 6 } }],
  [
    'binary',
    bytes(0x2f, 0x61, 0x0a, 0xff, 0xfe, 0x00),
    { reason: 'it is not UTF-8', position: { line: 2, column: 1 } },
  ],
  [
    'a cut-off character after a real replacement character',
    bytes(0x23, 0xef, 0xbf, 0xbd, 0x0a, 0x23, 0xc3),
    { position: { line: 2, column: 2 } },
  ],
  ['ten megabytes', `#${'x'.repeat(10 * 1024 * 1024)}`, { bytes: 10 * 1024 * 1024 + 1 }],
  ['a byte order mark', '\uFEFF/a => /b', { position: { line: 1, column: 1 } }],
  [
    'an infinite weight',
    `/a => ${'9'.repeat(400)} * /b & /c`,
    { reason: expect.stringContaining('too large to be kept') },
  ],
]

describe('S3: a text that is no dtab', () => {
  for (const [what, content, refused] of bad)
    it(`(${what}) is shown as refused, with its place, and the last good version goes on`, async () => {
      const lines: LogLine[] = []
      const rig = open({ log: recordingLog(lines) })
      await rig.store.write(request('web', '/a=>/good'))
      await rig.store.write(request('other', '/a=>/b'))
      const [web, other] = [delivered(rig, 'web'), delivered(rig, 'other')]
      await rig.until('known', () => web.length === 1 && other.length === 1)
      rig.backend.put('web', content)
      await rig.until('refused', () => refusals(rig).length === 1)
      await rig.pass(30_000)
      expect(refusals(rig)).toMatchObject([{ namespace: 'web', ...refused }])
      expect(await rig.store.head('web')).toMatchObject({ version: 1, text: '/a=>/good' })
      expect(web).toHaveLength(1)
      expect(other).toHaveLength(1)
      expect(await rig.store.history('web', { limit: 9 })).toHaveLength(1)
      expect(lines.filter(line => line.level === 'warn')).toHaveLength(1)
      expect((await rig.store.write(request('other', '/a=>/c'))).written.version).toBe(2)
      rig.backend.put('web', '/a=>/better')
      await rig.until('the next good one', () => web.at(-1)?.text === '/a=>/better')
      expect(refusals(rig)).toEqual([])
    })

  it('is counted once for each, and gauged while it stands', async () => {
    const rig = open()
    const exposed = async (): Promise<string> => (await rig.servers[0]?.env.metrics.expose())?.body ?? ''
    for (const text of ['no', 'dtab', 'no']) {
      rig.backend.put('web', text)
      await rig.pass(1_000)
    }
    rig.backend.put('other', 'no')
    await rig.pass(1_000)
    expect(await exposed()).toMatch(/^nameplane_dtab_refusals_total 4$/m)
    expect(await exposed()).toMatch(/^nameplane_dtabs_refused 2$/m)
    rig.backend.remove('other')
    await rig.pass(1_000)
    expect(await exposed()).toMatch(/^nameplane_dtabs_refused 1$/m)
  })

  it('where nothing was before is no namespace, and may be written over', async () => {
    const rig = open()
    rig.backend.put('web', 'no dtab')
    await rig.until('refused', () => refusals(rig).length === 1)
    expect(await rig.store.head('web')).toBeUndefined()
    expect(currentOf(rig.store.list())).toEqual([])
    expect(await codeOf(rig.store.write(request('web', undefined)))).toBe('dtab-not-found')
    const { written } = await rig.store.write(request('web', '/a=>/b', { expect: { kind: 'absent' } }))
    expect(written.version).toBe(1)
    expect(refusals(rig)).toEqual([])
  })

  it('over a version is written over by a write that expects that version', async () => {
    const rig = open()
    await rig.store.write(request('web', '/a=>/b'))
    rig.backend.put('web', 'no dtab')
    await rig.until('refused', () => refusals(rig).length === 1)
    const result = await rig.store.write(request('web', '/a=>/c', { expect: { kind: 'version', versions: [1] } }))
    expect(result).toMatchObject({ written: { version: 2 }, replaced: { version: 1, text: '/a=>/b' } })
    expect(refusals(rig)).toEqual([])
  })

  it('over a version whose own text is lost is healed by a write, with an expectation or without', async () => {
    const rig = open()
    for (const [name, wanted] of [
      ['any', { kind: 'anything' }],
      ['exact', { kind: 'version', versions: [1] }],
      ['present', { kind: 'present' }],
    ] as const) {
      await rig.store.write(request(name, '/a=>/b'))
      const seen = delivered(rig, name)
      await rig.until('known', () => seen.length === 1)
      rig.backend.drop(name, [1])
      rig.backend.put(name, 'garbage')
      await rig.pass(1_000)
      expect(await codeOf(rig.store.head(name))).toBe('store-corrupt')
      expect(rig.store.observe(name).peek()).toMatchObject({ value: { version: 1 }, stale: {} })
      expect(await codeOf(rig.store.write(request(name, '/a=>/c', { expect: { kind: 'absent' } })))).toBe('dtab-exists')
      const result = await rig.store.write(request(name, '/a=>/c', { expect: wanted }))
      expect(result).toMatchObject({ written: { version: 2, meta: { parent: 1 } } })
      expect(result).not.toHaveProperty('replaced')
      await rig.pass(1_000)
      expect(refusals(rig)).toEqual([])
      expect(rig.store.observe(name).peek()).toMatchObject({ kind: 'ok', value: { version: 2, text: '/a=>/c' } })
      expect(rig.store.observe(name).peek()).not.toHaveProperty('stale')
    }
  })

  it('is found by a server that starts when it is there already', async () => {
    const rig = open({ servers: 2 })
    await rig.store.write(request('web', '/a=>/b'))
    rig.backend.put('web', 'no dtab')
    await rig.until('both', () => refusals(rig, 0).length === 1 && refusals(rig, 1).length === 1)
    const seen = delivered(rig, 'web')
    await rig.until('the good one', () => seen.length === 1)
    expect(seen[0]).toMatchObject({ version: 1, text: '/a=>/b' })
  })

  it('is no hindrance to the name: what the grammar forbids is refused and listed nowhere', async () => {
    const rig = open()
    for (const name of ['..', 'a/b', '-x', 'x'.repeat(300)]) rig.backend.put(name, '/a=>/b')
    await rig.until('all refused', () => refusals(rig).length === 4)
    expect(refusals(rig).every(({ reason }) => reason.includes('is not a namespace'))).toBe(true)
    expect(currentOf(rig.store.list())).toEqual([])
    expect(await rig.store.head('..')).toBeUndefined()
  })
})

describe('S3: a good text from outside', () => {
  it.each(['/a => /b # ñ\n', '/a=>/b;\r\n/c=>/d\r\n', '', '# nothing'])(
    '(%j) becomes one version, also when three servers see it',
    async text => {
      const rig = open({ servers: 3 })
      await rig.store.write(request('web', '/a=>/old'))
      await rig.pass(1_000)
      rig.backend.put('web', text)
      await rig.pass(5_000)
      for (const { store } of rig.servers) {
        const head = await store.head('web')
        expect(head).toMatchObject({ version: 2, text, meta: { author: 'external', verified: false, parent: 1 } })
        expect(head?.meta.message).toBe('changed in fake, not through Nameplane')
        expect(await store.history('web', { limit: 9 })).toHaveLength(2)
        expect(currentOf(store.list())).toMatchObject([{ namespace: 'web', version: 2, author: 'external' }])
      }
    },
  )

  it('creates a namespace, deletes one, and brings a deleted one back', async () => {
    const rig = open({ servers: 2 })
    rig.backend.put('web', '/a=>/b')
    await rig.pass(1_000)
    expect(await rig.store.head('web')).toMatchObject({
      version: 1,
      meta: { message: 'created in fake, not through Nameplane', parent: 0 },
    })
    rig.backend.remove('web')
    await rig.pass(1_000)
    const tombstone = await rig.store.head('web')
    expect(tombstone).toMatchObject({
      version: 2,
      meta: { author: 'external', message: 'deleted in fake, not through Nameplane' },
    })
    expect(tombstone).not.toHaveProperty('text')
    rig.backend.put('web', '/a=>/c')
    await rig.pass(1_000)
    expect(await rig.store.head('web')).toMatchObject({ version: 3, text: '/a=>/c' })
  })

  it('that deletes all there was of a namespace makes a tombstone above every number known', async () => {
    const rig = open({ servers: 3 })
    for (let i = 1; i <= 4; i++) await rig.store.write(request('web', `/a=>/b${i}`))
    const seen = delivered(rig, 'web')
    await rig.pass(1_000)
    rig.backend.wipe('web')
    await rig.pass(2_000)
    expect(await rig.store.head('web')).toMatchObject({ version: 5, meta: { author: 'external', parent: 4 } })
    expect(seen.map(version => version?.version)).toEqual([4, 5])
    expect(await rig.store.version('web', 3)).toMatchObject({ text: '/a=>/b3' })
    expect((await rig.store.write(request('web', '/a=>/c'))).written.version).toBe(6)
  })

  it('that deletes all there was of a namespace while no watch runs is found by the next reset', async () => {
    const rig = open()
    await rig.store.write(request('web', '/a=>/b'))
    await rig.pass(1_000)
    rig.backend.down()
    rig.backend.wipe('web')
    rig.backend.up()
    await rig.pass(2_000)
    expect(currentOf(rig.store.list())).toMatchObject([{ namespace: 'web', version: 2, deleted: true }])
  })

  it('is taken in by a write that finds it first, and checked against what the write expects', async () => {
    const rig = openSharedRig()
    rigs.push(rig)
    await rig.store.write(request('web', '/a=>/b'))
    rig.backend.put('web', '/a=>/outside')
    expect(
      await codeOf(rig.store.write(request('web', '/a=>/c', { expect: { kind: 'version', versions: [1] } }))),
    ).toBe('dtab-version-mismatch')
    const { written, replaced } = await rig.store.write(request('web', '/a=>/c'))
    expect(written).toMatchObject({ version: 3, meta: { parent: 2 } })
    expect(replaced).toMatchObject({ version: 2, text: '/a=>/outside', meta: { author: 'external' } })
  })

  it('is taken in by a read that finds it first', async () => {
    const rig = openSharedRig()
    rigs.push(rig)
    rig.backend.put('web', '/a=>/outside')
    expect(await rig.store.head('web')).toMatchObject({ version: 1, meta: { author: 'external' } })
    rig.backend.put('web', '/a=>/again')
    rig.backend.faults.push('full')
    expect(await rig.store.head('web')).toMatchObject({ version: 1, text: '/a=>/outside' })
    expect(await rig.store.head('web')).toMatchObject({ version: 2, text: '/a=>/again' })
  })

  it('that cannot be taken in now is tried again, and what is shown until then is stale for that reason', async () => {
    const lines: LogLine[] = []
    const rig = open({ log: recordingLog(lines) })
    await rig.store.write(request('web', '/a=>/b'))
    const states: unknown[] = []
    rig.store.observe('web').watch(state => {
      if (state.kind === 'ok') states.push([state.value?.version, state.stale?.reason.message])
    })
    await rig.pass(1_000)
    rig.backend.faults.push('full', 'full', 'full')
    rig.backend.put('web', '/a=>/outside')
    await rig.pass(30_000)
    expect(states).toEqual([
      [1, undefined],
      [1, 'The fake has no room.'],
      [2, undefined],
    ])
    const told = lines.filter(({ facts }) => 'what' in facts && String(facts.what).includes("'web'"))
    expect(told.map(({ level }) => level)).toEqual(['warn', 'debug', 'debug', 'info'])
  })

  it('in thousands at once is taken in a few at a time, each once', async () => {
    const rig = open({ servers: 2 })
    for (let i = 0; i < 500; i++) rig.backend.put(`n${i}`, '/a=>/b')
    await rig.until('all', () => currentOf(rig.store.list())?.length === 500)
    await rig.pass(5_000)
    expect(currentOf(rig.store.list())?.every(({ version, author }) => version === 1 && author === 'external')).toBe(
      true,
    )
  })

  it('is one version although its commit was not answered', async () => {
    const rig = open()
    rig.backend.faults.push('lost')
    rig.backend.put('web', '/a=>/b')
    await rig.pass(30_000)
    expect(await rig.store.history('web', { limit: 9 })).toHaveLength(1)
  })
})
