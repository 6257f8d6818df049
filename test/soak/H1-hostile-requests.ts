// Random and broken requests through a proxy process, over several routers at once: it must neither crash nor let what a client
// sent and what an upstream saw differ, and in the end hold no more than in the beginning.
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { type Command, nameplane, portOf } from '../e2e/process.fixture.ts'
import { answersTo, outOfStep, refusals } from '../proxy-client/http1/desync-check.fixture.ts'
import { hostileStream } from '../proxy-client/http1/hostile-mutator.fixture.ts'
import { sendBytes } from '../proxy-client/http1/raw-client.fixture.ts'
import { type RecordingBackend, startRecordingBackend } from '../proxy-client/http1/recording-backend.fixture.ts'
import { seededRandom } from '../proxy-client/seeded-random.fixture.ts'

const laneCount = 8
const idleMs = 2_000
/** Longer than any of the proxy's own waits on this way. */
const answerLimitMs = 30_000
const samples = 40
/** Little, so that garbage is collected often and what is left can be told from it; a leak would end the proxy. */
const maxHeapMb = 96
/** What may come with the noise of collecting garbage. */
const toleratedGrowth = 1.15
const toleratedBytes = 12 * 1024 * 1024

interface Lane {
  readonly port: number
  readonly backend: RecordingBackend
}

/** What the proxy says of itself. */
interface Sample {
  readonly residentBytes: number
  readonly heapBytes: number
  readonly sockets: number
}

interface Progress {
  requests: number
  streams: number
  refused: number
}

function wantedRequests(): number {
  const argument = process.argv.find(each => each.startsWith('--requests='))
  return argument === undefined ? 1_000_000 : Number(argument.slice('--requests='.length))
}

/** One router for each lane, each with a backend of its own, so that what comes there can only be of this lane. */
async function startLanes(
  folder: string,
  undo: AsyncDisposableStack,
): Promise<{ proxy: Command; admin: number; lanes: Lane[] }> {
  const labels = Array.from({ length: laneCount }, (_, i) => `lane-${i}`)
  const backends = await Promise.all(
    labels.map(() => startRecordingBackend(close => undo.defer(async () => void (await close())))),
  )
  await mkdir(join(folder, 'disco'))
  await Promise.all(
    labels.map((label, i) => writeFile(join(folder, 'disco', label), `127.0.0.1 ${backends[i]?.port}\n`)),
  )
  await writeFile(
    join(folder, 'server.yaml'),
    `admin: { port: 0 }
storage: { kind: io.l5d.inMemory, namespaces: { default: "/svc => /#/io.l5d.fs;" } }
namers: [{ kind: io.l5d.fs, rootDir: ${folder}/disco }]
interfaces: [{ kind: io.l5d.httpController, port: 0 }, { kind: io.l5d.mesh, port: 0 }]
`,
  )
  const server = undo.use(nameplane(['serve', join(folder, 'server.yaml'), '--log-level', 'error'], { cwd: folder }))
  const grpc = portOf(await server.listening(), 'grpc')
  const routers = labels.map(
    label => `  - label: ${label}
    servers: [{ port: 0 }]
    identifier: { kind: io.l5d.static, path: /${label} }
    interpreter: { kind: nameplane, addresses: ["127.0.0.1:${grpc}"] }
    client: { hostConnectionPool: { idleTimeMs: ${idleMs} } }
`,
  )
  await writeFile(join(folder, 'proxy.yaml'), `admin: { port: 0 }\nrouters:\n${routers.join('')}`)
  const env = { NODE_OPTIONS: `--max-old-space-size=${maxHeapMb}` }
  const proxy = undo.use(nameplane(['proxy', join(folder, 'proxy.yaml'), '--log-level', 'error'], { cwd: folder, env }))
  const ports = await proxy.listening()
  const lanes = backends.map((backend, i) => ({ backend, port: portOf(ports, `lane-${i}`) }))
  return { proxy, admin: portOf(ports, 'admin'), lanes }
}

async function sampleOf(admin: number): Promise<Sample> {
  const text = await (await fetch(`http://127.0.0.1:${admin}/metrics`)).text()
  const value = (name: string): number => {
    const line = text.split('\n').find(each => each.startsWith(`${name} `))
    return Number(line?.slice(name.length + 1))
  }
  return {
    residentBytes: value('process_resident_memory_bytes'),
    heapBytes: value('nodejs_heap_size_used_bytes'),
    sockets: value('nodejs_active_resources{type="TCPSocketWrap"}'),
  }
}

