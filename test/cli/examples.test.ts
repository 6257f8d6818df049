// Every example that a --help shows, run as it stands.
import { describe, expect, it } from 'vitest'
import { bareNamer, FakeGuard } from '../api/http/http-api.fixture.ts'
import { createCliFixture, editorThat, runCli } from './cli.fixture.ts'

const commands = [
  'dtab list',
  'get',
  'history',
  'diff',
  'create',
  'update',
  'put',
  'delete',
  'rollback',
  'edit',
  'watch',
]
const helps = [
  '',
  ...commands.map(name => (name.startsWith('dtab') ? name : `dtab ${name}`)),
  'bind',
  'resolve',
  'delegate',
  'servers',
  'sources',
  'sources list',
  'sources show',
  'sources release',
  'completion',
]

interface Example {
  readonly argv: readonly string[]
  readonly stdin: string
}

/** As a shell reads it, as far as the examples need: quotes, `<<< TEXT`, `> FILE`. */
function readExample(line: string): Example {
  const command = line.replace(/ +# .*$/, '').replace(/^ *\$ namerctl /, '')
  const words = [...command.matchAll(/'([^']*)'|(\S+)/g)].map(([, quoted, plain]) => quoted ?? plain ?? '')
  const here = words.indexOf('<<<')
  const redirection = words.indexOf('>')
  const ends = [here, redirection].filter(at => at >= 0)
  return { argv: words.slice(0, Math.min(words.length, ...ends)), stdin: here < 0 ? '' : (words[here + 1] ?? '') }
}

async function examplesOf(help: string): Promise<readonly string[]> {
  const { out } = await runCli(`${help} --help`)
  // What asks a proxy is run in proxy.test.ts, beside one.
  return out.split('\n').filter(line => /^ {2}\$ namerctl (?!proxy\b)/.test(line))
}

const examples = (await Promise.all(helps.map(examplesOf))).flat()

describe('an example in --help', () => {
  it('is there for every command', () => {
    expect(examples.length).toBeGreaterThan(20)
  })

  it.each(examples)('works: %s', async line => {
    const { argv, stdin } = readExample(line)
    const fixture = await createCliFixture({
      namespaces: { staging: '/svc => /#/io.test' },
      alsoSources: [bareNamer(['#', 'io.l5d.consul'], new FakeGuard())],
    })
    fixture.servers.follow('self:1')
    fixture.namer.set('web', '10.0.0.1:80')
    fixture.file('web.dtab', '/svc => /#/io.test ;\n')
    const versions = argv.includes('create') ? 0 : /\d/.test(line) ? 7 : 2
    for (let i = 0; i < versions; i++) await fixture.run('dtab put default web.dtab')
    const interrupt = new AbortController()
    const shown: string[] = []
    const { code, err } = await fixture.run(argv, {
      readStdin: async () => stdin,
      runEditor: editorThat(text => `${text}/more => /svc ;\n`),
      interrupted: interrupt.signal,
      stdout: text => {
        shown.push(text)
        if (argv.includes('watch') || argv.includes('-w')) interrupt.abort()
      },
    })
    expect({ code, err }).toEqual({ code: 0, err: '' })
    expect(shown.join('')).not.toBe('')
  })
})
