// `nameplane dev`: a server, a thin proxy and two demo services as child processes, wired together for a first look.
import { type ChildProcess, spawn } from 'node:child_process'
import { mkdir, rename, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { z } from 'zod'
import { NamingError } from '../naming/errors.ts'
import { exitFailed, exitUsage, reportFailure, untilStopped } from '../runtime/command.ts'
import { systemClock } from '../watch/clock.ts'
import { devWelcome } from './dev-welcome.ts'

const help = `Usage: nameplane dev [--dir nameplane-dev] [--any-port]

Starts everything on this machine: a server on embedded storage (HTTP 4180, gRPC 4321, admin 9991), one thin
proxy (4140, admin 9990) and two versions of a small web service. State is kept in the folder between starts.

  --dir DIR     the folder (default nameplane-dev)
  --any-port    take free ports instead of the usual ones

Ctrl-C stops it all.
`

/** Sources run as they are in a checkout; a published package holds compiled files. */
const isCheckout = import.meta.url.endsWith('.ts')

const print = (line: string): void => void process.stderr.write(`${line}\n`)

/** Runs until stopped or until a child ends by itself; resolves to the exit code. */
export async function runDev(argv: readonly string[]): Promise<number> {
  let options: DevOptions
  try {
    const { values } = parseArgs({
      args: [...argv],
      options: {
        help: { type: 'boolean', short: 'h' },
        dir: { type: 'string', default: 'nameplane-dev' },
        'any-port': { type: 'boolean', default: false },
      },
    })
    if (values.help) {
      process.stdout.write(help)
      return 0
    }
    options = { dir: values.dir, anyPort: values['any-port'] }
  } catch (error) {
    print(`nameplane dev: ${error instanceof Error ? error.message : String(error)}\n\n${help}`)
    return exitUsage
  }
  const family = new Family()
  try {
    process.stdout.write(await startAll(options, family))
    const ended = await Promise.race([untilStopped(systemClock).then(() => undefined), family.firstExit])
    if (ended === undefined) return 0
    print(`nameplane dev: ${ended} ended by itself; stopping the rest`)
    return exitFailed
  } catch (error) {
    return reportFailure('nameplane dev', error, print)
  } finally {
    await family.stop()
  }
}

interface DevOptions {
  readonly dir: string
  readonly anyPort: boolean
}

const listeningMessage = z.object({
  listening: z.array(z.object({ api: z.string(), host: z.string(), port: z.number() })),
})

type Ports = ReadonlyMap<string, number>

/** The child processes, stopped together. */
class Family {
  readonly #children = new Map<ChildProcess, Promise<void>>()
  #reportExit: (name: string) => void = () => {}
  readonly firstExit = new Promise<string>(resolve => {
    this.#reportExit = resolve
  })

  /** Starts `nameplane ...argv` and resolves with the ports it bound, or rejects when it ends first; its own output says why. */
  start(name: string, argv: readonly string[]): Promise<Ports> {
    const script = fileURLToPath(new URL(isCheckout ? '../bin/nameplane.ts' : '../bin/nameplane.js', import.meta.url))
    const child = spawn(process.execPath, [script, ...argv], { stdio: ['ignore', 'inherit', 'inherit', 'ipc'] })
    return new Promise((resolve, reject) => {
      const exited = new Promise<void>(done => {
        child.once('exit', () => {
          this.#reportExit(name)
          reject(new NamingError('unavailable', `${name} did not start; its message stands above`))
          done()
        })
      })
      this.#children.set(child, exited)
      child.once('message', message => {
        const { listening } = listeningMessage.parse(message)
        resolve(new Map(listening.map(({ api, port }) => [api, port])))
      })
    })
  }

  async stop(): Promise<void> {
    for (const child of this.#children.keys()) child.kill('SIGTERM')
    await Promise.all(this.#children.values())
  }
}

async function startAll({ dir, anyPort }: DevOptions, family: Family): Promise<string> {
  const disco = join(dir, 'disco')
  await mkdir(disco, { recursive: true })
  await replaceFile(join(dir, 'server.yaml'), serverConfig(dir, anyPort))
  const server = await family.start('the server', ['serve', join(dir, 'server.yaml'), '--log-level', 'warn'])
  const baseUrl = `http://127.0.0.1:${portOf(server, 'http')}`
  await createDefaultDtab(baseUrl)
  // Only now: while another one runs in this folder the server cannot start, and the files stay that one's.
  for (const version of ['v1', 'v2']) {
    const ports = await family.start(`the demo service web ${version}`, ['demo-web', '--version', version])
    await replaceFile(join(disco, `web-${version}`), `127.0.0.1 ${portOf(ports, 'demo')}\n`)
  }
  await replaceFile(join(dir, 'proxy.yaml'), proxyConfig(dir, portOf(server, 'grpc'), anyPort))
  const proxy = await family.start('the proxy', ['proxy', join(dir, 'proxy.yaml'), '--log-level', 'warn'])
  return devWelcome({
    baseUrl,
    grpcPort: portOf(server, 'grpc'),
    serverAdminPort: portOf(server, 'admin'),
    proxyPort: portOf(proxy, 'outgoing'),
    proxyAdminPort: portOf(proxy, 'admin'),
    dir,
    ...(isCheckout
      ? { namerctl: 'npm run -s namerctl --', examples: 'examples' }
      : { namerctl: 'namerctl', examples: fileURLToPath(new URL('../examples', import.meta.url)) }),
  })
}

function portOf(ports: Ports, api: string): number {
  const port = ports.get(api)
  if (port === undefined) throw new Error(`a child did not say where ${api} listens`)
  return port
}

async function replaceFile(path: string, text: string): Promise<void> {
  await writeFile(`${path}.new`, text)
  await rename(`${path}.new`, path)
}

function serverConfig(dir: string, anyPort: boolean): string {
  const port = (usual: number): number => (anyPort ? 0 : usual)
  return `# Written by nameplane dev at each start.
admin: { port: ${port(9991)} }
storage: { kind: sqlite, path: ${JSON.stringify(join(dir, 'nameplane.db'))} }
namers:
  - { kind: io.l5d.fs, rootDir: ${JSON.stringify(join(dir, 'disco'))} }
interfaces:
  - { kind: io.l5d.httpController, port: ${port(4180)} }
  - { kind: io.l5d.mesh, port: ${port(4321)} }
`
}

function proxyConfig(dir: string, grpcPort: number, anyPort: boolean): string {
  const port = (usual: number): number => (anyPort ? 0 : usual)
  return `# Written by nameplane dev at each start.
admin: { port: ${port(9990)} }
routers:
  - protocol: http
    label: outgoing
    interpreter: { kind: nameplane, addresses: ["127.0.0.1:${grpcPort}"], namespace: default }
    servers: [{ port: ${port(4140)} }]
lastGood: { path: ${JSON.stringify(join(dir, 'proxy'))} }
`
}

/** The rules of the first start: every name is a discovery file, and web is its version 1. */
const firstDtab = `# Every service is a file of the discovery folder ...
/svc => /#/io.l5d.fs ;
# ... and web is its version 1.
/svc/web => /#/io.l5d.fs/web-v1 ;
`

/** Leaves a dtab from an earlier start as it is. */
async function createDefaultDtab(baseUrl: string): Promise<void> {
  const response = await fetch(
    `${baseUrl}/api/dtabs/default?message=${encodeURIComponent('first start of nameplane dev')}`,
    {
      method: 'PUT',
      headers: { 'content-type': 'application/dtab', 'if-none-match': '*', 'nameplane-author': 'nameplane dev' },
      body: firstDtab,
    },
  )
  const answer = await response.text()
  if (!response.ok && response.status !== 412)
    throw new NamingError('unavailable', `the server refused the first dtab: ${answer}`)
}
