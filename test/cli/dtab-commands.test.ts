import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { createCliFixture } from './cli.fixture.ts'

const v1 = '# the fleet\n/svc => /#/io.test ;\n/svc/web => /#/io.test/web-v1 ;\n'
const v2 = '/svc => /#/io.test ;\n/svc/web => 9 * /#/io.test/web-v1 & 1 * /#/io.test/web-v2 ;\n'

/** A namespace `default` whose version 2 is v2. */
async function createHistory() {
  const fixture = await createCliFixture()
  fixture.file('v1.dtab', v1)
  fixture.file('v2.dtab', v2)
  await fixture.run('dtab create default v1.dtab -m first')
  await fixture.run('dtab update default v2.dtab -m canary')
  return fixture
}

describe('namerctl dtab list', () => {
  it('prints names, one per line, as the old namerctl did', async () => {
    const { run } = await createCliFixture({ namespaces: { staging: '', default: '/a=>/b' } })
    expect(await run('dtab list')).toEqual({ code: 0, out: 'default\nstaging\n', err: '' })
    expect(await run('dtab ls')).toEqual({ code: 0, out: 'default\nstaging\n', err: '' })
  })

  it('tells who wrote what when asked', async () => {
    const { run } = await createHistory()
    expect((await run('dtab ls -l')).out).toMatchInlineSnapshot(`
      "NAMESPACE  VERSION  TIME                      AUTHOR  ADDRESS    MESSAGE
      default    2        2023-11-14T22:13:20.000Z  ann     127.0.0.1  canary
      "
    `)
  })
})

describe('namerctl dtab history', () => {
  it('tells where each version came from when asked', async () => {
    const { run } = await createHistory()
    expect((await run('dtab history default --long')).out).toMatchInlineSnapshot(`
      "VERSION  TIME                      AUTHOR  ADDRESS    PARENT  BYTES  MESSAGE
      2        2023-11-14T22:13:20.000Z  ann     127.0.0.1  1       81     canary
      1        2023-11-14T22:13:20.000Z  ann     127.0.0.1  0       65     first
      "
    `)
  })
})

describe('namerctl dtab get', () => {
  it('prints the version, then aligned dentries, byte for byte as the old namerctl did', async () => {
    const { run } = await createHistory()
    expect(await run('dtab get default')).toMatchInlineSnapshot(`
      {
        "code": 0,
        "err": "",
        "out": "# version 2
      /svc      => /#/io.test ;
      /svc/web  => 9*/#/io.test/web-v1 & /#/io.test/web-v2 ;
      ",
      }
    `)
    expect((await run('dtab cat default --version 1')).out).toBe(
      '# version 1\n/svc      => /#/io.test ;\n/svc/web  => /#/io.test/web-v1 ;\n',
    )
  })

  it('prints one line without --pretty', async () => {
    const { run } = await createHistory()
    const { out } = await run('dtab get default --version AAAAAAAAAAE= --pretty=false')
    expect(out).toBe('/svc=>/#/io.test;/svc/web=>/#/io.test/web-v1;\n')
  })

  it('prints JSON with --json and -o json, YAML with -o yaml', async () => {
    const { run } = await createHistory()
    const { out } = await run('dtab get default --version 1 --json')
    expect(JSON.parse(out)).toMatchObject({
      version: 1,
      author: 'ann',
      dtab: [{ prefix: '/svc' }, { prefix: '/svc/web' }],
    })
    expect((await run('dtab get default --version 1 -o json')).out).toBe(out)
    expect((await run('dtab get default --version 1 --json --pretty=false')).out.split('\n')).toHaveLength(2)
    expect((await run('-o yaml dtab get default --version 1')).out).toMatchInlineSnapshot(`
      "namespace: default
      version: 1
      author: ann
      message: first
      time: 2023-11-14T22:13:20.000Z
      address: 127.0.0.1
      dtab:
        - prefix: /svc
          dst: /#/io.test
        - prefix: /svc/web
          dst: /#/io.test/web-v1
      verified: false
      parent: 0
      bytes: 65
      maxBytes: 16777216
      "
    `)
  })

  it('exits 4 for a namespace that does not exist, and says how to make it', async () => {
    const { run } = await createCliFixture()
    expect(await run('dtab get nowhere')).toMatchInlineSnapshot(`
      {
        "code": 4,
        "err": "namerctl: The namespace 'nowhere' does not exist: \`namerctl dtab list\` shows what exists, \`namerctl dtab create nowhere FILE\` makes it
      ",
        "out": "",
      }
    `)
  })

  it('exits 4 for a version that does not exist', async () => {
    const { run } = await createHistory()
    expect(await run('dtab get default --version 9')).toMatchInlineSnapshot(`
      {
        "code": 4,
        "err": "namerctl: 'default' has no version 9: \`namerctl dtab history default\` lists the versions
      ",
        "out": "",
      }
    `)
  })
})

