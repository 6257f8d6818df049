// Start to ready and idle memory of the server and the proxy, taken on dist/ (run `npm run build` first).
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { Command, portOf, root } from '../test/e2e/process.fixture.ts'
import { median, printTable } from './measure.ts'

const starts = 7
const idleMs = 3000

async function residentMb(pid: number | undefined): Promise<number> {
  const status = await readFile(`/proc/${pid}/status`, 'utf8')
  return Number(/VmRSS:\s+(\d+) kB/.exec(status)?.[1]) / 1024
}

async function untilReady(adminPort: number): Promise<void> {
  for (;;) {
    const { status } = await fetch(`http://127.0.0.1:${adminPort}/ready`)
    if (status === 200) return
    await delay(2)
  }
}

interface Figures {
  readonly readyMs: number[]
  readonly idleMb: number[]
}

async function measure(argv: readonly string[], figures: Figures): Promise<void> {
  const startedAt = performance.now()
  await using command = new Command([join(root, 'dist/bin/nameplane.js'), ...argv])
  await untilReady(portOf(await command.listening(), 'admin'))
  figures.readyMs.push(performance.now() - startedAt)
  await delay(idleMs)
  figures.idleMb.push(await residentMb(command.child.pid))
}

export async function run(): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), 'nameplane-start-'))
  const config = `admin: { port: 0 }\nstorage: { kind: sqlite, path: ${folder}/n.db }\nnamers: [{ kind: io.l5d.fs, rootDir: ${folder} }]\ninterfaces: [{ kind: io.l5d.httpController, port: 0 }, { kind: io.l5d.mesh, port: 0 }]\n`
  await writeFile(join(folder, 'server.yaml'), config)
  const figures: Figures = { readyMs: [], idleMb: [] }
  for (let start = 0; start < starts; start++)
    await measure(['serve', join(folder, 'server.yaml'), '--log-level', 'error'], figures)
  const show = (samples: readonly number[], unit: string): string =>
    `${median(samples).toFixed(0)} ${unit} (${Math.min(...samples).toFixed(0)} to ${Math.max(...samples).toFixed(0)})`
  printTable([
    ['server', 'measured, median of 7 (range)', 'wanted', 'namerd'],
    ['start to ready, compile cache warm', show(figures.readyMs.slice(1), 'ms'), '<= 600 ms', '1,800 ms'],
    ['first start', `${figures.readyMs[0]?.toFixed(0)} ms`, 'reported', '-'],
    ['idle memory', show(figures.idleMb, 'MB'), '<= 130 MB', '158-175 MB'],
  ])
  await rm(folder, { recursive: true, force: true })
}

if (import.meta.main) await run()
