// Each kind before ten real servers, one of them ten times slower, in real time. The kinds take turns, round after round, and
// each round tells how long its client stood still: an answer that waits for that counts as slow whatever was picked.
import { fork } from 'node:child_process'
import { once } from 'node:events'
import { Agent, get } from 'node:http'
import { join } from 'node:path'
import { monitorEventLoopDelay } from 'node:perf_hooks'
import { balancerConfig } from '../../proxy-client/balancer/balancer-config.ts'
import { createBalancer } from '../../proxy-client/balancer/create-balancer.ts'
import { systemClock, systemRandom } from '../../watch/clock.ts'
import { median, percentile, printTable } from '../measure.ts'

interface RealRun {
  readonly requestsPerSecond: number
  /** Of one kind in one round. */
  readonly seconds: number
  readonly rounds: number
}

interface Round {
  readonly p50: number
  readonly p95: number
  readonly p99: number
  readonly toSlow: number
  readonly longestStall: number
}

function fetchMs(agent: Agent, port: number): Promise<number> {
  return new Promise((resolve, reject) => {
    const startedAt = performance.now()
    get({ agent, host: '127.0.0.1', port }, response => {
      response.resume().on('end', () => resolve(performance.now() - startedAt))
    }).on('error', reject)
  })
}

async function runKind(kind: string, ports: readonly number[], load: RealRun): Promise<Round> {
  const { requestsPerSecond, seconds } = load
  const agent = new Agent({ keepAlive: true })
  const balancer = createBalancer<number>(balancerConfig.parse({ kind }), {
    random: systemRandom,
    clock: systemClock,
    open: ({ port }) => port,
    close: () => {},
  })
  balancer.update(ports.map(port => ({ address: '127.0.0.1', port, weight: 1 })))
  const requests: Promise<number>[] = []
  let toSlow = 0
  const request = async (): Promise<number> => {
    const pick = balancer.pick()
    if (pick === undefined) throw new Error('there is nothing to pick')
    if (pick.target === ports[0]) toSlow++
    const ms = await fetchMs(agent, pick.target)
    pick.release('success')
    return ms
  }
  const stalls = monitorEventLoopDelay({ resolution: 1 })
  stalls.enable()
  const startedAt = performance.now()
  while (performance.now() - startedAt < seconds * 1_000) {
    const due = ((performance.now() - startedAt) / 1_000) * requestsPerSecond
    while (requests.length < due) requests.push(request())
    await new Promise(resolve => setTimeout(resolve, 1))
  }
  const latencies = await Promise.all(requests)
  stalls.disable()
  agent.destroy()
  const [p50, p95, p99] = [percentile(latencies, 0.5), percentile(latencies, 0.95), percentile(latencies, 0.99)]
  return { p50, p95, p99, toSlow: (toSlow / latencies.length) * 100, longestStall: stalls.max / 1e6 }
}

function rowOf(kind: string, rounds: readonly Round[]): readonly string[] {
  const cell = (key: keyof Round): string => {
    const values = rounds.map(round => round[key])
    return `${median(values).toFixed(1)} (${Math.min(...values).toFixed(1)}-${Math.max(...values).toFixed(1)})`
  }
  return [kind, cell('p50'), cell('p95'), cell('p99'), cell('toSlow'), cell('longestStall')]
}

/** Prints one row for each kind: medians of its rounds, the least and the most. */
export async function printRealRuns(kinds: readonly string[], load: RealRun): Promise<void> {
  const child = fork(join(import.meta.dirname, 'replicas.ts'))
  try {
    const [ports]: readonly (readonly number[])[] = await once(child, 'message')
    const rounds = new Map(kinds.map((kind): [string, Round[]] => [kind, []]))
    for (let i = 0; i < load.rounds; i++)
      for (const [kind, done] of rounds) done.push(await runKind(kind, ports ?? [], load))
    const { requestsPerSecond, seconds } = load
    console.log(
      `\nten HTTP servers of 20 ms, one of 200 ms; ${requestsPerSecond}/s for ${seconds} s, ${load.rounds} times in turn; ms`,
    )
    const rows = Array.from(rounds, ([kind, done]) => rowOf(kind, done))
    printTable([['', 'p50', 'p95', 'p99', '% to the slow one', "client's longest stall"], ...rows])
  } finally {
    child.disconnect()
  }
}