describe('namerctl dtab create', () => {
  it('creates from a file and from standard input', async () => {
    const { run, file } = await createCliFixture()
    expect(await run(['dtab', 'create', 'default', file('v1.dtab', v1), '-m', 'first'])).toMatchInlineSnapshot(`
      {
        "code": 0,
        "err": "",
        "out": "Created default
      # version 1
      + /svc      => /#/io.test ;
      + /svc/web  => /#/io.test/web-v1 ;
      ",
      }
    `)
    const piped = await run('dtab new staging -', { readStdin: async () => '/a=>/b' })
    expect(piped.out).toBe('Created staging\n# version 1\n+ /a  => /b ;\n')
  })

  it('exits 3 where there is one, and replaces nothing', async () => {
    const { run } = await createHistory()
    expect(await run('dtab create default v1.dtab')).toMatchInlineSnapshot(`
      {
        "code": 3,
        "err": "namerctl: The namespace 'default' exists already, at version 2: \`namerctl dtab put default FILE\` replaces it
      ",
        "out": "",
      }
    `)
    expect((await run('dtab get default')).out).toContain('# version 2\n')
  })
})

describe.each(['update', 'up', 'put'])('namerctl dtab %s', name => {
  it('replaces, and prints what it replaced', async () => {
    const { run } = await createHistory()
    const { code, out } = await run(`dtab ${name} default v1.dtab`)
    expect(code).toBe(0)
    expect(out).toBe(`Updated default
# version 3 replaces version 2, written by ann at 2023-11-14T22:13:20.000Z: canary
- /svc/web  => 9*/#/io.test/web-v1 & /#/io.test/web-v2 ;
+ /svc/web  => /#/io.test/web-v1 ;
`)
  })

  it('creates what does not exist, and takes JSON', async () => {
    const { run, file } = await createCliFixture()
    file('dtab.json', '[{"prefix": "/a", "dst": "/b"}]')
    expect((await run(`dtab ${name} default dtab.json`)).out).toBe('Updated default\n# version 1\n+ /a  => /b ;\n')
  })

  it('with --version replaces only that version, in our number or in namerd’s text', async () => {
    const { run } = await createHistory()
    expect((await run(`dtab ${name} default v1.dtab --version AAAAAAAAAAI=`)).code).toBe(0)
    expect((await run(`dtab ${name} default v2.dtab --version 3`)).code).toBe(0)
    expect((await run(`dtab ${name} default v1.dtab --version 3`)).code).toBe(3)
  })
})

describe('a refused write', () => {
  it('shows the line at fault with a caret and stores nothing', async () => {
    const { run, file } = await createHistory()
    file('bad.dtab', '/svc => /#/io.test ;\n/svc/web => 9 ** /a ;\n')
    expect(await run('dtab put default bad.dtab')).toMatchInlineSnapshot(`
      {
        "code": 1,
        "err": "namerctl: bad.dtab:2:16: simple expected but '*' found
        /svc/web => 9 ** /a ;
                       ^
      ",
        "out": "",
      }
    `)
    expect((await run('dtab get default')).out).toContain('# version 2\n')
  })

  it('names the place in JSON', async () => {
    const { run, file } = await createCliFixture()
    file('bad.json', '[{"prefix": "/a", "dst": "/b["}]')
    expect(await run('dtab put default bad.json')).toMatchInlineSnapshot(`
      {
        "code": 1,
        "err": "namerctl: bad.json, /0/dst: entry 0, dst: end of input expected but '[' found
      ",
        "out": "",
      }
    `)
  })

  it('exits 3 when another version is present, and shows who changed what', async () => {
    const { run } = await createHistory()
    expect(await run('dtab update default v1.dtab --version 1')).toMatchInlineSnapshot(`
      {
        "code": 3,
        "err": "namerctl: The dtab of 'default' is at version 2, by ann; version 1 was expected: look with \`namerctl dtab get default\`, then try again
      # version 2 was written by ann at 2023-11-14T22:13:20.000Z: canary
      - /svc/web => /#/io.test/web-v1 ;
      + /svc/web => 9*/#/io.test/web-v1 & /#/io.test/web-v2 ;
      ",
        "out": "",
      }
    `)
  })

  it('names a file that cannot be read', async () => {
    const { run } = await createCliFixture()
    const { code, err } = await run('dtab put default nofile')
    expect(code).toBe(1)
    expect(err).toMatch(
      /^namerctl: cannot read nofile \(ENOENT: .*\): give a file with a dtab, or - for standard input\n$/,
    )
  })
})

