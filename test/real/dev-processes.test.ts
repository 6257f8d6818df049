// The processes of `nameplane dev`, which are many and so are tried where time is not short.
import { once } from 'node:events'
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { nameplane } from '../e2e/process.fixture.ts'

describe('a process of nameplane dev', () => {
  let folder: string

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'nameplane-dev-'))
  })

  afterAll(async () => {
    await rm(folder, { recursive: true, force: true })
  })

  it('leaves the discovery files of one that runs already alone when it cannot start', async () => {
    const running = '127.0.0.1 1234\n'
    await mkdir(join(folder, 'disco'))
    await writeFile(join(folder, 'disco/web-v1'), running)
    await mkdir(join(folder, 'nameplane.db'))
    const { code, stderr } = await nameplane(['dev', '--any-port', '--dir', folder]).finished
    expect([code, stderr]).toEqual([1, expect.stringMatching(/^nameplane serve: [^\n]*\nnameplane dev: [^\n]*\n$/)])
    expect(await readFile(join(folder, 'disco/web-v1'), 'utf8')).toBe(running)
  })

  it('does not outlive a parent that goes away while it starts', async () => {
    const file = join(folder, 'orphan.yaml')
    await writeFile(
      file,
      'admin: { port: 0 }\nstorage: { kind: memory }\ninterfaces: [{ kind: io.l5d.mesh, port: 0 }]\n',
    )
    const server = nameplane(['serve', file, '--log-level', 'error'])
    const exited = once(server.child, 'exit')
    await once(server.child, 'spawn')
    server.child.disconnect()
    expect([await exited, server.stderr]).toEqual([[0, null], ''])
  })
})
