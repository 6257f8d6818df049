// Start to ready and idle memory of the server and the proxy, taken on dist/ (run `npm run build` first).
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { Command, nameplane, portOf, root } from '../test/e2e/process.fixture.ts'
import { median, printTable } from './measure.ts'

const starts = 7
const idleMs = 3000

async function residentMb(pid: number | undefined): Promise<number> {
  const status = await readFile(`/proc/${pid}/status`, 'utf8')
  return Number(/VmRSS:\s+(\d+) kB/.exec(status)?.[1]) / 1024
}

/** Asks until the answer is what counts as ready. */
async function until(port: number, path: string, isReady: (status: number) => boolean): Promise<void> {
  for (;;) {
    const { status } = await fetch(`http://127.0.0.1:${port}${path}`)
    if (isReady(status)) return
    await delay(2)
  }
}

interface Subject {
  readonly argv: readonly string[]
  /** What listens there is asked. */
  readonly role: string
  readonly path: string
  readonly isReady: (status: number) => boolean
}

interface Figures {
  readonly readyMs: number[]
  readonly idleMb: number[]
}

async function measure({ argv, role, path, isReady }: Subject, figures: Figures): Promise<void> {
  const startedAt = performance.now()
  await using command = new Command([join(root, 'dist/bin/nameplane.js'), ...argv, '--log-level', 'error'])
  await until(portOf(await command.listening(), role), path, isReady)
  figures.readyMs.push(performance.now() - startedAt)
  await delay(idleMs)
  figures.idleMb.push(await residentMb(command.child.pid))
}

async function figuresOf(subject: Subject): Promise<Figures> {
  const figures: Figures = { readyMs: [], idleMb: [] }
  for (let start = 0; start < starts; start++) await measure(subject, figures)
  return figures
}

const show = (samples: readonly number[], unit: string): string =>
  `${median(samples).toFixed(0)} ${unit} (${Math.min(...samples).toFixed(0)} to ${Math.max(...samples).toFixed(0)})`

/** From its start until a backend has answered a request through it: the name is asked of a server meanwhile. */
async function proxyFigures(folder: string): Promise<Figures> {
  const backend = createServer((_request, response) => response.end('ok'))
  await new Promise<void>(resolve => backend.listen(0, '127.0.0.1', resolve))
  const { port } = backend.address() as AddressInfo // a TCP server's
  const storage = `{ kind: memory, namespaces: { default: "/svc => /$/inet/127.0.0.1/${port};" } }`
  const interfaces = '[{ kind: io.l5d.httpController, port: 0 }, { kind: io.l5d.mesh, port: 0 }]'
  await writeFile(
    join(folder, 'names.yaml'),
    `admin: { port: 0 }\nstorage: ${storage}\nnamers: []\ninterfaces: ${interfaces}\n`,
  )
  await using server = nameplane(['serve', join(folder, 'names.yaml'), '--log-level', 'error'])
  const grpc = portOf(await server.listening(), 'grpc')
  const interpreter = `{ kind: nameplane, addresses: ["127.0.0.1:${grpc}"] }`
  await writeFile(
    join(folder, 'proxy.yaml'),
    `admin: { port: 0 }\nlastGood: false\nrouters: [{ label: http, servers: [{ port: 0 }], interpreter: ${interpreter} }]\n`,
  )
  const figures = await figuresOf({
    argv: ['proxy', join(folder, 'proxy.yaml')],
    role: 'http',
    path: '/',
    isReady: status => status === 200,
  })
  backend.closeAllConnections()
  backend.close()
  return figures
}

export async function run(): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), 'nameplane-start-'))
  const config = `admin: { port: 0 }\nstorage: { kind: sqlite, path: ${folder}/n.db }\nnamers: [{ kind: io.l5d.fs, rootDir: ${folder} }]\ninterfaces: [{ kind: io.l5d.httpController, port: 0 }, { kind: io.l5d.mesh, port: 0 }]\n`
  await writeFile(join(folder, 'server.yaml'), config)
  const server = await figuresOf({
    argv: ['serve', join(folder, 'server.yaml')],
    role: 'admin',
    path: '/ready',
    isReady: status => status === 200,
  })
  const proxy = await proxyFigures(folder)
  printTable([
    ['server', 'measured, median of 7 (range)', 'wanted', 'namerd'],
    ['start to ready, compile cache warm', show(server.readyMs.slice(1), 'ms'), '<= 600 ms', '1,800 ms'],
    ['first start', `${server.readyMs[0]?.toFixed(0)} ms`, 'reported', '-'],
    ['idle memory', show(server.idleMb, 'MB'), '<= 130 MB', '158-175 MB'],
  ])
  printTable([
    ['proxy', 'measured, median of 7 (range)', 'wanted', 'Envoy'],
    ['start to first request, compile cache warm', show(proxy.readyMs.slice(1), 'ms'), '<= 400 ms', '-'],
    ['first start', `${proxy.readyMs[0]?.toFixed(0)} ms`, 'reported', '-'],
    ['idle memory', show(proxy.idleMb, 'MB'), '<= 90 MB', '73 MB'],
  ])
  await rm(folder, { recursive: true, force: true })
}

if (import.meta.main) await run()
