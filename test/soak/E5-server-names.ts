// 65,000 names that grow with each request and come once, to a server process with a heap of 256 MB, by single calls and on one
// stream: what is kept stays within the caps, and a name in use is served all the while.
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Client, credentials } from '@grpc/grpc-js'
import { z } from 'zod'
import { namingService } from '../../proto/naming-service.ts'
import { encodeResolveRequest } from '../../proto/watch-requests.ts'
import { RawStream, until } from '../api/grpc/grpc-api.fixture.ts'
import { putDtab } from '../e2e/mesh.fixture.ts'
import { type Command, nameplane, portOf } from '../e2e/process.fixture.ts'
import { path } from '../fakes/interpreter.fake.ts'

const strangers = 65_000
const lanes = 32
const heapMb = 256
/** Subscriptions that the stream may hold; it asks for all names. */
const perStream = 5_000
/** Names that one client keeps warm, each with at most three watches: its own, the binding, and the file. */
const maxWatches = 3 * 1_024 + 100

const state = z.looseObject({ openSources: z.number(), watchers: z.number() })

interface World {
  readonly server: Command
  readonly address: string
  readonly adminPort: number
}

async function openWorld(folder: string, undo: AsyncDisposableStack): Promise<World> {
  await mkdir(join(folder, 'disco'))
  await writeFile(join(folder, 'disco', 'web'), '127.0.0.1 1\n')
  const config = {
    admin: { port: 0 },
    storage: { kind: 'sqlite', path: join(folder, 'nameplane.db') },
    namers: [{ kind: 'io.l5d.fs', rootDir: join(folder, 'disco') }],
    interfaces: [
      { kind: 'io.l5d.httpController', port: 0 },
      { kind: 'io.l5d.mesh', port: 0, limits: { subscriptionsPerStream: perStream } },
    ],
  }
  await writeFile(join(folder, 'server.yaml'), JSON.stringify(config))
  const env = { NODE_OPTIONS: `--max-old-space-size=${heapMb}` }
  const server = undo.use(nameplane(['serve', join(folder, 'server.yaml'), '--log-level', 'error'], { env }))
  const listening = await server.listening()
  await putDtab(portOf(listening, 'http'), 'default', '/svc => /#/io.l5d.fs')
  return { server, address: `127.0.0.1:${portOf(listening, 'grpc')}`, adminPort: portOf(listening, 'admin') }
}

/** A name one character longer every so often, and no two alike. */
function growing(index: number): string {
  return `/svc/stranger-${index}-${'x'.repeat(index / 100)}`
}

function resolve(client: Client, name: string): Promise<void> {
  const request = encodeResolveRequest({ name: { namespace: 'default', path: path(name), dtab: '' }, waitMs: 1_000 })
  const { path: method, requestSerialize, responseDeserialize } = namingService.Resolve
  return new Promise((done, refuse) =>
    client.makeUnaryRequest(method, requestSerialize, responseDeserialize, request, error =>
      error === null ? done() : refuse(error),
    ),
  )
}

async function flood({ address }: World, report: (line: string) => void): Promise<void> {
  const client = new Client(address, credentials.createInsecure())
  const stream = new RawStream(address)
  let next = 0
  const lane = async (): Promise<void> => {
    for (let stranger = next++; stranger < strangers; stranger = next++) {
      await resolve(client, growing(stranger))
      stream.subscribe([`default${growing(stranger)}`])
      if (stranger % 50 === 0) await resolve(client, '/svc/web')
      if (stranger % 10_000 === 0) report(`${stranger} strangers`)
    }
  }
  await Promise.all(Array.from({ length: lanes }, lane))
  await until(() => stream.updates.length >= strangers)
  const refused = stream.updates.filter(({ state: shown }) => shown.kind === 'failed').length
  report(`${refused} names refused on the stream`)
  if (refused !== strangers - perStream) throw new Error(`${refused} names were refused, not ${strangers - perStream}`)
  stream.close()
  client.close()
}

async function check({ server, adminPort }: World, report: (line: string) => void): Promise<void> {
  const page = async (name: string): Promise<string> =>
    await (await fetch(`http://127.0.0.1:${adminPort}${name}`)).text()
  const watchers = async (): Promise<number> => state.parse(JSON.parse(await page('/state'))).watchers
  const most = await watchers()
  if (!(most <= maxWatches)) throw new Error(`${most} watches are open, and ${maxWatches} are allowed`)
  const residentMb = Number(/^process_resident_memory_bytes (\S+)/m.exec(await page('/metrics'))?.[1]) / 1e6
  report(`${most} watches, ${residentMb.toFixed(0)} MB resident`)
  if (!(residentMb <= heapMb + 150)) throw new Error(`${residentMb} MB are resident`)
  const endsAt = performance.now() + 40_000
  while ((await watchers()) > 10) {
    if (performance.now() > endsAt) throw new Error(`${await watchers()} watches are open for nobody`)
    await new Promise(done => setTimeout(done, 1_000))
  }
  report('no watch is left')
  if (server.child.exitCode !== null) throw new Error(`the server ended: ${server.stderr}`)
}

export async function soakE5Server(report: (line: string) => void): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), 'nameplane-e5-server-'))
  try {
    await using undo = new AsyncDisposableStack()
    const world = await openWorld(folder, undo)
    await flood(world, report)
    await check(world, report)
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}
