import { describe, expect, it } from 'vitest'
import type { ProxyFacts, ProxyRecord } from '../../api/push/proxy-registry.ts'
import { turns } from '../api/http/http-api.fixture.ts'
import { appear } from '../fakes/servers.fake.ts'
import { type CliFixture, createCliFixture, Screen, until } from './cli.fixture.ts'

const watches: Omit<ProxyFacts, 'address'> = { protocol: 'nameplane.v1', confirms: true }
const mesh: Omit<ProxyFacts, 'address'> = { protocol: 'io.linkerd.mesh', confirms: false }

/** A proxy with names of `default`, all of which it has. */
function connect({ proxies }: CliFixture, id: string, facts = watches): ProxyRecord {
  const proxy = proxies.join({ ...facts, address: `10.0.0.${proxies.size + 1}:51012` })
  if (facts.confirms) proxy.identify(id, '1.0.0')
  const progress = proxy.namespace('default')
  progress.addNames(1_200)
  progress.addUnsettled(1)
  progress.addUnsettled(-1)
  return proxy
}

/** Three proxies at version 2, one of which has not confirmed it. */
async function createFleet(): Promise<CliFixture> {
  const fixture = await createCliFixture({ namespaces: { default: '/svc => /x', old: '/svc => /y' } })
  connect(fixture, 'edge-1')
  const late = connect(fixture, 'edge-2')
  connect(fixture, '', mesh)
  await turns()
  late.namespace('default').addUnsettled(1)
  await fixture.run(`dtab put default ${fixture.file('new.dtab', '/svc => /y')}`)
  late.refused('/svc/web', 'the tree is too deep\u001b[2J')
  fixture.clock.advance(150_000)
  await turns()
  return fixture
}

describe('namerctl proxies', () => {
  it('lists who is connected, and who is behind against what', async () => {
    const { run } = await createFleet()
    expect(await run('proxies')).toMatchInlineSnapshot(`
      {
        "code": 0,
        "err": "",
        "out": "PROXY           SERVER  NAMESPACE  VERSION  BEHIND  NAMES  PROTOCOL           ADDRESS         CONNECTED  REFUSED
      10.0.0.3:51012  self    default    2        -       1,200  io.linkerd.mesh *  10.0.0.3:51012  2m         0
      edge-1          self    default    2        -       1,200  nameplane.v1       10.0.0.1:51012  2m         0
      edge-2          self    default    1 of 2   2m      1,200  nameplane.v1       10.0.0.2:51012  2m         1
      # edge-2 refused 1 state 2m ago, /svc/web: the tree is too deep\\u{1b}[2J
      # of those marked * what was sent counts: they confirm nothing
      # 1 of 3 proxies is behind, edge-2 for 2m in default
      ",
      }
    `)
  })

  it('lists those that are behind alone, the longest first', async () => {
    const fixture = await createFleet()
    const later = connect(fixture, 'edge-0')
    later.namespace('old').addNames(1)
    fixture.clock.advance(10_000)
    later.namespace('default').addUnsettled(1)
    fixture.clock.advance(500)
    expect((await fixture.run('proxies --behind')).out).toMatchInlineSnapshot(`
      "PROXY   SERVER  NAMESPACE  VERSION  BEHIND  NAMES  PROTOCOL      ADDRESS         CONNECTED  REFUSED
      edge-2  self    default    1 of 2   2m      1,200  nameplane.v1  10.0.0.2:51012  2m         1
      edge-0  self    old        0 of 1   10s     1      nameplane.v1  10.0.0.4:51012  10s        0
      edge-0  self    default    2        500ms   1,200  nameplane.v1  10.0.0.4:51012  10s        0
      # edge-2 refused 1 state 2m ago, /svc/web: the tree is too deep\\u{1b}[2J
      # 2 of 4 proxies are behind, edge-2 for 2m in default
      "
    `)
  })

  it('says of a namespace that all have it, that nobody follows it, and that nobody is there', async () => {
    const fixture = await createCliFixture({ namespaces: { default: '/svc => /x' } })
    expect((await fixture.run('proxies')).out).toBe('# no proxy is connected\n')
    const proxy = connect(fixture, 'edge-1')
    await turns()
    expect((await fixture.run('proxies --namespace default')).out.split('\n').at(-2)).toBe(
      '# the one proxy that follows names of default has the newest version',
    )
    connect(fixture, 'edge-2')
    await turns()
    expect((await fixture.run('proxies')).out.split('\n').at(-2)).toBe('# all 2 proxies have the newest version')
    expect((await fixture.run('proxies --namespace other')).out).toBe('# no proxy follows names of other\n')
    proxy.leave()
  })

  it('names a server that does not answer, and one that goes by newer rules', async () => {
    const fixture = await createCliFixture({ namespaces: { default: '/svc => /x' } })
    connect(fixture, 'edge-1')
    fixture.servers.follow('self:1')
    await appear(fixture.store, 'b')
    await turns()
    fixture.network.greet('b', { default: 4 })
    fixture.peers.at('b').part = new Error('connection refused')
    expect((await fixture.run('proxies')).out).toMatchInlineSnapshot(`
      "PROXY   SERVER  NAMESPACE  VERSION  BEHIND           NAMES  PROTOCOL      ADDRESS         CONNECTED  REFUSED
      edge-1  self    default    1 of 4   with its server  1,200  nameplane.v1  10.0.0.1:51012  0ms        0
      # server b did not answer, so its proxies are missing: connection refused
      # 1 of 1 proxy is behind
      "
    `)
  })

  it('reads as many pages as it takes, and says that there are more', async () => {
    const fixture = await createCliFixture({ namespaces: { default: '/svc => /x' } })
    for (let i = 0; i < 1_005; i++) connect(fixture, `edge-${i}`)
    await turns()
    const { out } = await fixture.run('proxies --limit 2')
    expect(out.split('\n').slice(3)).toEqual([
      '# 2 of 1,005 are shown: --limit 1005 shows all',
      '# all 1,005 proxies have the newest version',
      '',
    ])
    const all = JSON.parse((await fixture.run('proxies --limit 5000 -o json')).out)
    expect(new Set(all.proxies.map(({ id }: { readonly id: string }) => id)).size).toBe(1_005)
    expect([all.total, all.next]).toEqual([1_005, undefined])
  })

  it('gives the whole answer as JSON and YAML', async () => {
    const { run } = await createFleet()
    const { out } = await run('proxies --behind -o json')
    expect(JSON.parse(out)).toMatchObject({ total: 3, behind: 1, proxies: [{ id: 'edge-2', refusals: 1 }], silent: [] })
    expect((await run('proxies -o yaml')).out).toContain('behind: 1\n')
  })
})

