// E8: whatever is configured wrongly, the message names the stage, the place and the cure. A table, one row a mistake.
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { type AddressInfo, createServer, type Server } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { NamingError } from '../../naming/errors.ts'
import { parseConfig } from '../../runtime/config.ts'
import { silentLog } from '../../runtime/log.ts'
import { loadServerPlan, startServer } from '../../server/compose.ts'
import { Mesh, putDtab } from '../e2e/mesh.fixture.ts'
import { ProxyClient } from '../e2e/request.fixture.ts'

const memory = 'storage: { kind: memory }\n'
const quiet =
  'admin: { port: 0 }\ninterfaces: [{ kind: io.l5d.httpController, port: 0 }, { kind: io.l5d.mesh, port: 0 }]\n'

/** What a server that cannot start says; it must not start. */
async function refusal(text: string): Promise<string> {
  try {
    const plan = await loadServerPlan(parseConfig(text, 'server.yaml'))
    const server = await startServer(plan, { log: silentLog })
    await server.close()
    return 'it started'
  } catch (error) {
    const known = NamingError.from(error)
    if (known.code === 'internal') throw error
    return known.message
  }
}

describe('E8: a wrong server configuration names the place and the cure', () => {
  it.each<readonly [mistake: string, config: string, message: RegExp]>([
    ['no interface', 'interfaces: []', /server\.yaml:1:1: interfaces: one or more interfaces must be specified/],
    [
      'an unknown key',
      'bogus: 1',
      /server\.yaml:1:1: bogus: unknown key; known keys: admin, interfaces, namers, server, storage, telemetry/,
    ],
    [
      'a misspelt key inside a kind',
      'storage:\n  kind: sqlite\n  paht: x',
      /server\.yaml:3:3: storage\.paht: unknown key; known keys: path/,
    ],
    [
      'an unknown storage',
      'storage: { kind: redis }',
      /server\.yaml:1:12: storage\.kind: unknown kind "redis"; known kinds: .*sqlite/,
    ],
    [
      'a storage that namerd had',
      'storage: { kind: io.l5d.zk }',
      /storage\.kind: io\.l5d\.zk is not supported: .*sqlite/,
    ],
    ['a storage without a kind', 'storage: { path: x }', /storage.*\.?kind: required \(string\)/],
    [
      'the thrift interface',
      'interfaces:\n  - kind: io.l5d.thriftNameInterpreter',
      /server\.yaml:2:5: interfaces\[0\]\.kind: .*not supported: .*delete this interface.*io\.l5d\.mesh/,
    ],
    ['the destination interface', 'interfaces: [{ kind: io.l5d.destination }]', /delete this interface/],
    [
      'an unknown interface',
      'interfaces: [{ kind: http }]',
      /unknown interface kind "http"; known kinds: io\.l5d\.httpController, io\.l5d\.mesh/,
    ],
    [
      'an unknown namer',
      'namers: [{ kind: io.l5d.marathon }]',
      /namers\[0\]\.kind: unknown kind "io\.l5d\.marathon"; known kinds: .*io\.l5d\.fs/,
    ],
    ['a namer without a kind', 'namers: [{ rootDir: x }]', /namers\[0\]\.kind: required \(string\)/],
    ['an fs namer without a folder', 'namers: [{ kind: io.l5d.fs }]', /namers\[0\]\.rootDir: required \(string\)/],
    [
      'a rewrite namer without a pattern',
      'namers: [{ kind: io.l5d.rewrite, prefix: /x, name: /y }]',
      /namers\[0\]\.pattern: required \(string\)/,
    ],
    ['transformers', 'namers: [{ kind: io.l5d.fs, rootDir: ., transformers: [] }]', /namers\[0\]\.transformers: /],
    ['an unknown telemeter', 'telemetry: [{ kind: io.l5d.influxdb }]', /telemetry\[0\]\.kind: .*delete this entry/],
    ['a port that is no number', 'admin: { port: http }', /server\.yaml:1:10: admin\.port: .*expected (int|number)/],
    ['a port out of range', 'admin: { port: 99999 }', /admin\.port: .*65535/],
    ['a key given twice', 'admin: { port: 1 }\nadmin: { port: 2 }', /server\.yaml:2:1: .*unique/],
    ['a tab', 'admin:\n\tport: 1', /server\.yaml:2:1: .*[Tt]ab/],
    ['an unclosed bracket', 'namers: [', /server\.yaml:\d+:\d+: /],
    ['a list for the whole file', '- admin', /server\.yaml:1:1: .*expected object/],
    [
      'a bad dtab in the configuration',
      `${quiet}storage: { kind: io.l5d.inMemory, namespaces: { default: "/svc=>" } }`,
      /default.*simple expected/,
    ],
  ])('%s', async (_, config, message) => {
    expect(await refusal(config)).toMatch(message)
  })
})

