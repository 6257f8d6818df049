// A command that cannot start says why in one line, without a stack trace, and its exit code tells a script.
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { type AddressInfo, createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest'
import { checkProxyConfig } from '../../proxy-client/check-config.ts'
import { runFirst as runProxy } from '../../proxy-client/main.ts'
import { runCheck } from '../../runtime/check-command.ts'
import { loadServerPlan } from '../../server/compose.ts'
import { runServe } from '../../server/serve.ts'
import { nameplane, root } from './process.fixture.ts'

/** A command without a process of its own; how its answer becomes that of a process is seen below by two that have one. */
async function runHere(
  run: (argv: readonly string[]) => Promise<number>,
  argv: readonly string[],
): Promise<{ readonly code: number; readonly stderr: string }> {
  const write = vi.spyOn(process.stderr, 'write').mockReturnValue(true)
  try {
    const code = await run(argv)
    return { code, stderr: write.mock.calls.map(([text]) => String(text)).join('') }
  } finally {
    write.mockRestore()
  }
}

const check = (argv: readonly string[]): Promise<number> =>
  runCheck(argv, { server: loadServerPlan, proxy: checkProxyConfig })

describe('a command that cannot start', () => {
  let folder: string
  const write = async (name: string, text: string): Promise<string> => {
    await writeFile(join(folder, name), text)
    return join(folder, name)
  }

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'nameplane-start-'))
  })

  afterAll(async () => {
    await rm(folder, { recursive: true, force: true })
  })

  it('serve: a used port is one line and exit code 1', async () => {
    const holder = createServer()
    await new Promise<void>(resolve => holder.listen(0, '127.0.0.1', resolve))
    const { port } = holder.address() as AddressInfo // a TCP server's
    const file = await write('port.yaml', `storage: { kind: memory }\nadmin: { port: ${port} }\n`)
    const { code, stderr } = await runHere(runServe, [file])
    await new Promise(resolve => holder.close(resolve))
    expect(code).toBe(1)
    expect(stderr).toMatch(
      /^nameplane serve: admin: cannot listen on 127\.0\.0\.1:\d+: the port is in use by another process[^\n]*\n$/,
    )
  })

  it('serve: an unreadable database is one line and exit code 1', async () => {
    const database = await write('n.db', 'no database '.repeat(500))
    const file = await write('db.yaml', `admin: { port: 0 }\nstorage: { kind: sqlite, path: ${database} }\n`)
    const { code, stderr } = await runHere(runServe, [file])
    expect([code, stderr.trimEnd().split('\n').length]).toEqual([1, 1])
    expect(stderr).toContain(database)
  })

  it('serve and check: a malformed file is its place and exit code 2', async () => {
    const file = await write('bad.yaml', 'admin:\n  prot: 1\n')
    for (const [command, run] of Object.entries({ serve: runServe, check })) {
      const { code, stderr } = await runHere(run, [file])
      expect([code, stderr]).toEqual([
        2,
        `nameplane ${command}: ${file}:2:3: admin.prot: unknown key; known keys: ip, port, shutdownGraceMs, workerThreads\n`,
      ])
    }
  })

  it('proxy and check: a malformed file is its place and exit code 2', async () => {
    const file = await write('proxy.yaml', 'routers:\n  - { protocol: h2 }\n')
    for (const [command, run] of Object.entries({ proxy: runProxy, check })) {
      const { code, stderr } = await runHere(run, [file])
      expect([code, stderr]).toEqual([
        2,
        `nameplane ${command}: ${file}:2:7: routers[0].protocol: only http is spoken\n`,
      ])
    }
  })

  it('an unknown command teaches the known ones, exit code 2', async () => {
    const { code, stderr } = await nameplane(['srve']).finished
    expect([code, stderr.startsWith('nameplane: no command "srve"\n\nUsage: nameplane COMMAND')]).toEqual([2, true])
  })

  it('an unknown option teaches the usage, exit code 2', async () => {
    const { code, stderr } = await runHere(runServe, ['--prot', '1'])
    expect([code, stderr.includes('--prot'), stderr.includes('Usage: nameplane serve')]).toEqual([2, true, true])
  })
})

describe('a command on a Node that is too old', () => {
  it('looks at it first, so that the answer is a sentence', async () => {
    for (const command of ['nameplane', 'namerctl']) {
      const source = await readFile(join(root, `bin/${command}.ts`), 'utf8')
      expect(/^import .*$/m.exec(source)?.[0]).toBe("import './check-node.mjs'")
    }
  })
})

describe('a server that is told to stop', () => {
  it('by the terminal and by its parent ends within its grace with exit code 0 while watches are open', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'nameplane-stop-'))
    await writeFile(
      join(folder, 's.yaml'),
      'admin: { port: 0 }\nstorage: { kind: memory }\ninterfaces: [{ kind: io.l5d.httpController, port: 0 }]\n',
    )
    const server = nameplane(['serve', join(folder, 's.yaml'), '--log-level', 'error'])
    const port = (await server.listening()).get('http')
    const watch = await fetch(`http://127.0.0.1:${port}/api/bind/default?path=/svc/web&watch=true`)
    const reader = watch.body?.getReader()
    await reader?.read()
    server.child.kill('SIGINT')
    server.child.kill('SIGTERM')
    const { code, stderr } = await server.finished
    expect([code, stderr, (await reader?.read())?.done]).toEqual([0, '', true])
    await rm(folder, { recursive: true, force: true })
  })
})
