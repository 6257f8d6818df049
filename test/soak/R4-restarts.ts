// Every naming server off, and proxy processes that end and start again all the while, by signal and by kill: each name that
// was known is routed, by one process and by workers. Then a server comes that knows the names elsewhere, and no request fails.
import { mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises'
import { Agent } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { putDtab } from '../e2e/mesh.fixture.ts'
import { type Command, nameplane, portOf } from '../e2e/process.fixture.ts'
import { send, startNamed } from '../proxy-client/proxy.fixture.ts'

const rounds = 6
const names = Array.from({ length: 300 }, (_, i) => `name-${i}`)
const fleets = [0, 2]
/** What is learnt is on disk so long after it at the latest. */
const settledMs = 12_000

interface World {
  readonly folder: string
  /** Where a name leads in the beginning, and in the end. */
  readonly before: number
  readonly after: number
  readonly grpcPort: number
  readonly server: Command
}

async function startServer(folder: string, grpcPort: number): Promise<{ server: Command; http: number; grpc: number }> {
  const config = {
    admin: { port: 0 },
    storage: { kind: 'sqlite', path: join(folder, 'nameplane.db') },
    namers: [{ kind: 'io.l5d.fs', rootDir: join(folder, 'disco') }],
    interfaces: [
      { kind: 'io.l5d.httpController', port: 0 },
      { kind: 'io.l5d.mesh', port: grpcPort },
    ],
  }
  await writeFile(join(folder, 'server.yaml'), JSON.stringify(config))
  const server = nameplane(['serve', join(folder, 'server.yaml'), '--log-level', 'error'])
  const ports = await server.listening()
  return { server, http: portOf(ports, 'http'), grpc: portOf(ports, 'grpc') }
}

async function discover({ folder }: Pick<World, 'folder'>, port: number): Promise<void> {
  for (const name of names) await writeFile(join(folder, 'disco', name), `127.0.0.1 ${port}\n`)
}

async function openWorld(folder: string, undo: AsyncDisposableStack): Promise<World> {
  const upstream = async (name: string): Promise<number> =>
    (await startNamed(name, close => undo.defer(async () => void (await close())))).port
  const before = await upstream('before')
  const after = await upstream('after')
  await mkdir(join(folder, 'disco'))
  await discover({ folder }, before)
  const { server, http, grpc } = await startServer(folder, 0)
  undo.use(server)
  await putDtab(http, 'default', '/svc => /#/io.l5d.fs')
  return { folder, before, after, grpcPort: grpc, server }
}

/** A proxy over its lives, which share a directory of last good state. */
class ProxyLives implements AsyncDisposable {
  readonly workers: number
  readonly state: string
  readonly #world: World
  readonly #agent = new Agent({ keepAlive: true, maxSockets: 8 })
  #command: Command | undefined
  #port = 0

  constructor(workers: number, world: World) {
    this.workers = workers
    this.state = join(world.folder, `state-${workers}`)
    this.#world = world
  }

  async start(): Promise<void> {
    const { folder, grpcPort } = this.#world
    const router = {
      label: 'outgoing',
      servers: [{ port: 0 }],
      interpreter: { kind: 'nameplane', addresses: [`127.0.0.1:${grpcPort}`] },
    }
    const config = { admin: { port: 0 }, workers: this.workers, routers: [router], lastGood: { path: this.state } }
    const file = join(folder, `proxy-${this.workers}.yaml`)
    await writeFile(file, JSON.stringify(config))
    this.#command = nameplane(['proxy', file, '--log-level', 'error'])
    this.#port = portOf(await this.#command.listening(), 'outgoing')
  }

  async end(signal: NodeJS.Signals): Promise<void> {
    this.#agent.destroy()
    this.#command?.child.kill(signal)
    await this.#command?.finished
  }

  /** Asks for every name once; rejects unless each is answered by one of `wanted`. Resolves to how many by the first of them. */
  async askAll(...wanted: readonly string[]): Promise<number> {
    const answers = await Promise.all(
      names.map(async host => {
        const { status, body } = await send(this.#port, { host, agent: this.#agent })
        if (status !== 200 || !wanted.includes(body))
          throw new Error(`${this.workers} workers: ${host} was answered with ${status} ${body}`)
        return body
      }),
    )
    return answers.filter(body => body === wanted[0]).length
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.end('SIGTERM')
  }
}

async function learn(proxy: ProxyLives): Promise<void> {
  await proxy.start()
  await proxy.askAll('before')
  await new Promise(resolve => setTimeout(resolve, settledMs))
  const files = await readdir(proxy.state)
  if (files.length === 0) throw new Error('nothing was written')
}

async function restart(proxy: ProxyLives, report: (line: string) => void): Promise<void> {
  for (let round = 1; round <= rounds; round++) {
    const signal = round % 2 === 0 ? 'SIGTERM' : 'SIGKILL'
    await proxy.end(signal)
    await proxy.start()
    for (let again = 0; again < 3; again++) await proxy.askAll('before')
    report(`${proxy.workers} workers: all ${names.length} names after restart ${round} (${signal}), no server`)
  }
}

async function takeOver(proxies: readonly ProxyLives[], report: (line: string) => void): Promise<void> {
  for (const proxy of proxies) {
    let rounds = 1
    while ((await proxy.askAll('after', 'before')) < names.length) rounds++
    report(`${proxy.workers} workers: no request failed while a server came; all had moved in round ${rounds}`)
  }
}

export async function soakR4(report: (line: string) => void): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), 'nameplane-r4-'))
  try {
    await using undo = new AsyncDisposableStack()
    const world = await openWorld(folder, undo)
    const proxies = fleets.map(workers => undo.use(new ProxyLives(workers, world)))
    await Promise.all(proxies.map(learn))
    world.server.child.kill('SIGKILL')
    await world.server.finished
    for (const proxy of proxies) await restart(proxy, report)
    await discover(world, world.after)
    undo.use((await startServer(folder, world.grpcPort)).server)
    await takeOver(proxies, report)
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}
