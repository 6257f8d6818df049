import { join } from 'node:path'
import { expect, it } from 'vitest'
import { Mesh, putDtab } from '../../e2e/mesh.fixture.ts'
import { Command, root } from '../../e2e/process.fixture.ts'
import { startNamed } from '../proxy.fixture.ts'

it('the example balances over the endpoints that a real server knows', async () => {
  await using mesh = await Mesh.create()
  const upstreams = [await startNamed('one'), await startNamed('two')]
  await mesh.discover('web', upstreams.map(({ port }) => `127.0.0.1 ${port}\n`).join(''))
  const ports = await mesh.startServer()
  await putDtab(ports.http, 'default', '/svc => /#/io.l5d.fs')
  const env = { NAMEPLANE: `127.0.0.1:${ports.grpc}` }
  await using example = new Command([join(root, 'examples/client/balanced-fetch.ts'), '30'], { env })
  const { code, stdout, stderr } = await example.finished
  const lines = stdout.trimEnd().split('\n')
  expect({ code, stderr, count: lines.length }).toEqual({ code: 0, stderr: '', count: 30 })
  expect(new Set(lines)).toEqual(new Set(['200 one', '200 two']))
})
