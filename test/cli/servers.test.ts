import { join } from 'node:path'
import { describe, expect, it, vi } from 'vitest'
import type { PresenceRecord } from '../../storage/store.ts'
import { turns } from '../api/http/http-api.fixture.ts'
import { appear } from '../fakes/servers.fake.ts'
import { type CliFixture, createCliFixture } from './cli.fixture.ts'

/** This server at version 1 of `default`, and `b` that goes by the same. */
async function createServers(): Promise<CliFixture> {
  const fixture = await createCliFixture({ namespaces: { default: '/svc => /x' } })
  fixture.servers.follow('self:1')
  await appear(fixture.store, 'b')
  await turns()
  fixture.network.greet('b', { default: 1 })
  return fixture
}

/** Lets `b` be behind for so many seconds, alive all the while. */
async function pass(fixture: CliFixture, seconds: number): Promise<void> {
  for (let second = 0; second < seconds; second++) {
    await turns()
    fixture.clock.advance(1_000)
    fixture.network.say('b')
  }
}

describe('namerctl servers', () => {
  it('lists who there is', async () => {
    const { run } = await createServers()
    expect(await run('servers')).toMatchInlineSnapshot(`
      {
        "code": 0,
        "err": "",
        "out": "SERVER  ADDRESS  VERSION  STATE    SINCE                     NAMESPACES  REASON
      b       b:1      1.0.0    replies  2023-11-14T22:13:20.000Z  1
      self *  self:1   1.0.0    replies  2023-11-14T22:13:20.000Z  1
      ",
      }
    `)
    expect(await run('servers --check')).toMatchObject({ code: 0, err: '' })
  })

  it('says who does not reply and where they differ; with --check that is a failure', async () => {
    const fixture = await createServers()
    fixture.network.say('b', { default: 3 })
    await pass(fixture, 6)
    expect((await fixture.run('servers')).out.split('\n').slice(3)).toMatchInlineSnapshot(`
      [
        "# servers differ about default since 2023-11-14T22:13:20.000Z: self goes by 1, b goes by 3",
        "",
      ]
    `)
    expect(await fixture.run('servers --check')).toMatchObject({
      code: 1,
      err: 'namerctl: servers differ about 1 dtab\n',
    })
    fixture.network.lose('b', 'connection refused\u001b[2J')
    expect(await fixture.run('servers')).toMatchInlineSnapshot(`
      {
        "code": 0,
        "err": "",
        "out": "SERVER  ADDRESS  VERSION  STATE    SINCE                     NAMESPACES  REASON
      b       b:1      1.0.0    silent   2023-11-14T22:13:26.000Z  1           connection refused\\u{1b}[2J
      self *  self:1   1.0.0    replies  2023-11-14T22:13:20.000Z  1
      ",
      }
    `)
    expect((await fixture.run('servers --check')).err).toBe('namerctl: 1 of 2 servers does not reply\n')
  })

  it('says that there may be others while the store does not say who is present', async () => {
    const fixture = await createCliFixture({})
    const failing = fixture.kernel.source<readonly PresenceRecord[]>('presence', sink => {
      sink.fail(new Error('connection refused'))
      return () => {}
    })
    vi.spyOn(fixture.store, 'presence').mockReturnValue(failing)
    fixture.servers.follow('self:1')
    await turns()
    const said = 'the store does not say who is present since 2023-11-14T22:13:20.000Z: connection refused'
    const { code, out } = await fixture.run('servers')
    expect([code, out.split('\n').at(-2)]).toEqual([0, `# there may be others: ${said}`])
    expect(await fixture.run('servers --check')).toMatchObject({ code: 1, err: `namerctl: ${said}\n` })
  })

  it('gives the whole answer as JSON and YAML', async () => {
    const { run } = await createServers()
    const { out } = await run('servers -o json')
    expect(JSON.parse(out)).toMatchObject({ servers: [{ id: 'b' }, { id: 'self' }], disagreementCount: 0 })
    expect((await run('servers -o yaml')).out).toContain('disagreements: []')
  })
})

describe('a write with --wait', () => {
  it('says who goes by it', async () => {
    const fixture = await createServers()
    const file = fixture.file('new.dtab', '/svc => /y')
    const running = fixture.run(`dtab put default ${file} --wait all`)
    await fixture.written(2)
    fixture.network.say('b', { default: 2 })
    const { code, out } = await running
    expect([code, out.split('\n')[2]]).toEqual([0, '# 2 of 2 servers go by it: b, self'])
  })

  it('that not all go by in time is a failure which says that it is stored', async () => {
    const fixture = await createServers()
    const file = fixture.file('new.dtab', '/svc => /y')
    const running = fixture.run(`dtab update default ${file} --wait all --timeout 2s`)
    await fixture.written(2)
    await pass(fixture, 2)
    expect(await running).toMatchInlineSnapshot(`
      {
        "code": 1,
        "err": "namerctl: version 2 of default is stored, but not all servers go by it yet
      # it need not be written again; \`namerctl servers\` shows how they are
      ",
        "out": "Updated default
      # version 2 replaces version 1, written by configuration at 2023-11-14T22:13:20.000Z: from the configuration
      # 1 of 2 servers go by it: self
      # b is still at version 1
      - /svc  => /x ;
      + /svc  => /y ;
      ",
      }
    `)
  })

  it.each([
    ['dtab delete default --wait applied', 0, '# 1 of 1 server goes by it: self'],
    ['dtab rollback default 1 --wait applied --timeout 500ms', 0, '# 1 of 1 server goes by it: self'],
    ['dtab delete default', 0, undefined],
  ])('works with %s', async (line, code, said) => {
    const { run } = await createServers()
    const ran = await run(line)
    expect([
      ran.code,
      ran.out.split('\n').find(each => each.includes('go by it') || each.includes('goes by it')),
    ]).toEqual([code, said])
  })

  it.each(['--wait some', '--wait all --timeout soon'])('refuses %s', async options => {
    const { run } = await createServers()
    expect(await run(`dtab delete default ${options}`)).toMatchObject({ code: 2 })
  })
})

describe('an import with --wait', () => {
  it('says who goes by all of it, and fails when not all do, run again too', async () => {
    const from = await createCliFixture({ namespaces: { more: '/svc => /x', other: '/svc => /x' } })
    await from.run('export all.ndjson')
    const fixture = await createServers()
    const line = `import ${join(from.dir, 'all.ndjson')} --wait all --timeout 0`
    expect(await fixture.run(line)).toMatchInlineSnapshot(`
      {
        "code": 1,
        "err": "namerctl: what was imported is stored, but not all servers go by it yet
      # it need not be written again; \`namerctl servers\` shows how they are
      ",
        "out": "2 namespaces imported with history
      # 0 of 2 servers go by it
      # b is behind
      # self is behind
      ",
      }
    `)
    fixture.network.say('b', { more: 1, other: 1 })
    expect(await fixture.run(line)).toMatchInlineSnapshot(`
      {
        "code": 0,
        "err": "",
        "out": "2 namespaces here already
      # 2 of 2 servers go by it: b, self
      ",
      }
    `)
    expect((await fixture.run(`${line} --dry-run`)).out).not.toContain('go by it')
  })
})
