// A linkerd, in Go and written from the field tables alone, and our own proxy: both have their names by the mesh protocol from a
// server process that changes, goes away and comes back.
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type AtEnd, startNamed } from '../proxy-client/proxy.fixture.ts'
import { type LinkerdLine, MeshLinkerd } from './mesh-linkerd.fixture.ts'
import { MeshServer } from './mesh-server.fixture.ts'
import { Traffic } from './traffic.fixture.ts'

let server: MeshServer
beforeAll(async () => {
  server = await MeshServer.start()
})
afterAll(() => server?.[Symbol.asyncDispose]())

const fs = (name: string): string => `/#/io.l5d.fs/${name}`
const kindsOf = (lines: readonly LinkerdLine[]): readonly string[] => lines.map(({ kind }) => kind)
const isEndOf = (line: LinkerdLine, name: string, code: string): boolean =>
  line.kind === 'stream' && line.of === name && line.code === code

describe('a linkerd', () => {
  it('starts before its namespace exists, and serves once that is written; when it is deleted its names are no more', async () => {
    await server.discover('early', '127.0.0.1 1')
    await using linkerd = new MeshLinkerd(server.grpcPort, 'later', ['/svc/early'])
    await linkerd.goes('/svc/early', 'neg')
    expect(linkerd.lines[0]).toEqual({ kind: 'dtab', code: 'NotFound', message: 'Root not found', dentries: 0 })
    await server.put('later', '/svc => /#/io.l5d.fs')
    await linkerd.goes('/svc/early', `1 ${fs('early')} 127.0.0.1:1`)
    await using second = new MeshLinkerd(server.grpcPort, 'later', ['/svc/early'])
    await second.goes('/svc/early', `1 ${fs('early')} 127.0.0.1:1`)
    expect(second.lines[0]).toMatchObject({ kind: 'dtab', code: 'OK', dentries: 1 })
    await server.delete('later')
    await linkerd.goes('/svc/early', 'neg')
    await second.goes('/svc/early', 'neg')
    expect(kindsOf([...linkerd.lines, ...second.lines])).not.toContain('stream')
  })

  it('follows rules and endpoints: alternatives, splits, refusals, weights, what is left of a name', async () => {
    await server.discover('a', '127.0.0.1 1', '127.0.0.2 1 * 2.5')
    await server.discover('b', '::1 2')
    await server.put('rules', `/svc/web => ${fs('a')} | ${fs('b')};`)
    await using linkerd = new MeshLinkerd(server.grpcPort, 'rules', ['/svc/web', '/svc/web/rest'])
    await linkerd.goes('/svc/web', `1 ${fs('a')} 127.0.0.1:1 127.0.0.2:1*2.5`)
    await linkerd.goes('/svc/web/rest', `1 ${fs('a')},/rest 127.0.0.1:1 127.0.0.2:1*2.5`)
    await server.discover('a', '127.0.0.1 1')
    await linkerd.goes('/svc/web', `1 ${fs('a')} 127.0.0.1:1`)
    await server.discover('a')
    await linkerd.goes('/svc/web', `1 ${fs('a')}`)
    expect(linkerd.route('/svc/web')?.shares).toEqual([{ share: 1, outcome: 'bound', id: fs('a') }])
    await server.forget('a')
    await linkerd.goes('/svc/web', `1 ${fs('b')} [::1]:2`)
    await server.discover('a', '127.0.0.1 1')
    await linkerd.goes('/svc/web', `1 ${fs('a')} 127.0.0.1:1`)
    await server.put('rules', `/svc/web => 3 * ${fs('a')} & 1 * ${fs('b')} & 0 * ~;`)
    await linkerd.goes('/svc/web', `0.75 ${fs('a')} 127.0.0.1:1, 0.25 ${fs('b')} [::1]:2`)
    for (const [text, outcome] of [
      ['!', 'fail'],
      ['$', 'empty'],
      ['~', 'neg'],
    ]) {
      await server.put('rules', `/svc/web => ${text};`)
      await linkerd.goes('/svc/web', outcome ?? '')
    }
    expect(kindsOf(linkerd.lines)).not.toContain('stream')
  })

  it('sends rules of its own with a name, as the server has read them', async () => {
    await server.discover('a', '127.0.0.1 1')
    await server.discover('b', '127.0.0.1 2')
    await server.put('own', `/svc/web => ${fs('a')};`)
    const flags = ['-dtab', `/svc/web => 0.5 * ${fs('a')} & 0.5 * ${fs('b')}`]
    await using linkerd = new MeshLinkerd(server.grpcPort, 'own', ['/svc/web'], flags)
    await linkerd.goes('/svc/web', `0.5 ${fs('a')} 127.0.0.1:1, 0.5 ${fs('b')} 127.0.0.1:2`)
  })

  it('is told by the end of its stream that a name cannot be evaluated, and asks again until it can', async () => {
    await server.discover('a', '127.0.0.1 1')
    await server.put('circle', '/svc/web => /svc/web;')
    await using linkerd = new MeshLinkerd(server.grpcPort, 'circle', ['/svc/web'])
    await linkerd.until('an end', () => linkerd.lines.some(line => isEndOf(line, '/svc/web', 'Internal')))
    await server.put('circle', `/svc/web => ${fs('a')};`)
    await linkerd.goes('/svc/web', `1 ${fs('a')} 127.0.0.1:1`)
  })

  it('has ten thousand endpoints through windows of 64 KB, and each change of them', async () => {
    const lines = Array.from({ length: 10_000 }, (_, n) => `10.0.${n >> 8}.${n & 255} 8080`)
    await server.discover('large', ...lines)
    await server.put('large', `/svc/large => ${fs('large')};`)
    await using linkerd = new MeshLinkerd(server.grpcPort, 'large', ['/svc/large'])
    const size = (): number => linkerd.route('/svc/large')?.shares?.[0]?.endpoints?.length ?? 0
    await linkerd.until('all', () => size() === 10_000)
    for (let n = 1; n <= 5; n++) {
      await server.discover('large', ...lines.slice(n))
      await linkerd.until('one less', () => size() === 10_000 - n)
    }
    expect(
      linkerd.route('/svc/large')?.shares?.[0]?.endpoints?.some(({ address }) => address === '10.0.0.4:8080'),
    ).toBe(false)
    expect(kindsOf(linkerd.lines)).not.toContain('stream')
  })
})

