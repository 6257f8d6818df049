import { beforeEach, describe, expect, it } from 'vitest'
import { NamingError } from '../../naming/errors.ts'
import { parseDtab } from '../../naming/parse.ts'
import { orThrow } from '../../naming/result.ts'
import { type Change, createDtabEditor, type DtabEditor } from '../../storage/edit.ts'
import type { Store, WriteRequest } from '../../storage/store.ts'
import { codeOf, request, type StoreFixture } from '../contract/store.contract.ts'
import { openMemoryFixture } from './store.fixture.ts'

const change = (more: Partial<Change> = {}): Change => ({ ...request('web', undefined), ...more })
const text = (body: string) => ({ kind: 'text', text: body }) as const
const at = (...versions: number[]) => ({ expect: { kind: 'version', versions } }) as const

/** A store in which somebody else writes just before each of the first few conditional writes. */
function contested(store: Store, rivals: number): Store {
  let left = rivals
  const write = async (wanted: WriteRequest) => {
    if (wanted.expect.kind === 'version' && left-- > 0) {
      const head = await store.head(wanted.namespace)
      await store.write(request(wanted.namespace, `${head?.text ?? ''}/rival${left} => /x ;\n`, { author: 'rival' }))
    }
    return store.write(wanted)
  }
  return { ...wrap(store), write }
}

function wrap(store: Store): Store {
  return {
    kind: store.kind,
    maxDtabBytes: store.maxDtabBytes,
    head: ns => store.head(ns),
    version: (ns, version) => store.version(ns, version),
    history: (ns, query) => store.history(ns, query),
    write: wanted => store.write(wanted),
    recall: (ns, idempotency) => store.recall(ns, idempotency),
    observe: ns => store.observe(ns),
    list: () => store.list(),
    refusals: () => store.refusals(),
    noticed: (ns, version) => store.noticed(ns, version),
    forget: (ns, versions) => store.forget(ns, versions),
    importHistory: (ns, versions) => store.importHistory(ns, versions),
    lease: (name, ttlMs) => store.lease(name, ttlMs),
    announce: (id, data, ttlMs) => store.announce(id, data, ttlMs),
    presence: () => store.presence(),
    close: () => store.close(),
  }
}

async function failureOf(outcome: Promise<unknown>): Promise<NamingError> {
  return outcome.then(
    () => {
      throw new Error('nothing was refused')
    },
    (error: unknown) => NamingError.from(error),
  )
}