describe('E8: a server that cannot start says which part and why', () => {
  let folder: string
  let holder: Server
  let held: number

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'nameplane-e8-'))
    await writeFile(
      join(folder, 'not-a-database'),
      'this is a text file, long enough to be looked at as a database header'.repeat(20),
    )
    await mkdir(join(folder, 'a'), { recursive: true })
    holder = createServer()
    await new Promise<void>(resolve => holder.listen(0, '127.0.0.1', resolve))
    held = (holder.address() as AddressInfo).port // a TCP server's
  })

  afterAll(async () => {
    await new Promise(resolve => holder.close(resolve))
    await rm(folder, { recursive: true, force: true })
  })

  it.each<readonly [mistake: string, config: () => string, message: RegExp]>([
    [
      'the admin port is taken',
      () => `${memory}admin: { port: ${held} }`,
      /admin: cannot listen on 127\.0\.0\.1:\d+: the port is in use/,
    ],
    [
      'the HTTP port is taken',
      () => `${memory}admin: { port: 0 }\ninterfaces: [{ kind: io.l5d.httpController, port: ${held} }]`,
      /cannot listen on 127\.0\.0\.1:\d+: the port is in use/,
    ],
    [
      'the gRPC port is taken',
      () => `${memory}admin: { port: 0 }\ninterfaces: [{ kind: io.l5d.mesh, port: ${held} }]`,
      /cannot listen on 127\.0\.0\.1:\d+: the port is in use/,
    ],
    [
      'the address is another machine',
      () => `${memory}admin: { ip: 192.0.2.1, port: 0 }`,
      /cannot listen on 192\.0\.2\.1:0: no interface of this machine has that address/,
    ],
    ['the database is a folder', () => `${quiet}storage: { kind: sqlite, path: ${folder} }`, /folder|directory/],
    [
      'the database is a text file',
      () => `${quiet}storage: { kind: sqlite, path: ${folder}/not-a-database }`,
      /not-a-database cannot be opened: it is not a SQLite database.*restore a backup/,
    ],
    [
      'the folder of the database is a file',
      () => `${quiet}storage: { kind: sqlite, path: ${folder}/not-a-database/n.db }`,
      /not-a-database/,
    ],
    [
      'the discovery folder is missing',
      () => `${quiet}${memory}namers:\n  - { kind: io.l5d.fs, rootDir: ${folder}/none }`,
      /server\.yaml:\d+:\d+: namers\[0\]: .*none/,
    ],
    [
      'the discovery folder is a file',
      () => `${quiet}${memory}namers:\n  - { kind: io.l5d.fs, rootDir: ${folder}/not-a-database }`,
      /namers\[0\]: .*not a directory/,
    ],
    [
      'two namers overlap',
      () =>
        `${quiet}${memory}namers:\n  - { kind: io.l5d.fs, rootDir: ${folder} }\n  - { kind: io.l5d.fs, rootDir: ${folder}/a, prefix: /io.l5d.fs/a }`,
      /namers\[1\]: prefix \/#\/io\.l5d\.fs\/a overlaps \/#\/io\.l5d\.fs/,
    ],
  ])('%s', async (_, config, message) => {
    expect(await refusal(config())).toMatch(message)
  })
})