/** One stream after the other, until all lanes together have had enough. */
async function runLane(lane: Lane, number: number, wanted: number, progress: Progress): Promise<void> {
  const random = seededRandom(1_000 + number)
  const { requests, rests } = lane.backend
  for (let i = 0; progress.requests < wanted; i++) {
    const stream = hostileStream(`${number}-${i}`, random)
    requests.length = 0
    rests.length = 0
    // A few hundred addresses of our own, for each has only so many ports.
    const answer = await answered(sendBytes(lane.port, stream, `127.0.${number}.${1 + (i % 250)}`), stream)
    const found = outOfStep({ stream, answer, seen: requests })
    if (found.length > 0) throw new Error(`out of step: ${found.join('; ')}: ${JSON.stringify({ stream, answer })}`)
    const answers = answersTo(stream, answer)
    progress.streams++
    progress.requests += Math.max(1, answers.length)
    if (answers.some(({ status }) => refusals.has(status))) progress.refused++
  }
}

async function answered(answer: Promise<string>, stream: string): Promise<string> {
  using timeLimit = new DisposableStack()
  const late = new Promise<never>((_, reject) => {
    const timer = setTimeout(
      () => reject(new Error(`no end of the answer to ${JSON.stringify(stream)}`)),
      answerLimitMs,
    )
    timeLimit.defer(() => clearTimeout(timer))
  })
  return await Promise.race([answer, late])
}

const megabytes = (bytes: number): string => `${(bytes / 1024 / 1024).toFixed(1)} MB`

function least(taken: readonly Sample[], figure: 'residentBytes' | 'heapBytes'): number {
  return Math.min(...taken.map(sample => sample[figure]))
}

/** Compares the least of the second quarter with the least of the last: what stays between two collections of garbage. */
function requireFlat(taken: readonly Sample[], report: (line: string) => void): void {
  const quarter = Math.floor(taken.length / 4)
  for (const figure of ['heapBytes', 'residentBytes'] as const) {
    const before = least(taken.slice(quarter, 2 * quarter), figure)
    const after = least(taken.slice(-quarter), figure)
    report(`${figure}: ${megabytes(before)} in the second quarter, ${megabytes(after)} in the last`)
    if (after > before * toleratedGrowth + toleratedBytes)
      throw new Error(`${figure} grew from ${megabytes(before)} to ${megabytes(after)}`)
  }
}

/** Samples at even steps of the way. */
async function watchMemory(
  admin: number,
  requests: () => number,
  wanted: number,
  report: (line: string) => void,
): Promise<readonly Sample[]> {
  const taken: Sample[] = []
  while (taken.length < samples) {
    while (requests() < (wanted * (taken.length + 1)) / samples) await delay(20, undefined, { ref: false })
    const sample = await sampleOf(admin)
    taken.push(sample)
    if (taken.length % 4 !== 0) continue
    const { heapBytes, residentBytes, sockets } = sample
    report(
      `${requests()} requests, heap ${megabytes(heapBytes)}, resident ${megabytes(residentBytes)}, ${sockets} sockets`,
    )
  }
  return taken
}

export async function soakH1(report: (line: string) => void): Promise<void> {
  const wanted = wantedRequests()
  await using undo = new AsyncDisposableStack()
  const folder = await mkdtemp(join(tmpdir(), 'nameplane-h1-'))
  undo.defer(() => rm(folder, { recursive: true }))
  const { proxy, admin, lanes } = await startLanes(folder, undo)
  const atFirst = await sampleOf(admin)
  const progress: Progress = { requests: 0, streams: 0, refused: 0 }
  const ended = proxy.finished.then(({ stderr }) => `the proxy ended: ${stderr}`)
  const running = Promise.all(lanes.map((lane, i) => runLane(lane, i, wanted, progress))).then(() => undefined)
  const watching = watchMemory(admin, () => progress.requests, wanted, report)
  const outcome = await Promise.race([running, ended, watching.then(() => running)])
  if (outcome !== undefined) throw new Error(outcome)
  const taken = await watching
  report(
    `${progress.requests} requests in ${progress.streams} streams, ${progress.refused} streams with a refusal, none out of step`,
  )
  requireFlat(taken, report)
  await requireReleased(admin, atFirst.sockets, report)
}

async function requireReleased(admin: number, before: number, report: (line: string) => void): Promise<void> {
  let sockets = 0
  for (let waited = 0; waited < 3 * idleMs; waited += 100) {
    sockets = (await sampleOf(admin)).sockets
    if (sockets <= before) break
    await delay(100)
  }
  report(`sockets: ${before} before the first request, ${sockets} after the last`)
  if (sockets > before) throw new Error(`${sockets - before} sockets were not released`)
}