describe('the dtab editor', () => {
  let fixture: StoreFixture
  let store: Store
  let editor: DtabEditor
  beforeEach(async () => {
    fixture = await openMemoryFixture()
    store = fixture.store
    editor = createDtabEditor(store)
    return () => fixture.close()
  })

  it('keeps a text exactly as it was sent', async () => {
    const odd = '# hello\n/a=>/b;\r\n'
    expect((await editor.put({ ...change(), body: text(odd) })).written.text).toBe(odd)
  })

  it('writes a dtab in its exact form', async () => {
    const dtab = orThrow(parseDtab('/a=>0.3*/b&/c'))
    expect((await editor.put({ ...change(), body: { kind: 'dtab', dtab } })).written.text).toBe('/a => 0.3*/b & /c ;\n')
  })

  it.each([
    ['a text that does not parse', '/a => /b;\n/c /d', 'bad-dtab', { position: { offset: 13, line: 2, column: 4 } }],
    ['a weight that cannot be kept', `/a => ${'9'.repeat(400)} * /b & /c`, 'bad-dtab', { index: 0 }],
  ])('refuses %s with its place, and stores nothing', async (_what, body, code, detail) => {
    const failure = await failureOf(editor.put({ ...change(), body: text(body) }))
    expect(failure).toMatchObject({ code, detail })
    expect(await store.head('web')).toBeUndefined()
  })

  it.each(['', '.', '-a', '../etc', 'a b', 'a/b', 'ä', 'a'.repeat(254), 'a\n'])(
    'refuses the namespace %j',
    async namespace => {
      const bad = change({ namespace })
      const calls = [
        editor.put({ ...bad, body: text('') }),
        editor.patch({ ...bad, edits: [] }),
        editor.delete(bad),
        editor.rollback({ ...bad, version: 1 }),
      ]
      expect(await Promise.all(calls.map(codeOf))).toEqual(Array(4).fill('bad-namespace'))
    },
  )

  it('parses where its caller wants it', async () => {
    const asked: string[] = []
    const parse = async (body: string) => {
      asked.push(body)
      return parseDtab(body)
    }
    await createDtabEditor(store, { parse }).put({ ...change(), body: text('/a=>/b') })
    expect(asked).toEqual(['/a=>/b'])
  })

  it('tells the loser of a race who wrote, when, and what has changed since', async () => {
    await editor.put({ ...change(), body: text('/a => /b ;\n/c => /d ;\n') })
    await editor.put({ ...change({ author: 'bo', message: 'moved c' }), body: text('/a => /b ;\n/c => /e ;\n') })
    const failure = await failureOf(editor.put({ ...change(at(1)), body: text('/a => /x') }))
    expect(failure.code).toBe('dtab-version-mismatch')
    expect(failure.message).toBe("The dtab of 'web' is at version 2, by bo; version 1 was expected.")
    expect(failure.detail).toMatchObject({
      presentVersion: 2,
      author: 'bo',
      message: 'moved c',
      expectedVersions: [1],
      diff: { from: 1, to: 2, text: '- /c => /d ;\n+ /c => /e ;\n', isCut: false },
    })
  })

  it('says that another version was expected when a tag named none of ours', async () => {
    await editor.put({ ...change(), body: text('/a => /b') })
    const noVersion = { kind: 'version', versions: [] } as const
    const failure = await failureOf(editor.delete(change({ expect: noVersion })))
    expect(failure.message).toMatch(/^The dtab of 'web' is at version 1, by .*; another version was expected\.$/)
  })

  it('tells so too when the namespace was deleted meanwhile', async () => {
    await editor.put({ ...change(), body: text('/a => /b') })
    await editor.delete(change({ author: 'bo' }))
    const failure = await failureOf(editor.delete(change(at(1))))
    expect(failure.message).toBe("The dtab of 'web' was deleted (version 2), by bo; version 1 was expected.")
    expect(failure.detail).toMatchObject({ deleted: true, diff: { text: '- /a => /b ;\n' } })
  })

  it('gives no diff from a version that never was', async () => {
    await editor.put({ ...change(), body: text('/a => /b') })
    const failure = await failureOf(editor.put({ ...change(at(9)), body: text('') }))
    expect(failure.detail).toMatchObject({ presentVersion: 1 })
    expect(failure.detail).not.toHaveProperty('diff')
  })

  it('patches one entry and keeps the rest as it was typed', async () => {
    await editor.put({ ...change(), body: text('# keep\n/a=>/b;/c=>/d') })
    const { written, replaced } = await editor.patch({ ...change(), edits: [{ op: 'set', prefix: '/c', dst: '/e' }] })
    expect(written).toMatchObject({ version: 2, text: '# keep\n/a=>/b;/c => /e' })
    expect(replaced?.version).toBe(1)
  })

  it('patches again on the newer head when others write in between, and loses nothing of theirs', async () => {
    await editor.put({ ...change(), body: text('') })
    const racing = createDtabEditor(contested(store, 3))
    const { written } = await racing.patch({ ...change(), edits: [{ op: 'set', prefix: '/mine', dst: '/y' }] })
    expect(written.version).toBe(5)
    expect(written.text).toBe('/rival2 => /x ;\n/rival1 => /x ;\n/rival0 => /x ;\n/mine => /y ;\n')
  })

  it('gives up a patch that always loses', async () => {
    await editor.put({ ...change(), body: text('') })
    const racing = createDtabEditor(contested(store, 1_000))
    const lost = racing.patch({ ...change(), edits: [{ op: 'set', prefix: '/mine', dst: '/y' }] })
    expect(await codeOf(lost)).toBe('dtab-version-mismatch')
  })

  it('does not patch another version than the expected one', async () => {
    await editor.put({ ...change(), body: text('/a=>/b') })
    await editor.put({ ...change(), body: text('/a=>/c') })
    const edits = [{ op: 'set', prefix: '/a', dst: '/d' }] as const
    const failure = await failureOf(editor.patch({ ...change(at(1)), edits }))
    expect(failure).toMatchObject({ code: 'dtab-version-mismatch', detail: { diff: { from: 1, to: 2 } } })
    expect((await editor.patch({ ...change(at(2)), edits })).written.version).toBe(3)
  })

  it('patches nothing that is not there, deleted included', async () => {
    const edits = [{ op: 'set', prefix: '/a', dst: '/d' }] as const
    expect(await codeOf(editor.patch({ ...change(), edits }))).toBe('dtab-not-found')
    await editor.put({ ...change(), body: text('/a=>/b') })
    await editor.delete(change())
    expect(await codeOf(editor.patch({ ...change(), edits }))).toBe('dtab-not-found')
  })

  it('answers a repeated patch with what it made, though it would not fit a second time', async () => {
    await editor.put({ ...change(), body: text('/a=>/b') })
    const keyed = {
      ...change({ idempotency: { key: 'k', fingerprint: 'f' } }),
      edits: [{ op: 'remove', prefix: '/a' }] as const,
    }
    const first = await editor.patch(keyed)
    expect(await editor.patch(keyed)).toEqual({ ...first, repeated: true })
  })

  it('rolls back by writing an old text as a new version, with a message that says so', async () => {
    await editor.put({ ...change(), body: text('/a=>/b # one') })
    await editor.put({ ...change(), body: text('/a=>/c') })
    const { written } = await editor.rollback({ ...change(), version: 1 })
    expect(written).toMatchObject({ version: 3, text: '/a=>/b # one', meta: { message: 'rollback to version 1' } })
  })

  it('restores a deleted namespace by a rollback', async () => {
    await editor.put({ ...change(), body: text('/a=>/b') })
    await editor.delete(change())
    expect((await editor.rollback({ ...change(at(2)), version: 1 })).written).toMatchObject({
      version: 3,
      text: '/a=>/b',
    })
  })

  it('rolls back to no tombstone and to no version that never was', async () => {
    expect(await codeOf(editor.rollback({ ...change(), version: 1 }))).toBe('dtab-not-found')
    await editor.put({ ...change(), body: text('/a=>/b') })
    await editor.delete(change())
    expect(await codeOf(editor.rollback({ ...change(), version: 2 }))).toBe('edit-conflict')
    expect(await codeOf(editor.rollback({ ...change(), version: 7 }))).toBe('version-not-found')
  })
})