describe('E8: a request that cannot be routed says at which stage, for which name, and why', () => {
  let mesh: Mesh
  let client: ProxyClient
  let away: ProxyClient
  let awayAdminPort: number

  beforeAll(async () => {
    mesh = await Mesh.create()
    await mesh.discover('malformed', 'this is no endpoint\n')
    await mesh.discover('dead', '127.0.0.1 1\n')
    await mesh.discover('none', '# nobody\n')
    const ports = await mesh.startServer()
    const rules = [
      '/svc => /#/io.l5d.fs',
      '/svc/loop => /svc/loop',
      '/svc/a => /svc/b',
      '/svc/b => /svc/a & /svc/b',
      '/svc/class => /$/com.example.Nope/x',
      '/svc/refused => !',
      '/svc/nothing => $',
    ]
    await putDtab(ports.http, 'default', rules.join(';'))
    client = new ProxyClient((await mesh.startProxy([ports.grpc])).port)
    const proxyAway = await mesh.startProxy([1], { bindingTimeoutMs: 200 })
    away = new ProxyClient(proxyAway.port)
    awayAdminPort = proxyAway.adminPort
  })

  afterAll(async () => {
    await client[Symbol.asyncDispose]()
    await away[Symbol.asyncDispose]()
    await mesh[Symbol.asyncDispose]()
  })

  it.each<
    readonly [mistake: string, host: string, headers: Readonly<Record<string, string>>, status: number, error: RegExp]
  >([
    ['a name that no rule and no file knows', 'unknown', {}, 502, /^bind: \/svc\/unknown is bound to nothing: no rule/],
    [
      'a malformed discovery file',
      'malformed',
      {},
      502,
      /^resolve: .*\/#\/io\.l5d\.fs\/malformed.*malformed address: this is no endpoint \(.*line 1\)/,
    ],
    ['an endpoint that nobody serves', 'dead', {}, 502, /^connect: .*tried 127\.0\.0\.1:1 \(connect ECONNREFUSED/],
    ['a service without endpoints', 'none', {}, 502, /^balance: \/#\/io\.l5d\.fs\/none has no endpoint/],
    ['a rule that leads to itself', 'loop', {}, 502, /^bind: .*circle, \/svc\/loop -> \/svc\/loop/],
    ['two rules in a circle', 'a', {}, 502, /^bind: .*circle, \/svc\/a -> \/svc\/b -> \/svc\/a/],
    ['a namer that does not exist', 'class', {}, 502, /^bind: .*com\.example\.Nope/],
    ['a rule that refuses', 'refused', {}, 502, /^bind: \/svc\/refused is refused by a rule/],
    ['a rule that says empty', 'nothing', {}, 502, /^bind: \/svc\/nothing is bound to an empty service/],
    ['a host that is no host', 'no host', {}, 400, /^protocol: Host is not a name or an address with an optional port/],
    [
      'an override that does not parse',
      'none',
      { 'l5d-dtab': '/svc=>' },
      400,
      /^dtab: .*l5d-dtab is not a dtab at column 7: simple expected/,
    ],
  ])('%s', async (_, host, headers, status, error) => {
    const answer = await client.get(host, headers)
    expect([answer.status, answer.error]).toEqual([status, expect.stringMatching(error)])
  })

  it('no server to ask: the stage, the address, the cause and the next try', async () => {
    const ready = async (): Promise<string> => await (await fetch(`http://127.0.0.1:${awayAdminPort}/ready`)).text()
    while (!(await ready()).includes('ECONNREFUSED'));
    const { status, error, body } = await away.get('web')
    expect([status, error]).toEqual([503, 'bind: /svc/web was not bound within 200 ms (bindingTimeoutMs)'])
    expect(body).toMatch(
      /naming server: The naming server at 127\.0\.0\.1:1 is away: .*ECONNREFUSED.*tried again in \d+ ms/,
    )
  })
})