describe('a write with --wait for proxies', () => {
  it('says how many have it', async () => {
    const fixture = await createFleet()
    const file = fixture.file('next.dtab', '/svc => /z')
    const running = fixture.run(`dtab put default ${file} --wait proxies:2`)
    await fixture.written(3)
    await turns()
    fixture.clock.advance(100)
    const { code, out } = await running
    expect([code, out.split('\n')[2]]).toEqual([0, '# 2 of 3 proxies have it'])
  })

  it('that not enough have it in time is a failure which says that it is stored', async () => {
    const fixture = await createFleet()
    const file = fixture.file('next.dtab', '/svc => /z')
    const running = fixture.run(`dtab put default ${file} --wait proxies:95% --timeout 2s`)
    await fixture.written(3)
    await turns()
    fixture.clock.advance(2_000)
    expect(await running).toMatchInlineSnapshot(`
      {
        "code": 1,
        "err": "namerctl: version 3 of default is stored, but not enough proxies have it yet
      # it need not be written again; \`namerctl proxies --namespace default --behind\` shows who is behind
      ",
        "out": "Updated default
      # version 3 replaces version 2, written by ann at 2023-11-14T22:13:20.000Z
      # 2 of 3 proxies have it
      - /svc  => /y ;
      + /svc  => /z ;
      ",
      }
    `)
  })

  it('shows after two seconds how far it is, where somebody looks', async () => {
    const fixture = await createFleet()
    const file = fixture.file('next.dtab', '/svc => /z')
    const screen = new Screen()
    const io = { stderr: screen.write, isTerminal: { stdout: false, stderr: true }, clock: fixture.clock }
    const running = fixture.run(`dtab put default ${file} --wait proxies:95% --timeout 8s`, io)
    await fixture.written(3)
    await turns()
    fixture.clock.advance(1_900)
    await turns()
    expect(screen.text).toBe('')
    fixture.clock.advance(100)
    await screen.shows('waiting: 2 of 3 proxies have the newest version (2 s)')
    fixture.clock.advance(1_000)
    await screen.shows('(3 s)')
    let isDone = false
    void running.then(() => {
      isDone = true
    })
    fixture.clock.advance(5_000)
    await until(() => isDone)
    expect((await running).code).toBe(1)
    expect(screen.text).toContain('(3 s)\r\u001b[Knamerctl: ')
  })

  it.each(['--wait proxies', '--wait proxies:x', '--wait proxies:95%%', '--wait some'])('refuses %s', async options => {
    const { run } = await createCliFixture({ namespaces: { default: '/svc => /x' } })
    const { code, err } = await run(`dtab delete default ${options}`)
    expect([code, err.includes('write applied, all, a share such as proxies:95%')]).toEqual([2, true])
  })

  it('is told what a number may be by the server', async () => {
    const { run } = await createCliFixture({ namespaces: { default: '/svc => /x' } })
    const { code, err } = await run('dtab delete default --wait proxies:101%')
    expect([code, err.includes('above 0 and up to 100')]).toEqual([1, true])
  })
})
