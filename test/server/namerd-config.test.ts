// A configuration that was written for namerd starts unchanged where its kinds are here.
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, it, onTestFinished, vi } from 'vitest'
import { checkProxyConfig } from '../../proxy-client/check-config.ts'
import { runCheck } from '../../runtime/check-command.ts'
import { parseConfig } from '../../runtime/config.ts'
import { loadServerPlan, startServer } from '../../server/compose.ts'
import { nameplane, root } from '../e2e/process.fixture.ts'
import { type LogLine, recordingLog } from '../fakes/log.fake.ts'

let folder: string

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'nameplane-namerd-'))
  await writeFile(join(folder, 'web'), '127.0.0.1 8080\n')
})

afterAll(async () => {
  await rm(folder, { recursive: true, force: true })
})

const yaml = (): string => `
admin:
  ip: 0.0.0.0
  port: 0

storage:
  kind: io.l5d.inMemory
  namespaces:
    default: |
      /host => /#/io.l5d.fs;
      /svc  => /host;
    internal: /svc => /$/inet/127.1/8888 | !;

namers:
- kind: io.l5d.fs
  rootDir: ${folder}

interfaces:
- kind: io.l5d.httpController
  ip: 0.0.0.0
  port: 0
- kind: io.l5d.mesh
  ip: 0.0.0.0
  port: 0

telemetry:
- kind: io.l5d.prometheus
`

const json = (): string =>
  JSON.stringify({
    admin: { ip: '0.0.0.0', port: 0 },
    storage: {
      kind: 'io.l5d.inMemory',
      namespaces: { default: '/host => /#/io.l5d.fs; /svc => /host', internal: '/svc => /$/inet/127.1/8888 | !' },
    },
    namers: [{ kind: 'io.l5d.fs', rootDir: folder }],
    interfaces: [
      { kind: 'io.l5d.httpController', ip: '0.0.0.0', port: 0 },
      { kind: 'io.l5d.mesh', ip: '0.0.0.0', port: 0 },
    ],
    telemetry: [{ kind: 'io.l5d.prometheus' }],
  })

async function start(text: string) {
  const lines: LogLine[] = []
  const server = await startServer(await loadServerPlan(parseConfig(text, 'namerd')), { log: recordingLog(lines) })
  onTestFinished(() => server.close())
  const portOf = (api: string): number => server.listening.find(each => each.api === api)?.port ?? 0
  return { lines, portOf }
}

it.each([
  ['YAML', yaml],
  ['JSON', json],
])('%s: serves its namespaces through its namers', async (_what, text) => {
  const { portOf } = await start(text())
  const get = async (path: string): Promise<unknown> =>
    (await fetch(`http://127.0.0.1:${portOf('http')}/api/1/${path}`)).json()
  expect(await get('dtabs')).toEqual(['default', 'internal'])
  expect(await get('dtabs/internal')).toEqual([{ prefix: '/svc', dst: '/$/inet/127.1/8888 | !' }])
  expect(await get('resolve/default?path=/svc/web')).toMatchObject({ type: 'bound', addrs: [{ port: 8080 }] })
  expect((await fetch(`http://127.0.0.1:${portOf('admin')}/admin/metrics/prometheus`)).status).toBe(200)
})

it('warns of each listener that the network can reach, and of no other', async () => {
  const { lines, portOf } = await start(yaml())
  const warnings = lines.filter(({ level }) => level === 'warn')
  expect(warnings.map(({ facts }) => facts)).toEqual(
    ['admin', 'http', 'grpc'].map(api => ({ api, host: '0.0.0.0', port: portOf(api) })),
  )
  expect(warnings[0]?.message).toContain('no login')
  for (const local of ['127.0.0.1', '::1', 'localhost']) {
    const { lines: quiet } = await start(yaml().replaceAll('0.0.0.0', `"${local}"`))
    expect(quiet.filter(({ level }) => level === 'warn')).toEqual([])
  }
})

it('is checked without a server', async () => {
  const file = join(folder, 'namerd.yaml')
  await writeFile(file, yaml())
  const write = vi.spyOn(process.stdout, 'write').mockReturnValue(true)
  onTestFinished(() => write.mockRestore())
  const code = await runCheck([file], { server: loadServerPlan, proxy: checkProxyConfig })
  expect([code, write.mock.calls.map(([text]) => String(text)).join('')]).toEqual([0, `${file}: valid\n`])
})

it('is read from standard input for "-"', async () => {
  const wrong = nameplane(['check', '-'], { cwd: root, input: yaml().replace('rootDir', 'rootdir') })
  expect(await wrong.finished).toMatchObject({
    code: 2,
    stderr: expect.stringContaining('standard input:16:3: namers[0]'),
  })
})
