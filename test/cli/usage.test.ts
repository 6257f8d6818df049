import { execFile } from 'node:child_process'
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { describe, expect, it } from 'vitest'
import { createCliFixture, runCli } from './cli.fixture.ts'

describe('usage', () => {
  it.each([
    ['dtab get', "missing required argument 'namespace'"],
    ['dtab gett default', "unknown command 'gett'\n(Did you mean get?)"],
    ['dtab get default --nope', "unknown option '--nope'"],
    ['dtab get default extra', 'too many arguments'],
    ['dtab get default -o xml', 'Allowed choices are table, json, yaml'],
    ['dtab get default --version v7', 'a version is a number such as 7, or the text that namerd shows, AAAAAAAAAAc='],
    ['dtab history default --limit 0', 'write a number from 1 to 100'],
    [
      'dtab list --base-url ftp://x',
      "--base-url: 'ftp://x' is not a base URL; write for example http://127.0.0.1:4180",
    ],
    ['dtab list --config /no/such/file', 'cannot read /no/such/file'],
    ['completion tcsh', 'Allowed choices are bash, zsh, fish'],
  ])('%s exits 2: %s', async (line, message) => {
    const { code, out, err } = await runCli(line)
    expect({ code, out }).toEqual({ code: 2, out: '' })
    expect(err).toContain(message)
    expect(err).toMatch(/^namerctl: /)
  })

  it('without a command shows help as an error', async () => {
    const { code, out, err } = await runCli('')
    expect({ code, out }).toEqual({ code: 2, out: '' })
    expect(err).toContain('Usage: namerctl')
  })

  const commands = [
    'list',
    'get',
    'create',
    'update',
    'put',
    'edit',
    'delete',
    'rollback',
    'history',
    'diff',
    'watch',
  ].map(name => `dtab ${name}`)
  const sources = ['sources', 'sources list', 'sources show', 'sources release']
  it.each([...commands, ...sources, 'proxies', 'bind', 'resolve', 'delegate', 'completion'])(
    '%s --help teaches with examples',
    async name => {
      const { code, out, err } = await runCli(`${name} --help`)
      expect({ code, err }).toEqual({ code: 0, err: '' })
      expect(out).toMatch(
        new RegExp(`Examples:\n(?:  .*\n)*?  \\$ namerctl ${name.replace(/^dtab list$/, 'dtab l(ist|s)')} .*# `),
      )
      expect(out).toContain('--base-url <url>')
    },
  )
})

describe('the base URL', () => {
  it('is --base-url, then NAMERCTL_BASE_URL, then .namerctl.yaml here, above or at home, then the default', async () => {
    const { dir } = await createCliFixture()
    const inner = join(dir, 'project', 'sub')
    const home = join(dir, 'home')
    mkdirSync(inner, { recursive: true })
    mkdirSync(home)
    const asked: string[] = []
    const ask = async (line: string, env: Record<string, string> = {}): Promise<string | undefined> => {
      const record = async (input: unknown): Promise<Response> => {
        asked.push(new URL(String(input)).origin)
        return Response.json({ namespaces: [] })
      }
      await runCli(line, { env, cwd: inner, home, fetch: record })
      return asked.pop()
    }
    expect(await ask('dtab list')).toBe('http://127.0.0.1:4180')
    writeFileSync(join(home, '.namerctl.yaml'), 'base-url: http://home.example.org:4180/\n')
    expect(await ask('dtab list')).toBe('http://home.example.org:4180')
    writeFileSync(join(dir, 'project', '.namerctl.yaml'), 'base-url: http://project.example.org\n')
    expect(await ask('dtab list')).toBe('http://project.example.org')
    const env = { NAMERCTL_BASE_URL: 'https://env.example.org' }
    expect(await ask('dtab list', env)).toBe('https://env.example.org')
    expect(await ask('dtab list --base-url http://option.example.org', env)).toBe('http://option.example.org')
    expect(await ask('--base-url http://option.example.org dtab list', env)).toBe('http://option.example.org')
  })

  it('in a file that says something else is refused with the file', async () => {
    const { dir, file } = await createCliFixture()
    file('.namerctl.yaml', 'baseurl: http://127.0.0.1\n')
    const { code, err } = await runCli('dtab list', { cwd: dir })
    expect(code).toBe(2)
    expect(err).toContain(`${join(dir, '.namerctl.yaml')}: `)
    expect(err).toContain('the only key is base-url')
  })
})

