// A process on a small file system with a server on it: fills the disk by writing to the server, sees reads and watches go on,
// makes room, writes again, kills the server and looks at what a new one has; prints what it saw.
import { rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { z } from 'zod'
import { type Command, nameplane, portOf } from '../e2e/process.fixture.ts'

const directory = process.argv[2] ?? ''
const ballast = join(directory, 'ballast')
const config = join(directory, 'server.json')
const interfaces = [{ kind: 'io.l5d.httpController', port: 0 }]
const storage = { kind: 'sqlite', path: join(directory, 'store.db') }
writeFileSync(ballast, Buffer.alloc(2_000_000))
writeFileSync(config, JSON.stringify({ admin: { port: 0 }, storage, interfaces }))

const versionAnswer = z.object({ version: z.number() })
const problemAnswer = z.object({ code: z.string(), detail: z.string(), status: z.number() })
const event = z.object({ type: z.string(), dtabVersion: z.number().optional() })

interface Server {
  readonly command: Command
  readonly url: string
  readonly admin: string
}

async function start(): Promise<Server> {
  const command = nameplane(['serve', config], { cwd: directory })
  const ports = await command.listening()
  const at = (role: string): string => `http://127.0.0.1:${portOf(ports, role)}`
  return { command, url: at('http'), admin: at('admin') }
}

/** The version written, or the problem that was answered. */
async function write({ url }: Server, bytes: number): Promise<number | z.output<typeof problemAnswer>> {
  const body = `/a => /b # ${'x'.repeat(bytes)}`
  const headers = { 'content-type': 'application/dtab' }
  const answer = await fetch(`${url}/api/dtabs/web`, { method: 'PUT', headers, body })
  const json: unknown = await answer.json()
  return answer.ok ? versionAnswer.parse(json).version : problemAnswer.parse(json)
}

async function versionOf({ url }: Server, query: string): Promise<number> {
  return versionAnswer.parse(await (await fetch(`${url}/api/dtabs/web${query}`)).json()).version
}

/** Follows the dtab; the number of the last event. */
async function follow({ url }: Server, seen: { version: number }): Promise<void> {
  const answer = await fetch(`${url}/api/dtabs/web?watch=true`)
  let rest = ''
  for await (const chunk of answer.body ?? []) {
    const lines = (rest + Buffer.from(chunk).toString()).split('\n')
    rest = lines.pop() ?? ''
    for (const line of lines) seen.version = event.parse(JSON.parse(line)).dtabVersion ?? seen.version
  }
}

async function untilRefused(server: Server): Promise<{ last: number; refusal: z.output<typeof problemAnswer> }> {
  for (let last = 0; ; ) {
    const outcome = await write(server, 50_000)
    if (typeof outcome !== 'number') return { last, refusal: outcome }
    last = outcome
  }
}

const statusOf = async (url: string): Promise<number> => (await fetch(url)).status

const server = await start()
const watched = { version: 0 }
await write(server, 10)
const following = follow(server, watched).catch(() => {})
const { last, refusal } = await untilRefused(server)
const whileFull = {
  head: await versionOf(server, ''),
  first: await versionOf(server, '?version=1'),
  bind: await statusOf(`${server.url}/api/bind/web?path=/a/x`),
  ready: await statusOf(`${server.admin}/ready`),
  again: await write(server, 50_000),
}
rmSync(ballast)
const resumed = await write(server, 10)
while (watched.version < last + 1) await new Promise(setImmediate)
server.command.child.kill('SIGKILL')
await Promise.all([server.command.finished, following])
const next = await start()
const after = { head: await versionOf(next, ''), all: true }
for (let version = 1; version <= after.head; version++)
  after.all &&= (await versionOf(next, `?version=${version}`)) === version
next.command.child.kill('SIGKILL')
await next.command.finished
console.log(JSON.stringify({ refusal, last, whileFull, resumed, watched: watched.version, after }))
