import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, it, onTestFinished } from 'vitest'
import { Command, nameplane, portOf, root } from '../../e2e/process.fixture.ts'
import { startNamed } from '../proxy.fixture.ts'

it('the example balances over the endpoints that a real server knows', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'nameplane-library-'))
  onTestFinished(() => rm(folder, { recursive: true, force: true }))
  const upstreams = [await startNamed('one'), await startNamed('two')]
  await writeFile(join(folder, 'web'), upstreams.map(({ port }) => `127.0.0.1 ${port}\n`).join(''))
  const config = {
    admin: { port: 0 },
    storage: { kind: 'io.l5d.inMemory', namespaces: { default: '/svc => /#/io.l5d.fs' } },
    namers: [{ kind: 'io.l5d.fs', rootDir: folder }],
    interfaces: [{ kind: 'io.l5d.mesh', port: 0 }],
  }
  await writeFile(join(folder, 'server.yaml'), JSON.stringify(config))
  await using server = nameplane(['serve', join(folder, 'server.yaml')])
  const env = { NAMEPLANE: `127.0.0.1:${portOf(await server.listening(), 'grpc')}` }
  await using example = new Command([join(root, 'examples/client/balanced-fetch.ts'), '30'], { env })
  const { code, stdout, stderr } = await example.finished
  const lines = stdout.trimEnd().split('\n')
  expect({ code, stderr, count: lines.length }).toEqual({ code: 0, stderr: '', count: 30 })
  expect(new Set(lines)).toEqual(new Set(['200 one', '200 two']))
})