describe('a server that is not there', () => {
  it('is named with the cure', async () => {
    const fixture = await createCliFixture()
    await fixture.api.close()
    const { code, err } = await fixture.run('dtab list')
    expect(code).toBe(1)
    expect(err).toBe(
      `namerctl: no server answers at ${fixture.url} (connect ECONNREFUSED ${fixture.url.slice(7)}): ` +
        'start it with `nameplane serve`, or correct NAMERCTL_BASE_URL\n',
    )
  })

  it('is told from something else that answers', async () => {
    const fixture = await createCliFixture()
    const page = await fixture.run('dtab list', { fetch: async () => new Response('<html>') })
    expect(page.err).toMatch(/did not answer with JSON: is it a Nameplane server\?/)
    const gateway = await fixture.run('dtab list', { fetch: async () => new Response('', { status: 502 }) })
    expect(gateway).toMatchObject({ code: 1, err: expect.stringContaining('answered 502') })
    const other = await fixture.run('dtab list', { fetch: async () => Response.json(['default']) })
    expect(other.err).toMatch(/answered something unexpected/)
  })
})

describe('colour', () => {
  it('is for terminals only, and not when NO_COLOR is set', async () => {
    const fixture = await createCliFixture({ namespaces: { default: '/a => /b' } })
    const isTerminal = { stdout: true, stderr: true }
    const red = '\u001b[31m'
    const env = { NAMERCTL_BASE_URL: fixture.url }
    fixture.file('c.dtab', '/a => /c')
    await fixture.run('dtab put default c.dtab')
    expect((await fixture.run('dtab diff default')).out).not.toContain(red)
    expect((await fixture.run('dtab diff default', { isTerminal })).out).toContain(`${red}- /a`)
    expect((await fixture.run('dtab diff default', { isTerminal, env: { ...env, NO_COLOR: '1' } })).out).not.toContain(
      red,
    )
    expect((await fixture.run('dtab get nowhere', { isTerminal })).err).toContain(red)
  })
})

describe('namerctl completion', () => {
  it.each(['bash', 'zsh', 'fish'])(
    'prints a script for %s that knows commands, options and namespaces',
    async shell => {
      const { code, out } = await runCli(['completion', shell])
      expect(code).toBe(0)
      for (const word of ['rollback', 'delegate', 'base-url', 'namerctl dtab list', 'namerctl sources list --ids'])
        expect(out).toContain(word)
    },
  )

  it('completes in a real bash', async () => {
    const { out } = await runCli('completion bash')
    const script = `${out}
COMP_WORDS=(namerctl dtab roll); COMP_CWORD=2; _namerctl; echo "\${COMPREPLY[@]}"
COMP_WORDS=(namerctl dtab get --js); COMP_CWORD=3; _namerctl; echo "\${COMPREPLY[@]}"
COMP_WORDS=(namerctl sources rel); COMP_CWORD=2; _namerctl; echo "\${COMPREPLY[@]}"
COMP_WORDS=(namerctl sources show --st); COMP_CWORD=3; _namerctl; echo "\${COMPREPLY[@]}"
COMP_WORDS=(namerctl del); COMP_CWORD=1; _namerctl; echo "\${COMPREPLY[@]}"`
    const { stdout } = await promisify(execFile)('bash', ['-c', script])
    expect(stdout).toBe('rollback\n--json\nrelease\n--state\ndelegate\n')
  })
})

describe('the command itself', () => {
  it('runs as a process and gives its exit code', async () => {
    const bin = join(import.meta.dirname, '../../bin/namerctl.ts')
    const env = { ...process.env, NAMERCTL_BASE_URL: 'http://127.0.0.1:9' }
    const ran = await promisify(execFile)(process.execPath, [bin, 'dtab', 'list'], { env }).catch(
      (error: unknown) => error,
    )
    expect(ran).toMatchObject({ code: 1, stdout: '', stderr: expect.stringContaining('no server answers at') })
  })
})
