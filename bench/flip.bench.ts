// Traffic follows a PUT: 2,000 requests/s through the proxy while 200 PUTs flip the target.
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { Pool } from 'undici'
import { nameplane, portOf } from '../test/e2e/process.fixture.ts'
import { percentile, printTable } from './measure.ts'

const requestsPerSecond = 2000
const flips = 200
const flipEveryMs = 100
const splitRequests = 10_000

/** A backend in this process, so that arrivals and PUT answers share one clock. */
class Backend {
  readonly arrivals: number[] = []
  readonly server: Server = createServer((request, response) => {
    this.arrivals.push(performance.now())
    request.resume()
    response.end('ok')
  })

  async listen(): Promise<number> {
    await new Promise<void>(resolve => this.server.listen(0, '127.0.0.1', resolve))
    return (this.server.address() as AddressInfo).port // a TCP server's
  }

  lastBetween(from: number, to: number): number | undefined {
    return this.arrivals.findLast(at => at >= from && at < to)
  }
}

interface Load {
  sent: number
  failed: number
  readonly latencies: number[]
}

/** Sends at a fixed rate until stopped; a slow answer does not slow the sender. */
async function sendLoad(pool: Pool, load: Load, stop: AbortSignal): Promise<void> {
  const startedAt = performance.now()
  const inFlight = new Set<Promise<void>>()
  while (!stop.aborted) {
    const due = Math.floor(((performance.now() - startedAt) / 1000) * requestsPerSecond)
    while (load.sent < due) {
      load.sent++
      const one = sendOne(pool, load).finally(() => inFlight.delete(one))
      inFlight.add(one)
    }
    await delay(1)
  }
  await Promise.all(inFlight)
}

async function sendOne(pool: Pool, load: Load): Promise<void> {
  const startedAt = performance.now()
  try {
    const { statusCode, body } = await pool.request({ path: '/', method: 'GET', headers: { host: 'web' } })
    await body.dump()
    if (statusCode !== 200) load.failed++
  } catch {
    load.failed++ // the count is the finding
  }
  load.latencies.push(performance.now() - startedAt)
}

async function put(base: string, dtab: string): Promise<number> {
  const response = await fetch(`${base}/api/dtabs/default`, {
    method: 'PUT',
    headers: { 'content-type': 'application/dtab' },
    body: dtab,
  })
  if (!response.ok) throw new Error(`PUT answered ${response.status}: ${await response.text()}`)
  await response.arrayBuffer()
  return performance.now()
}

export async function run(): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), 'nameplane-flip-'))
  const backends = { v1: new Backend(), v2: new Backend() }
  await writeFile(join(folder, 'v1'), `127.0.0.1 ${await backends.v1.listen()}\n`)
  await writeFile(join(folder, 'v2'), `127.0.0.1 ${await backends.v2.listen()}\n`)
  await writeFile(
    join(folder, 'server.yaml'),
    `admin: { port: 0 }\nstorage: { kind: sqlite, path: ${folder}/n.db }\nnamers: [{ kind: io.l5d.fs, rootDir: ${folder} }]\ninterfaces: [{ kind: io.l5d.httpController, port: 0 }, { kind: io.l5d.mesh, port: 0 }]\n`,
  )
  await using server = nameplane(['serve', join(folder, 'server.yaml'), '--log-level', 'error'])
  const ports = await server.listening()
  await writeFile(
    join(folder, 'proxy.yaml'),
    `admin: { port: 0 }\nrouters: [{ protocol: http, label: outgoing, interpreter: { kind: nameplane, addresses: ["127.0.0.1:${portOf(ports, 'grpc')}"] }, servers: [{ port: 0 }] }]\n`,
  )
  await using proxy = nameplane(['proxy', join(folder, 'proxy.yaml'), '--log-level', 'error'])
  const base = `http://127.0.0.1:${portOf(ports, 'http')}`
  const pool = new Pool(`http://127.0.0.1:${portOf(await proxy.listening(), 'outgoing')}`, { connections: 64 })
  await put(base, '/svc/web => /#/io.l5d.fs/v1')
  const rows = [['what', 'measured', 'wanted']]
  rows.push(...(await flipUnderLoad(base, pool, backends)))
  rows.push(...(await splitTenPercent(base, pool, backends)))
  printTable(rows)
  await pool.close()
  for (const { server: backend } of Object.values(backends)) backend.closeAllConnections()
  for (const { server: backend } of Object.values(backends)) backend.close()
  await rm(folder, { recursive: true, force: true })
}

type Backends = Readonly<Record<'v1' | 'v2', Backend>>

async function flipUnderLoad(base: string, pool: Pool, backends: Backends): Promise<string[][]> {
  const load: Load = { sent: 0, failed: 0, latencies: [] }
  const stop = new AbortController()
  const sending = sendLoad(pool, load, stop.signal)
  await delay(500)
  const marks: { readonly at: number; readonly old: Backend }[] = []
  for (let flip = 1; flip <= flips; flip++) {
    const target = flip % 2 === 0 ? 'v1' : 'v2'
    const at = await put(base, `/svc/web => /#/io.l5d.fs/${target}`)
    marks.push({ at, old: flip % 2 === 0 ? backends.v2 : backends.v1 })
    await delay(flipEveryMs)
  }
  stop.abort()
  await sending
  const lags = marks.map(({ at, old }, index) =>
    Math.max(0, (old.lastBetween(at, marks[index + 1]?.at ?? Number.POSITIVE_INFINITY) ?? at) - at),
  )
  return [
    [`failed of ${load.sent} requests at ${requestsPerSecond}/s, ${flips} flips`, String(load.failed), '0'],
    [
      'last request to the old target after the PUT, p50 / max',
      `${percentile(lags, 0.5).toFixed(1)} / ${Math.max(...lags).toFixed(1)} ms`,
      '<= 100 ms',
    ],
    [
      'request latency, p50 / p99',
      `${percentile(load.latencies, 0.5).toFixed(2)} / ${percentile(load.latencies, 0.99).toFixed(2)} ms`,
      '-',
    ],
  ]
}

async function splitTenPercent(base: string, pool: Pool, backends: Backends): Promise<string[][]> {
  await put(base, '/svc/web => 9 * /#/io.l5d.fs/v1 & 1 * /#/io.l5d.fs/v2')
  await delay(200)
  const before = backends.v2.arrivals.length
  const load: Load = { sent: 0, failed: 0, latencies: [] }
  for (let sent = 0; sent < splitRequests; sent += 100)
    await Promise.all(Array.from({ length: 100 }, () => sendOne(pool, load)))
  const share = backends.v2.arrivals.length - before
  const sigma = Math.sqrt(splitRequests * 0.1 * 0.9)
  return [
    [
      `a 10 % split, of ${splitRequests} requests`,
      `${share} (${((share - splitRequests / 10) / sigma).toFixed(1)} sigma)`,
      'within 3 sigma',
    ],
  ]
}

if (import.meta.main) await run()