describe('namerctl dtab delete', () => {
  it('deletes, and says how to restore it', async () => {
    const { run } = await createHistory()
    expect(await run('dtab rm default -m bye')).toMatchInlineSnapshot(`
      {
        "code": 0,
        "err": "",
        "out": "Deleted default
      # version 3 replaces version 2, written by ann at 2023-11-14T22:13:20.000Z: canary
      # \`namerctl dtab rollback default 2\` restores it
      - /svc      => /#/io.test ;
      - /svc/web  => 9*/#/io.test/web-v1 & /#/io.test/web-v2 ;
      ",
      }
    `)
    expect((await run('dtab get default')).code).toBe(4)
    expect((await run('dtab delete default')).code).toBe(4)
  })

  it('with --version deletes only that version', async () => {
    const { run } = await createHistory()
    expect((await run('dtab delete default --version 1')).code).toBe(3)
    expect((await run('dtab delete default --version 2')).code).toBe(0)
  })
})

describe('history', () => {
  it('lists versions, diffs them and rolls back, also after a deletion', async () => {
    const { run } = await createHistory()
    await run('dtab delete default -m bye')
    expect((await run('dtab history default')).out).toMatchInlineSnapshot(`
      "VERSION  TIME                      AUTHOR  MESSAGE
      3        2023-11-14T22:13:20.000Z  ann     (deleted) bye
      2        2023-11-14T22:13:20.000Z  ann     canary
      1        2023-11-14T22:13:20.000Z  ann     first
      "
    `)
    expect((await run('dtab diff default 1 2')).out).toMatchInlineSnapshot(`
      "# version 1 to 2
      - /svc/web  => /#/io.test/web-v1 ;
      + /svc/web  => 9*/#/io.test/web-v1 & /#/io.test/web-v2 ;
      "
    `)
    expect((await run('dtab rollback default 2 -m back')).out).toMatchInlineSnapshot(`
      "Rolled back default to version 2
      # version 4 replaces version 3, a deletion by ann at 2023-11-14T22:13:20.000Z: bye
      + /svc      => /#/io.test ;
      + /svc/web  => 9*/#/io.test/web-v1 & /#/io.test/web-v2 ;
      "
    `)
    expect((await run('dtab diff default 2')).out).toBe('# version 2 to 4: no dentry differs\n')
    expect((await run('dtab diff default')).out).toContain('# version 3 to 4\n')
    expect((await run('dtab history default --limit 1')).out.split('\n')).toHaveLength(3)
  })

  it('a rollback loses to a write that came between', async () => {
    const { run } = await createHistory()
    let isFirst = true
    const racingFetch: typeof fetch = async (input, init) => {
      const response = await fetch(input, init)
      if (isFirst) {
        isFirst = false
        await run('dtab put default v1.dtab -m meanwhile')
      }
      return response
    }
    const { code, err } = await run('dtab rollback default 1', { fetch: racingFetch })
    expect(code).toBe(3)
    expect(err).toContain('# version 3 was written by ann at 2023-11-14T22:13:20.000Z: meanwhile')
  })
})

describe('the author', () => {
  it('is the user of the operating system, whatever letters it has', async () => {
    const { run, file } = await createCliFixture()
    file('a.dtab', '/a=>/b')
    await run('dtab put default a.dtab', { user: 'Jörg' })
    expect((await run('dtab history default')).out).toContain('J%C3%B6rg')
  })
})

describe('a file', () => {
  it('that is not UTF-8 is refused before anything is sent, and a byte order mark is left out', async () => {
    const { dir, run, store } = await createCliFixture()
    writeFileSync(join(dir, 'latin1.dtab'), Buffer.from('# \u00e4\n/a => /b ;\n', 'latin1'))
    expect(await run('dtab put default latin1.dtab')).toEqual({
      code: 1,
      out: '',
      err: 'namerctl: latin1.dtab is not UTF-8: save it as UTF-8 and try again\n',
    })
    expect(await store.head('default')).toBeUndefined()
    writeFileSync(join(dir, 'marked.dtab'), '\uFEFF/a => /b ;\n')
    expect((await run('dtab put default marked.dtab')).code).toBe(0)
    expect((await store.head('default'))?.text).toBe('/a => /b ;\n')
  })
})
