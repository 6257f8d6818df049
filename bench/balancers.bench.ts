// The balancers beside each other: latency before good and bad replicas, simulated and in real time, and what a pick costs.
import { type Load, type Replica, simulate } from '../test/proxy-client/balancer/simulation.fixture.ts'
import { printCosts } from './balancers/cost.ts'
import { printRealRuns } from './balancers/real-run.ts'
import { percentile, printTable } from './measure.ts'

const kinds = ['roundRobin', 'p2c', 'heap', 'aperture', 'ewma']
const good: Replica = { slots: 8, meanMs: 5 }

interface Scenario extends Pick<Load, 'requestsPerSecond' | 'pause'> {
  readonly what: string
  readonly bad: Replica
}

const scenarios: readonly Scenario[] = [
  { what: 'one is ten times slower', bad: { slots: 8, meanMs: 50 }, requestsPerSecond: 1_000 },
  { what: 'one is ten times slower, high load', bad: { slots: 8, meanMs: 50 }, requestsPerSecond: 8_000 },
  {
    what: 'one is ten times slower, and the proxy itself stands still for 100 ms every 5 s',
    bad: { slots: 8, meanMs: 50 },
    requestsPerSecond: 1_000,
    pause: { everyMs: 5_000, forMs: 100 },
  },
  {
    what: 'one stands still for 1 s every 10 s',
    bad: { ...good, pause: { everyMs: 10_000, forMs: 1_000 } },
    requestsPerSecond: 1_000,
  },
  { what: 'one hangs after 5 s', bad: { ...good, hangsAfterMs: 5_000 }, requestsPerSecond: 1_000 },
  { what: 'one fails fast', bad: { slots: 8, meanMs: 0.2, outcome: 'failure' }, requestsPerSecond: 1_000 },
  { what: 'all are equal', bad: good, requestsPerSecond: 1_000 },
]

function printSimulations(): void {
  for (const { what, bad, ...load } of scenarios) {
    const { requestsPerSecond } = load
    const seconds = requestsPerSecond > 1_000 ? 20 : 60
    const replicas = [bad, ...Array.from({ length: 9 }, () => good)]
    const rows = kinds.map(kind => {
      const { latencies, failures, unanswered, sent } = simulate({ kind, replicas, seconds, ...load })
      const shares = [0.5, 0.95, 0.99, 1].map(share => percentile(latencies, share).toFixed(1))
      const all = sent.reduce((sum, count) => sum + count, 0)
      return [kind, ...shares, `${(((sent[0] ?? 0) / all) * 100).toFixed(2)} %`, String(failures), String(unanswered)]
    })
    console.log(`\nsimulated, ten replicas of 5 ms, ${requestsPerSecond}/s for ${seconds} s: ${what}; ms`)
    printTable([['', 'p50', 'p95', 'p99', 'most', 'to the first', 'failed', 'unanswered'], ...rows])
  }
}

/** Runs all and prints its tables. */
export async function run(): Promise<void> {
  printSimulations()
  await printRealRuns(kinds, { requestsPerSecond: 250, seconds: 4, rounds: 5 })
  printCosts(kinds)
}

if (import.meta.main) await run()
