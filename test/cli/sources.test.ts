import { describe, expect, it } from 'vitest'
import type { Sink } from '../../watch/cell.ts'
import { bareNamer, FakeGuard } from '../api/http/http-api.fixture.ts'
import { type CliFixture, createCliFixture } from './cli.fixture.ts'

const consul = '/#/io.l5d.consul'

/** Four names of Consul: one well, one silent, two failing; Kubernetes, in two labels, with nothing followed. */
async function createSources(): Promise<CliFixture & { readonly guard: FakeGuard }> {
  const guard = new FakeGuard()
  const fixture = await createCliFixture({
    alsoSources: [bareNamer(['#', 'io.l5d.consul'], guard), bareNamer(['#', 'prod', 'k8s'])],
  })
  const follow = (name: string, report: (sink: Sink<number>) => void): void => {
    const open = (sink: Sink<number>): (() => void) => {
      report(sink)
      return () => {}
    }
    fixture.kernel.source(`io.l5d.consul ${name}`, open, { group: consul }).watch(() => {})
  }
  const refused = new Error('500 No cluster leader')
  follow('dc1/api', sink => sink.set(1, '41'))
  follow('dc1/cart', sink => {
    sink.set(1, '17')
    sink.fail(refused)
  })
  follow('dc1/db', sink => sink.fail(refused))
  follow('dc1/web', () => {})
  fixture.clock.advance(300_000)
  return { ...fixture, guard }
}

describe('namerctl sources', () => {
  it('lists every source with its state, the age of its oldest data and the reason', async () => {
    const { run } = await createSources()
    const listed = await run('sources')
    expect(listed).toMatchInlineSnapshot(`
      {
        "code": 0,
        "err": "",
        "out": "SOURCE         STATE     NAMES  STALE  FAILED  HELD  AGE  REASON
      io.test        idle      0      0      0       0     -
      io.l5d.consul  degraded  4      1      1       0     5m   500 No cluster leader (since 2023-11-14T22:13:20.000Z)
      prod/k8s       idle      0      0      0       0     -
      storage        ok        1      0      0       0     5m
      dns            idle      0      0      0       0     -
      ",
      }
    `)
    expect(await run('sources list')).toEqual(listed)
    expect((await run('sources ls --ids')).out).toBe('io.test\nio.l5d.consul\nprod/k8s\nstorage\ndns\n')
  })

  it('shows the mass-empty alarm before everything else', async () => {
    const { run, guard } = await createSources()
    guard.holding = [
      { name: 'dc1/api', since: 1_700_000_100_000 },
      { name: 'dc1/old', since: 1_700_000_200_000 },
    ]
    expect((await run('sources')).out.split('\n')[2]).toMatchInlineSnapshot(
      `"io.l5d.consul  held   5      1      1       2     5m   the loss of 2 names is held back (since 2023-11-14T22:15:00.000Z); 500 No cluster leader (since 2023-11-14T22:13:20.000Z)"`,
    )
    expect((await run('sources')).out.split('\n').at(-2)).toBe(
      '# which names are held? `namerctl sources show io.l5d.consul --state held`',
    )
    expect((await run('sources show io.l5d.consul --state held')).out).toMatchInlineSnapshot(`
      "# io.l5d.consul (io.l5d.consul at /#/io.l5d.consul) is held: the loss of 2 names is held back (since 2023-11-14T22:15:00.000Z); 500 No cluster leader (since 2023-11-14T22:13:20.000Z)
      # 5 names: 1 pending, 1 stale, 1 failed, 2 held
      # if the loss is real, \`namerctl sources release io.l5d.consul\` publishes it
      NAME                   STATE  AGE  CHANGED                   VERSION  OBSERVERS  REASON
      dc1/old                held   -    -                         -        0          its loss is held back (since 2023-11-14T22:16:40.000Z)
      io.l5d.consul dc1/api  held   5m   2023-11-14T22:13:20.000Z  41       0          its loss is held back (since 2023-11-14T22:15:00.000Z)
      "
    `)
  })

  it('shows what others wrote on one line, and commands that can be pasted', async () => {
    const { run, kernel } = await createSources()
    const name = "io.l5d.consul dc1/a'b\u001b[2J"
    const open = (sink: Sink<number>): (() => void) => {
      sink.fail(new Error('500\r\n\u202e<html>'))
      return () => {}
    }
    kernel.source(name, open, { group: consul }).watch(() => {})
    const { out } = await run('sources show io.l5d.consul --limit 1')
    expect(out).toContain("--after 'io.l5d.consul dc1/a'\\''b\\u{1b}[2J' shows the next")
    expect(out).toContain('500\\u{d}\\u{a}\\u{202e}<html>')
    expect((await run('sources')).out).not.toMatch(/[^\P{Cc}\n]|\u202e/u)
  })

  it('prints JSON and YAML', async () => {
    const { run } = await createSources()
    expect(JSON.parse((await run('sources -o json')).out)).toMatchObject({
      sources: [{ id: 'io.test', state: 'idle' }, { id: 'io.l5d.consul', state: 'degraded' }, {}, {}, {}],
    })
    expect((await run('sources show io.l5d.consul --limit 1 -o yaml')).out).toMatchInlineSnapshot(`
      "source:
        id: io.l5d.consul
        kind: io.l5d.consul
        prefix: /#/io.l5d.consul
        state: degraded
        counts:
          total: 4
          ok: 1
          pending: 1
          stale: 1
          failed: 1
          held: 0
        oldestAgeMs: 300000
        failingSince: 2023-11-14T22:13:20.000Z
        lastError: 500 No cluster leader
        guard:
          held: 0
        observers: 4
        ageMs: 300000
        lastChangeAt: 2023-11-14T22:13:20.000Z
        lastContactAt: 2023-11-14T22:13:20.000Z
      names:
        - name: io.l5d.consul dc1/api
          state: ok
          observers: 1
          ageMs: 300000
          lastChangeAt: 2023-11-14T22:13:20.000Z
          version: "41"
          openedAt: 2023-11-14T22:13:20.000Z
          lastContactAt: 2023-11-14T22:13:20.000Z
      next: io.l5d.consul dc1/api
      "
    `)
  })

  it('marks trouble red on a terminal', async () => {
    const { run } = await createSources()
    const { out } = await run('sources', { isTerminal: { stdout: true, stderr: true } })
    const [, , troubled] = out.split('\n')
    expect(troubled?.startsWith('\u001b[31mio.l5d.consul')).toBe(true)
    expect(troubled?.endsWith('\u001b[39m')).toBe(true)
  })
})

