// What namerctl does with the past: deleted namespaces, numbers with gaps, texts that were refused.
import { describe, expect, it } from 'vitest'
import { RefusingStore, refusedText } from '../fakes/refusing-store.fake.ts'
import { type CliFixture, createCliFixture } from './cli.fixture.ts'

async function put(fixture: CliFixture, namespace: string, text: string): Promise<void> {
  fixture.file('a.dtab', text)
  expect((await fixture.run(`dtab put ${namespace} a.dtab`)).code).toBe(0)
}

describe('namerctl dtab list --deleted and restore', () => {
  it('list what was deleted, and bring it back as it was', async () => {
    const fixture = await createCliFixture({ namespaces: { default: '/a => /b', old: '/x => /y' } })
    const { run, store } = fixture
    await put(fixture, 'old', '/x => /z # kept')
    await run('dtab delete old')
    expect((await run('dtab list')).out).toBe('default\n')
    expect((await run('dtab list --deleted')).out).toBe('old\n')
    const { code, out } = await run('dtab restore old -m needed')
    expect(code).toBe(0)
    expect(out).toContain('Restored old as it was in version 2\n# version 4 replaces version 3, a deletion')
    expect(await store.head('old')).toMatchObject({ version: 4, text: '/x => /z # kept', meta: { message: 'needed' } })
    expect((await run('dtab list --deleted')).out).toBe('')
  })

  it('refuse a namespace that is not deleted, one that never was, and one of which no text is kept', async () => {
    const fixture = await createCliFixture({ namespaces: { default: '/a => /b', old: '/x => /y' } })
    const { run, store } = fixture
    expect(await run('dtab restore default')).toMatchObject({
      code: 1,
      err: 'namerctl: default is not deleted: `namerctl dtab rollback default VERSION` goes back\n',
    })
    expect((await run('dtab restore nowhere')).code).toBe(4)
    await run('dtab delete old')
    await store.forget('old', [1])
    expect(await run('dtab restore old')).toMatchObject({
      code: 4,
      err: 'namerctl: no text of old is kept any more: write it anew\n',
    })
  })
})

describe('numbers with gaps', () => {
  it('hinder neither history, diff nor rollback', async () => {
    const fixture = await createCliFixture()
    const { run, store } = fixture
    for (const letter of 'bcdefg') await put(fixture, 'default', `/a => /${letter}`)
    await store.forget('default', [1, 2, 4, 5])
    expect((await run('dtab history default')).out.match(/^\d+/gm)).toEqual(['6', '3'])
    expect((await run('dtab diff default')).out).toBe('# version 3 to 6\n- /a  => /d ;\n+ /a  => /g ;\n')
    const { code } = await run('dtab rollback default 3')
    expect([code, (await store.head('default'))?.text]).toEqual([0, '/a => /d'])
    expect(await run('dtab rollback default 4')).toMatchObject({
      code: 4,
      err: "namerctl: Version 4 of 'default' is not here: old versions are dropped (storage.history), and a number may be passed over: `namerctl dtab history default` lists the versions\n",
    })
  })

  it('of which one is left show that what came before is gone', async () => {
    const fixture = await createCliFixture()
    for (const letter of 'bc') await put(fixture, 'default', `/a => /${letter}`)
    await fixture.store.forget('default', [1])
    expect((await fixture.run('dtab diff default')).err).toContain("Version 1 of 'default' is not here")
  })
})

describe('a text in the store that is no dtab', () => {
  it('is warned of by list, get and history, on standard error', async () => {
    const refusing = new RefusingStore()
    const { run } = await createCliFixture({ namespaces: { default: '/a => /b' }, wrapStore: refusing.wrap })
    refusing.refuse(refusedText('default'), refusedText('only'))
    const place = "at line 2, column 4 ('=>' expected), since 2023-11-14T22:13:20.000Z"
    const warning = `warning: the text of default in the store is no dtab ${place}: version 1 stays in force\n`
    const other = `warning: the text of only in the store is no dtab ${place}: the namespace does not exist\n`
    expect(await run('dtab list')).toEqual({ code: 0, out: 'default\n', err: `${warning}${other}` })
    expect(await run('dtab get default')).toEqual({ code: 0, out: '# version 1\n/a  => /b ;\n', err: warning })
    expect(await run('dtab history default')).toMatchObject({ code: 0, err: warning })
    const { code, err } = await run('dtab get only')
    expect([code, err.split('\n').at(-2)]).toEqual([4, other.trimEnd()])
  })

  it('show what others wrote as one line that moves no cursor', async () => {
    const fixture = await createCliFixture()
    fixture.file('a.dtab', '/a => /b')
    await fixture.run(['dtab', 'put', 'default', 'a.dtab', '-m', 'one\n\u001b[2Jtwo'])
    const shown = String.raw`one\u{a}\u{1b}[2Jtwo`
    for (const command of ['dtab history default', 'dtab list --long', 'dtab put default a.dtab']) {
      const { out } = await fixture.run(command)
      expect(out).toContain(shown)
      expect(out).not.toContain('\u001b')
    }
  })
})
