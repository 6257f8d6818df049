// 1,000 readers on as many connections under 100 changes a second, of whom ten stop: five of a process that is stopped, five
// that read no more. The others go on as before, memory stays where it is, the ten are cut and are right again when they go on.
import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { setTimeout as delay } from 'node:timers/promises'
import { systemClock } from '../../watch/clock.ts'
import { ContentServer } from '../api/push/push-peer.fixture.ts'
import type { Change, ReadersOrder, ReadersReport } from './push-readers.fixture.ts'

const readers = 1_000
const stoppedReaders = 5
const changesPerSecond = 100
const names = Array.from({ length: 500 }, (_, i) => `name-${i}`)
const namesEach = 20
const contentBytes = 4_096
/** What an operator is told: who reads nothing is cut by then. */
const cutWithinMs = 30_000

function wantedMinutes(): number {
  const argument = process.argv.find(each => each.startsWith('--minutes='))
  return argument === undefined ? 10 : Number(argument.slice('--minutes='.length))
}

class ReaderProcess implements Disposable {
  readonly #child: ChildProcess = fork(new URL('./push-readers.fixture.ts', import.meta.url))

  constructor(port: number, firstReader: number, count: number) {
    const namesOf = Array.from({ length: count }, (_, i) =>
      Array.from({ length: namesEach }, (_, k) => names[(firstReader + i + k * 25) % names.length] ?? ''),
    )
    this.#child.send({ port, readers: count, namesOf } satisfies ReadersOrder)
  }

  async report(): Promise<ReadersReport> {
    const answer = once(this.#child, 'message')
    this.#child.send('report')
    const [report] = await answer
    return report
  }

  pause(): void {
    this.#child.send('pause')
  }

  signal(name: 'SIGSTOP' | 'SIGCONT'): void {
    this.#child.kill(name)
  }

  [Symbol.dispose](): void {
    this.#child.kill('SIGKILL')
  }
}

/** Changes one name after the other until it is disposed. */
class Churn implements Disposable {
  readonly #server: ContentServer<typeof systemClock>
  readonly #timer: NodeJS.Timeout
  readonly rounds = new Map<string, number>()
  #next = 0

  constructor(server: ContentServer<typeof systemClock>) {
    this.#server = server
    for (const name of names) this.#change(name)
    this.#timer = setInterval(() => this.#change(names[this.#next++ % names.length] ?? ''), 1_000 / changesPerSecond)
  }

  #change(name: string): void {
    const round = (this.rounds.get(name) ?? 0) + 1
    this.rounds.set(name, round)
    const change: Change = { name, round, at: performance.timeOrigin + performance.now() }
    const content = Buffer.alloc(contentBytes)
    content.write(JSON.stringify(change))
    this.#server.cell(name).set(content)
  }

  [Symbol.dispose](): void {
    clearInterval(this.#timer)
  }
}

function percentile(values: readonly number[], share: number): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length * share)] ?? Number.NaN
}

function lagText({ lags }: ReadersReport): string {
  const [p50, p99, most] = [0.5, 0.99, 0.9999].map(share => percentile(lags, share).toFixed(1))
  return `${lags.length} updates, lag p50 ${p50}, p99 ${p99}, p99.99 ${most} ms`
}

function isRight({ newest }: ReadersReport, rounds: ReadonlyMap<string, number>): boolean {
  return newest.every(
    held =>
      Object.keys(held).length === namesEach &&
      Object.entries(held).every(([name, round]) => rounds.get(name) === round),
  )
}

function expectThat(isTrue: boolean, what: string): void {
  if (!isTrue) throw new Error(what)
}

/** Waits, looking ten times a second; throws when it takes too long. */
async function within(ms: number, what: string, isTrue: () => boolean | Promise<boolean>): Promise<number> {
  const startedAt = performance.now()
  while (!(await isTrue())) {
    expectThat(performance.now() - startedAt < ms, `${what}: not within ${ms / 1_000} s`)
    await delay(100)
  }
  return performance.now() - startedAt
}

const megabytes = (): number => process.memoryUsage.rss() / 1e6

export async function soakP4(report: (line: string) => void): Promise<void> {
  const phaseMs = (wantedMinutes() * 60_000) / 2
  await using server = await ContentServer.startOn(systemClock, {})
  const churn = new Churn(server)
  try {
    await run(server, churn, { phaseMs, report })
  } finally {
    churn[Symbol.dispose]()
  }
}

interface Run {
  readonly phaseMs: number
  readonly report: (line: string) => void
}

async function run(server: ContentServer<typeof systemClock>, churn: Churn, { phaseMs, report }: Run): Promise<void> {
  const { context, port } = server
  const healthy = readers - 2 * stoppedReaders
  using others = new ReaderProcess(port, 0, healthy)
  using frozen = new ReaderProcess(port, healthy, stoppedReaders)
  using paused = new ReaderProcess(port, healthy + stoppedReaders, stoppedReaders)
  await within(60_000, 'all connected', () => context.streams === readers)
  await delay(5_000)
  await others.report()
  await delay(phaseMs)
  const before = await others.report()
  const memoryBefore = megabytes()
  report(`before: ${lagText(before)}; ${memoryBefore.toFixed(0)} MB`)

  frozen.signal('SIGSTOP')
  paused.pause()
  const cutMs = await within(
    cutWithinMs + 30_000,
    'the stopped ones cut',
    () => context.streams <= healthy + stoppedReaders,
  )
  report(`the first five were cut after ${(cutMs / 1_000).toFixed(1)} s`)
  let memoryMost = megabytes()
  let unsentMost = 0
  const endsAt = performance.now() + Math.max(phaseMs, cutWithinMs)
  while (performance.now() < endsAt) {
    memoryMost = Math.max(memoryMost, megabytes())
    unsentMost = Math.max(unsentMost, context.unsent.bytes)
    await delay(100)
  }
  const meanwhile = await others.report()
  const { cuts } = await paused.report()
  report(`with ten stopped: ${lagText(meanwhile)}; at most ${memoryMost.toFixed(0)} MB, ${unsentMost} bytes unsent`)
  expectThat(meanwhile.cuts === 0, `${meanwhile.cuts} of the others were cut`)
  expectThat(cuts >= stoppedReaders, `only ${cuts} of those that read no more were cut`)
  expectThat(context.streams === readers - stoppedReaders, 'the stopped process was not cut, or others were')
  expectThat(memoryMost < memoryBefore * 1.3 + 50, 'memory grew')

  frozen.signal('SIGCONT')
  churn[Symbol.dispose]()
  const backMs = await within(15_000, 'all of them right again', async () =>
    (await Promise.all([others, frozen, paused].map(each => each.report()))).every(each => isRight(each, churn.rounds)),
  )
  report(`all 1,000 hold the newest of every name ${(backMs / 1_000).toFixed(1)} s after the last change`)
}