describe('namerctl sources show', () => {
  it('shows the names, each with its state, age and reason', async () => {
    const { run } = await createSources()
    expect(await run('sources show io.l5d.consul')).toMatchInlineSnapshot(`
      {
        "code": 0,
        "err": "",
        "out": "# io.l5d.consul (io.l5d.consul at /#/io.l5d.consul) is degraded: 500 No cluster leader (since 2023-11-14T22:13:20.000Z)
      # 4 names: 1 ok, 1 pending, 1 stale, 1 failed
      NAME                    STATE    AGE  CHANGED                   VERSION  OBSERVERS  REASON
      io.l5d.consul dc1/api   ok       5m   2023-11-14T22:13:20.000Z  41       1
      io.l5d.consul dc1/cart  stale    5m   2023-11-14T22:13:20.000Z  17       1          500 No cluster leader (since 2023-11-14T22:13:20.000Z)
      io.l5d.consul dc1/db    failed   5m   -                         -        1          500 No cluster leader (since 2023-11-14T22:13:20.000Z)
      io.l5d.consul dc1/web   pending  5m   -                         -        1
      ",
      }
    `)
  })

  it('pages, and says how to go on', async () => {
    const { run } = await createSources()
    const first = await run('sources show io.l5d.consul --limit 2')
    expect(first.out.split('\n').at(-2)).toBe("# there are more: --after 'io.l5d.consul dc1/cart' shows the next")
    const next = await run(['sources', 'show', 'io.l5d.consul', '--after', 'io.l5d.consul dc1/cart'])
    expect(
      next.out
        .split('\n')
        .slice(3, -1)
        .map(line => line.split('  ')[0]),
    ).toEqual(['io.l5d.consul dc1/db', 'io.l5d.consul dc1/web'])
  })

  it('takes an id that has a slash', async () => {
    const { run } = await createSources()
    expect((await run('sources show prod/k8s')).out).toMatchInlineSnapshot(`
      "# prod/k8s (prod at /#/prod/k8s) is idle
      # 0 names
      "
    `)
  })

  it('exits 4 for a source that does not exist, and lists those that do', async () => {
    const { run } = await createSources()
    expect(await run('sources show consul')).toMatchInlineSnapshot(`
      {
        "code": 4,
        "err": "namerctl: There is no source 'consul': there are io.test, io.l5d.consul, prod/k8s, storage, dns: \`namerctl sources\` shows how they are
      ",
        "out": "",
      }
    `)
  })

  it('exits 2 for a state that there is not', async () => {
    const { run } = await createSources()
    expect(await run('sources show io.l5d.consul --state bad')).toMatchObject({ code: 2, out: '' })
  })
})

describe('namerctl sources release', () => {
  it('says how much was released; the server logs who did it and why', async () => {
    const { run, guard, log } = await createSources()
    guard.holding = Array.from({ length: 12 }, (_, n) => ({ name: `dc1/${n}`, since: 1 }))
    expect(await run(['sources', 'release', 'io.l5d.consul', '-m', 'dc1 is off'])).toEqual({
      code: 0,
      out: 'Released 12 names of io.l5d.consul\n',
      err: '',
    })
    expect(log.lines).toContainEqual({
      facts: { source: 'io.l5d.consul', released: 12, author: 'ann', message: 'dc1 is off' },
      message: 'held names were released by an operator',
    })
    expect((await run('sources release io.l5d.consul')).out).toBe('Nothing is held in io.l5d.consul\n')
    expect((await run('sources release io.l5d.consul -o json')).out).toBe(
      '{\n  "id": "io.l5d.consul",\n  "released": 0\n}\n',
    )
  })

  it('exits 1 where nothing can be held, 4 where there is no source', async () => {
    const { run } = await createSources()
    expect(await run('sources release prod/k8s')).toMatchInlineSnapshot(`
      {
        "code": 1,
        "err": "namerctl: The source 'prod/k8s' (prod) holds nothing back: it has no guard against mass loss, or massEmpty is off.
      ",
        "out": "",
      }
    `)
    expect(await run('sources release nowhere')).toMatchObject({ code: 4, out: '' })
  })
})