describe('a linkerd and a proxy, whatever becomes of their server', () => {
  const ends: (() => unknown)[] = []
  const atEnd: AtEnd = end => void ends.push(end)
  /** The ports of two backends that answer with their names. */
  const colours = { blue: 0, green: 0 }
  beforeAll(async () => {
    colours.blue = (await startNamed('blue', atEnd)).port
    colours.green = (await startNamed('green', atEnd)).port
  })
  afterAll(async () => {
    for (const end of ends) await end()
  })
  const at = (port: number): string => `127.0.0.1 ${port}`

  it('keep all they have while it is killed, ask again, and are right again with what has changed meanwhile', async () => {
    await server.discover('one', at(colours.blue))
    await server.discover('two', at(colours.blue))
    await server.put('killed', `/svc/one => ${fs('one')}; /svc/two => ${fs('two')};`)
    await using linkerd = new MeshLinkerd(server.grpcPort, 'killed', ['/svc/one', '/svc/two'])
    await using traffic = new Traffic(await server.startProxy('/killed'), ['one', 'two'])
    await traffic.until('blue')
    await linkerd.goes('/svc/one', `1 ${fs('one')} 127.0.0.1:${colours.blue}`)
    await linkerd.goes('/svc/two', `1 ${fs('two')} 127.0.0.1:${colours.blue}`)
    const { length } = linkerd.lines
    traffic.take()

    await server.kill()
    await linkerd.until('all four streams end', () => linkerd.lines.filter(({ kind }) => kind === 'stream').length >= 4)
    await server.discover('one', at(colours.green))
    await traffic.rounds(200)
    expect(traffic.take(), 'while it is away').toEqual({ one: ['blue'], two: ['blue'] })
    const meanwhile = linkerd.lines.slice(length)
    expect(new Set(kindsOf(meanwhile))).toEqual(new Set(['stream']))
    expect(meanwhile.every(line => line.kind === 'stream' && line.code === 'Unavailable')).toBe(true)

    await server.restart()
    await linkerd.goes('/svc/one', `1 ${fs('one')} 127.0.0.1:${colours.green}`)
    await server.put('killed', `/svc/* => ${fs('one')};`)
    await linkerd.goes('/svc/two', `1 ${fs('one')} 127.0.0.1:${colours.green}`)
    await traffic.until('green')
    expect(traffic.take(), 'when it is back').toEqual({ one: ['blue', 'green'], two: ['blue', 'green'] })
    const routes = linkerd.lines.slice(length).flatMap(line => (line.kind === 'route' ? [line] : []))
    expect(routes.flatMap(({ outcome }) => outcome)).not.toContain('neg')
  })

  it('follow each change while their connections are asked to go every second', async () => {
    await using restless = await MeshServer.start({ maxConnectionAgeMs: 1_000 })
    await restless.discover('blue', at(colours.blue))
    await restless.discover('green', at(colours.green))
    const go = (where: string): Promise<void> => restless.put('default', `/svc/web => ${fs(where)};`)
    await go('blue')
    await using linkerd = new MeshLinkerd(restless.grpcPort, 'default', ['/svc/web'])
    await using traffic = new Traffic(await restless.startProxy('/default'), ['web'])
    await traffic.until('blue')
    traffic.take()
    for (let flip = 1; flip < 20 || (await restless.metric('nameplane_push_moves_total')) < 12; flip++) {
      const [where, port] = flip % 2 === 0 ? ['blue', colours.blue] : ['green', colours.green]
      await go(String(where))
      await traffic.until(String(where))
      await linkerd.goes('/svc/web', `1 ${fs(String(where))} 127.0.0.1:${port}`)
      await traffic.rounds(200)
    }
    expect(traffic.take().web).not.toContain('failed')
  })

  it('go to another server when theirs stands still', async () => {
    await using first = await MeshServer.start()
    await using second = await MeshServer.start()
    const shown = { blue: first, green: second }
    for (const colour of ['blue', 'green'] as const) {
      await shown[colour].discover('web', at(colours[colour]))
      await shown[colour].put('default', `/svc/web => ${fs('web')};`)
    }
    await using traffic = new Traffic(await first.startProxy('/default', second), ['web'])
    await traffic.rounds(10)
    const [before] = traffic.take().web ?? []
    const [stopped, other] = before === 'blue' ? [first, 'green'] : [second, 'blue']
    stopped.freeze()
    await traffic.until(other, 20_000)
    expect(traffic.take().web).toEqual([before, other])
  })
})
