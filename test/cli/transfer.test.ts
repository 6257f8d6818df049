// namerctl export and import: between two servers, from a namerd, and what happens when something is in the way.
import { lstatSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import type { CliIo } from '../../cli/index.ts'
import { request } from '../contract/store.contract.ts'
import { startNamerd } from '../fakes/namerd.fake.ts'
import { type CliFixture, createCliFixture, Screen } from './cli.fixture.ts'

/** default: two versions; old: deleted. */
async function withPast(): Promise<CliFixture> {
  const fixture = await createCliFixture()
  for (const [namespace, text] of [
    ['default', '/a => /b # first'],
    ['default', '/a => 0.333 * /c & 0.667 * /d'],
    ['old', '/x => /y'],
  ] as const) {
    fixture.file('a.dtab', text)
    await fixture.run(['dtab', 'put', namespace, 'a.dtab', '-m', `as ${text}`])
  }
  await fixture.run('dtab delete old')
  return fixture
}

const contentOf = (fixture: CliFixture): string => readFileSync(join(fixture.dir, 'all.ndjson'), 'utf8')

/** Every line but the first, which says when and from where. */
async function versionsOf(fixture: CliFixture): Promise<string> {
  const { code } = await fixture.run('export all.ndjson')
  expect(code).toBe(0)
  return contentOf(fixture).replace(/^.*\n/, '')
}

const stdin = (text: string): Pick<CliIo, 'openStdin'> => ({
  openStdin: async function* () {
    yield Buffer.from(text.slice(0, 100))
    yield Buffer.from(text.slice(100))
  },
})

describe('namerctl export and import', () => {
  it('take everything from one server to another, and back again', async () => {
    const from = await withPast()
    expect(await from.run('export all.ndjson')).toEqual({
      code: 0,
      out: 'Exported 4 versions of 2 namespaces to all.ndjson\n',
      err: '',
    })
    const to = await createCliFixture()
    expect(await to.run(`import ${join(from.dir, 'all.ndjson')}`)).toEqual({
      code: 0,
      out: '2 namespaces imported with history\n',
      err: '',
    })
    expect(await versionsOf(to)).toBe(await versionsOf(from))
    expect((await from.run(`import ${join(to.dir, 'all.ndjson')}`)).out).toBe('2 namespaces here already\n')
  })

  it('go through pipes', async () => {
    const from = await withPast()
    const { out, err } = await from.run('export')
    expect(err).toBe('# Exported 4 versions of 2 namespaces\n')
    const to = await createCliFixture()
    expect(await to.run('import -', stdin(out))).toMatchObject({ code: 0, out: '2 namespaces imported with history\n' })
  })

  it('take what is asked for', async () => {
    const from = await withPast()
    await from.run('export all.ndjson -n default --no-history')
    expect(contentOf(from).match(/"version":\d+,"author"/g)).toEqual(['"version":2,"author"'])
    expect(await from.run('export all.ndjson -n nope')).toMatchObject({ code: 4 })
    expect(contentOf(from)).toContain('0.333')
  })

  it('change nothing when anything is refused, and say what and how to go on', async () => {
    const from = await withPast()
    await from.run('export all.ndjson')
    const to = await createCliFixture({ namespaces: { old: '/here => /h' } })
    const file = join(from.dir, 'all.ndjson')
    expect(await to.run(`import ${file}`)).toMatchInlineSnapshot(`
      {
        "code": 1,
        "err": "namerctl: nothing was imported, for 1 namespace cannot be taken in; --existing skip leaves those that are here as they are, --existing write adds a version to them
      # old: The namespace 'old' has versions here already, up to 1; its history can be imported only where it never was.
      ",
        "out": "",
      }
    `)
    expect(await to.store.head('default')).toBeUndefined()
    expect((await to.run(`import ${file} --existing skip --dry-run`)).out).toMatchInlineSnapshot(`
      "1 namespace would be imported with history
      1 namespace would be left as it is here
      "
    `)
    expect(await to.store.head('default')).toBeUndefined()
    expect((await to.run(`import ${file} --existing skip`)).out).toMatchInlineSnapshot(`
      "1 namespace imported with history
      1 namespace left as it is here
      "
    `)
    expect((await to.store.head('old'))?.text).toBe('/here => /h')
  })

  it('write over what is here with one version', async () => {
    const from = await withPast()
    await from.run('export all.ndjson -n default')
    const to = await createCliFixture({ namespaces: { default: '/here => /h' } })
    const { out } = await to.run(`import ${join(from.dir, 'all.ndjson')} --existing write`)
    expect(out).toBe('1 namespace written as a new version\n')
    expect(await to.store.head('default')).toMatchObject({ version: 2, meta: { author: 'ann', parent: 1 } })
  })

  it('name namespace, version, size and limit of what the store cannot hold', async () => {
    const from = await withPast()
    await from.run('export all.ndjson')
    const to = await createCliFixture({ maxDtabBytes: 20 })
    const { code, err } = await to.run(`import ${join(from.dir, 'all.ndjson')}`)
    expect(code).toBe(1)
    expect(err).toContain("# default: Version 2: The dtab of 'default' has 29 bytes; this store holds at most 20.")
  })

  it.each([
    ['a file that is not there', undefined, 'cannot read all.ndjson (ENOENT'],
    [
      'a file that is no export',
      '/a => /b\n',
      'all.ndjson: Line 1: This is no line of an export: it is no JSON object.',
    ],
    ['a file that was cut off', 'cut', 'so it was cut off.'],
  ])('refuse %s, before anything is written', async (_, text, message) => {
    const from = await withPast()
    await from.run('export all.ndjson')
    const to = await createCliFixture()
    const whole = contentOf(from)
    const cut = whole.slice(0, whole.lastIndexOf('{'))
    if (text !== undefined) writeFileSync(join(to.dir, 'all.ndjson'), text === 'cut' ? cut : text)
    const { code, err } = await to.run('import all.ndjson')
    expect(code).toBe(1)
    expect(err).toContain(message)
    expect(await to.store.head('default')).toBeUndefined()
  })

  it('leave the older file alone when the export breaks off', async () => {
    const from = await withPast()
    from.file('all.ndjson', 'older')
    const whole = (await from.run('export')).out
    const half = async (): Promise<Response> => new Response(whole.slice(0, 300))
    expect(await from.run('export all.ndjson', { fetch: half })).toMatchObject({ code: 1, out: '' })
    expect(contentOf(from)).toBe('older')
    expect(readdirSync(from.dir).filter(name => name.includes('.part'))).toEqual([])
  })

  it('write to what a link leads to, and leave a device what it is', async () => {
    const from = await withPast()
    from.file('real.ndjson', 'older')
    symlinkSync('real.ndjson', join(from.dir, 'all.ndjson'))
    symlinkSync('/dev/null', join(from.dir, 'nothing'))
    for (const name of ['all.ndjson', 'nothing']) {
      expect(await from.run(`export ${name}`)).toMatchObject({ code: 0, err: '' })
      expect(lstatSync(join(from.dir, name)).isSymbolicLink()).toBe(true)
    }
    expect(readFileSync(join(from.dir, 'real.ndjson'), 'utf8')).toContain('{"end":true')
    expect((await from.run('export .')).err).toContain('cannot write . (it is a directory)')
  })

  it('send a large file in several requests, each of whole namespaces', async () => {
    const names = Array.from({ length: 501 }, (_, i) => `ns${String(i).padStart(4, '0')}`)
    const from = await createCliFixture({ namespaces: Object.fromEntries(names.map(name => [name, '/a => /b'])) })
    await from.run('export all.ndjson')
    const to = await createCliFixture()
    const urls: string[] = []
    const noted: typeof fetch = (url, init) => {
      urls.push(String(url).replace(to.url, ''))
      return fetch(url, init)
    }
    expect(await to.run(`import ${join(from.dir, 'all.ndjson')}`, { fetch: noted })).toEqual({
      code: 0,
      out: '501 namespaces imported with history\n',
      err: '',
    })
    const plan = '/api/import?existing=refuse&dryRun=true'
    const real = '/api/import?existing=refuse'
    expect(urls).toEqual([plan, plan, real, real])
  })

  it('say that something may be in when they break off after the first look', async () => {
    const from = await withPast()
    await from.run('export all.ndjson')
    const to = await createCliFixture()
    const raced: typeof fetch = async (url, init) => {
      if (!String(url).includes('dryRun')) await to.store.write(request('old', '/meanwhile => /m'))
      return fetch(url, init)
    }
    const { code, err } = await to.run(`import ${join(from.dir, 'all.ndjson')}`, { fetch: raced })
    expect(code).toBe(1)
    expect(err).toMatch(
      /'old' has versions here already.*\n# the import broke off, and some namespaces may be in by now: run/,
    )
  })

  it('tell a person how far they are, once it takes long', async () => {
    const from = await withPast()
    const screen = new Screen()
    let now = 0
    const clock = { ...from.clock, now: () => 0, monotonic: () => (now += 1_500) }
    await from.run('export all.ndjson', { clock, isTerminal: { stdout: false, stderr: true }, stderr: screen.write })
    expect(screen.text).toContain('\r\u001b[Kexported 1 version of 1 namespace')
    expect(screen.text.endsWith('\r\u001b[K')).toBe(true)
  })
})

describe('namerctl export --from', () => {
  it('reads what a namerd holds, which import takes', async () => {
    const fixture = await createCliFixture()
    const url = await startNamerd({ default: '/svc=>/#/io.l5d.fs;/a/*=>/b | /c', empty: '', gone: undefined })
    expect(await fixture.run(`export all.ndjson --from ${url}/`)).toEqual({
      code: 0,
      out: 'Exported 2 versions of 2 namespaces to all.ndjson\n',
      err: '',
    })
    expect((await fixture.run('import all.ndjson')).out).toBe('2 namespaces imported with history\n')
    expect(await fixture.store.head('default')).toMatchObject({
      version: 1,
      text: '/svc => /#/io.l5d.fs ;\n/a/* => /b | /c ;\n',
      meta: { author: 'namerd', message: `exported from ${url}/api/1`, parent: 0 },
    })
    expect((await fixture.store.head('empty'))?.text).toBe('')
  })

  it('reads /api/1 of a Nameplane server too', async () => {
    const from = await withPast()
    const to = await createCliFixture()
    const { err } = await to.run(`export all.ndjson --from ${from.url}/api/1`)
    expect(err).toBe('# namerd shows weights with two decimals only: look at them in default\n')
    await to.run('import all.ndjson')
    expect((await to.store.head('default'))?.text).toBe('/a => 0.33*/c & 0.67*/d ;\n')
    expect(await to.store.head('old')).toBeUndefined()
  })

  it('leaves out what cannot be taken along, says so, and exits 1 unless that was expected', async () => {
    const fixture = await createCliFixture()
    const url = await startNamerd({ 'a%20b': '/a=>/b', 'a/b': '/a=>/b', fine: '/a=>/b', odd: '/a=>null' })
    const { code, err, out } = await fixture.run(`export all.ndjson --from ${url}`)
    expect({ code, out }).toEqual({ code: 1, out: 'Exported 1 version of 1 namespace to all.ndjson\n' })
    expect(err).toMatch(/left out a%20b: .*\nleft out a\/b: .*\nleft out odd: .*\nnamerctl: 3 namespaces could not/)
    expect((await fixture.run(`export all.ndjson --from ${url} --skip-unsupported`)).code).toBe(0)
    expect((await fixture.run('import all.ndjson')).out).toBe('1 namespace imported with history\n')
  })

  it.each([
    ['nonsense', 2, "--from: 'nonsense' is not the URL of a namerd"],
    ['http://me:secret@127.0.0.1:1', 2, '--from: a URL with a user or a password is not taken'],
    ['http://127.0.0.1:1', 1, 'no namerd answers at http://127.0.0.1:1/api/1/dtabs'],
  ])('exits for %s with %i', async (url, exitCode, message) => {
    const { code, err } = await (await createCliFixture()).run(`export - --from ${url}`)
    expect(code).toBe(exitCode)
    expect(err).toContain(message)
  })

  it('exits for what is no namerd, and for a namespace that it does not have', async () => {
    const fixture = await createCliFixture()
    const url = await startNamerd({ default: '' })
    expect((await fixture.run(`export - --from ${fixture.url}/api/dtabs`)).err).toContain('is it a namerd?')
    expect((await fixture.run(`export - --from ${url} -n nope`)).code).toBe(4)
  })
})
