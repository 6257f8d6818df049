import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { Command, type Finished, nameplane, portOf, root } from '../../e2e/process.fixture.ts'
import { startUpstream, type TestUpstream } from '../proxy.fixture.ts'

describe('nameplane/client, beside a real server', () => {
  const undo = new AsyncDisposableStack()
  let address: string

  beforeAll(async () => {
    const folder = await mkdtemp(join(tmpdir(), 'nameplane-library-'))
    undo.defer(() => rm(folder, { recursive: true, force: true }))
    const upstreams = [await startBackend('one'), await startBackend('two')]
    const endpoints = upstreams.map(({ port }) => `127.0.0.1 ${port}\n`).join('')
    for (const name of ['web', 'redis']) await writeFile(join(folder, name), endpoints)
    const config = {
      admin: { port: 0 },
      storage: { kind: 'io.l5d.inMemory', namespaces: { default: '/svc => /#/io.l5d.fs' } },
      namers: [{ kind: 'io.l5d.fs', rootDir: folder }],
      interfaces: [{ kind: 'io.l5d.mesh', port: 0 }],
    }
    await writeFile(join(folder, 'server.yaml'), JSON.stringify(config))
    const server = undo.use(nameplane(['serve', join(folder, 'server.yaml')]))
    address = `127.0.0.1:${portOf(await server.listening(), 'grpc')}`
  })

  afterAll(() => undo.disposeAsync())

  function startBackend(name: string): Promise<TestUpstream> {
    return startUpstream(
      (message, response) => {
        message.resume()
        response.end(name)
      },
      close => undo.defer(async () => void (await close())),
    )
  }

  async function run(code: string): Promise<Finished> {
    await using command = new Command(['--input-type=module', '-e', code.replaceAll('127.0.0.1:4321', address)])
    return await command.finished
  }

  it('the example balances over the endpoints that the server knows', async () => {
    const env = { NAMEPLANE: address }
    await using example = new Command([join(root, 'examples/client/balanced-fetch.ts'), '30'], { env })
    const { code, stdout, stderr } = await example.finished
    const lines = stdout.trimEnd().split('\n')
    expect({ code, stderr, count: lines.length }).toEqual({ code: 0, stderr: '', count: 30 })
    expect(new Set(lines)).toEqual(new Set(['200 one', '200 two']))
  })

  it('the programs of its README run, and end when they have closed what they opened', async () => {
    const text = await readFile(join(root, 'proxy-client/library/README.md'), 'utf8')
    const blocks = Array.from(text.matchAll(/^```ts\n(.*?)^```/gms), ([, code = '']) => code)
    expect(blocks).toHaveLength(3)
    const [requests = '', endpoints = '', watching = ''] = blocks
    const talkTo = 'const talkTo = async (address, port) => console.log(address, port)\n'
    const [first, second] = await Promise.all([
      run(`${requests}console.log(response.status)`),
      run(`${talkTo}${endpoints}${watching}balancer.close()\nstop()\nnaming.close()`),
    ])
    expect(first).toEqual({ code: 0, stdout: '200\n', stderr: '' })
    expect({ ...second, stdout: second.stdout.split('\n')[0] }).toEqual({
      code: 0,
      stdout: expect.stringMatching(/^127\.0\.0\.1 \d+$/),
      stderr: '',
    })
    expect(second.stdout).toContain("{ kind: 'pending' }")
  })
})
