// 65,000 names that come once, through a proxy process with a heap of 256 MB and a real server behind it: what is kept stays
// within the caps, and names that are in use are served all the while.
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { Agent } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { z } from 'zod'
import { putDtab } from '../e2e/mesh.fixture.ts'
import { type Command, nameplane, portOf } from '../e2e/process.fixture.ts'
import { send, startNamed } from '../proxy-client/proxy.fixture.ts'

const strangers = 65_000
const lanes = 16
const cap = 1_000
const heapMb = 256
const known = Array.from({ length: 20 }, (_, i) => `known-${i}`)
/** A stranger of each lane, then every known name once. */
const strangersBetween = 50

const state = z.looseObject({
  routers: z.tuple([
    z.looseObject({
      bindingCache: z.looseObject({ bindings: z.number(), clients: z.number(), evicted: z.number() }),
      naming: z.looseObject({ facts: z.looseObject({ names: z.number(), replicas: z.number() }) }),
    }),
  ]),
})

interface World {
  readonly proxy: Command
  readonly port: number
  readonly adminPort: number
}

async function openWorld(folder: string, undo: AsyncDisposableStack): Promise<World> {
  const upstream = await startNamed('served', close => undo.defer(async () => void (await close())))
  await mkdir(join(folder, 'disco'))
  for (const name of ['web', ...known]) await writeFile(join(folder, 'disco', name), `127.0.0.1 ${upstream.port}\n`)
  const serverConfig = {
    admin: { port: 0 },
    storage: { kind: 'sqlite', path: join(folder, 'nameplane.db') },
    namers: [{ kind: 'io.l5d.fs', rootDir: join(folder, 'disco') }],
    interfaces: [
      { kind: 'io.l5d.httpController', port: 0 },
      { kind: 'io.l5d.mesh', port: 0 },
    ],
  }
  await writeFile(join(folder, 'server.yaml'), JSON.stringify(serverConfig))
  const server = undo.use(nameplane(['serve', join(folder, 'server.yaml'), '--log-level', 'error']))
  const ports = await server.listening()
  // GET leads to a file of its own or to nothing, POST always to web.
  await putDtab(portOf(ports, 'http'), 'default', '/svc/1.1/GET => /#/io.l5d.fs; /svc/1.1/POST/* => /#/io.l5d.fs/web')
  const router = {
    label: 'outgoing',
    servers: [{ port: 0 }],
    identifier: { kind: 'io.l5d.methodAndHost' },
    interpreter: { kind: 'nameplane', addresses: [`127.0.0.1:${portOf(ports, 'grpc')}`] },
    bindingCache: { paths: cap, clients: cap },
  }
  const proxyConfig = { admin: { port: 0 }, routers: [router], lastGood: { path: join(folder, 'state') } }
  await writeFile(join(folder, 'proxy.yaml'), JSON.stringify(proxyConfig))
  const env = { NODE_OPTIONS: `--max-old-space-size=${heapMb}` }
  const proxy = undo.use(nameplane(['proxy', join(folder, 'proxy.yaml'), '--log-level', 'error'], { env }))
  const listening = await proxy.listening()
  return { proxy, port: portOf(listening, 'outgoing'), adminPort: portOf(listening, 'admin') }
}

function expectAtMost(what: string, found: number, most: number): void {
  if (!(found <= most)) throw new Error(`${what}: ${found}, and ${most} are allowed`)
}

async function flood({ port }: World, agent: Agent, report: (line: string) => void): Promise<void> {
  let next = 0
  const ask = async (host: string, method: string, wanted: number): Promise<void> => {
    const { status } = await send(port, { host, method, agent })
    if (status !== wanted) throw new Error(`${method} ${host} was answered with ${status}`)
  }
  const lane = async (): Promise<void> => {
    for (let stranger = next++; stranger < strangers; stranger = next++) {
      const isBound = stranger % 2 === 0
      await ask(`stranger-${stranger}`, isBound ? 'POST' : 'GET', isBound ? 200 : 502)
      if (stranger % strangersBetween === 0) for (const name of known) await ask(name, 'GET', 200)
      if (stranger % 10_000 === 0) report(`${stranger} strangers`)
    }
  }
  for (const name of [...known, ...known]) await ask(name, 'GET', 200)
  await Promise.all(Array.from({ length: lanes }, lane))
}

async function check({ proxy, adminPort }: World, report: (line: string) => void): Promise<void> {
  const page = async (path: string): Promise<string> =>
    await (await fetch(`http://127.0.0.1:${adminPort}${path}`)).text()
  const { bindingCache, naming } = state.parse(JSON.parse(await page('/state'))).routers[0]
  const metrics = await page('/metrics')
  const series = metrics.split('\n').filter(line => line !== '' && !line.startsWith('#')).length
  const residentMb = Number(/^process_resident_memory_bytes (\S+)/m.exec(metrics)?.[1]) / 1e6
  const { bindings, clients, evicted } = bindingCache
  const { names, replicas } = naming.facts
  report(
    `${bindings} bindings, ${clients} clients, ${evicted} evicted; ${names} names and ${replicas} ids on the stream`,
  )
  report(`${series} series, ${residentMb.toFixed(0)} MB resident`)
  expectAtMost('bindings', bindings, cap)
  expectAtMost('clients', clients, cap)
  expectAtMost('names on the stream', names, cap + lanes)
  expectAtMost('series', series, 10_000)
  expectAtMost('MB resident', residentMb, heapMb + 100)
  if (proxy.child.exitCode !== null) throw new Error(`the proxy ended: ${proxy.stderr}`)
}

export async function soakE5(report: (line: string) => void): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), 'nameplane-e5-'))
  try {
    await using undo = new AsyncDisposableStack()
    const world = await openWorld(folder, undo)
    const agent = new Agent({ keepAlive: true, maxSockets: lanes })
    undo.defer(async () => agent.destroy())
    await flood(world, agent, report)
    await check(world, report)
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}
