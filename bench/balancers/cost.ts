// CPU of one pick and its release, and the time of an update, for each kind and size.
import type { Endpoint } from '../../naming/replica-set.ts'
import type { Balancer } from '../../proxy-client/balancer/balancer.ts'
import { balancerConfig } from '../../proxy-client/balancer/balancer-config.ts'
import { createBalancer } from '../../proxy-client/balancer/create-balancer.ts'
import { systemClock, systemRandom } from '../../watch/clock.ts'
import { median, printTable } from '../measure.ts'

const endpoints = (count: number): readonly Endpoint[] =>
  Array.from({ length: count }, (_, i) => ({ address: `10.0.${i >> 8}.${i & 255}`, port: 8080, weight: 1 }))

function balancerOver(kind: string, set: readonly Endpoint[]): Balancer<Endpoint> {
  const balancer = createBalancer<Endpoint>(balancerConfig.parse({ kind }), {
    random: systemRandom,
    clock: systemClock,
    open: endpoint => endpoint,
    close: () => {},
  })
  balancer.update(set)
  return balancer
}

/** Of this thread, so that what else runs on the machine counts little. */
function cpuMs(): number {
  const { user, system } = process.threadCpuUsage()
  return (user + system) / 1_000
}

/** With 32 requests in progress at any time. */
function nsPerRequest(balancer: Balancer<Endpoint>, requests: number): number {
  const held = Array.from({ length: 32 }, () => balancer.pick())
  const startedAt = cpuMs()
  for (let i = 0; i < requests; i++) {
    held[i & 31]?.release('success')
    held[i & 31] = balancer.pick()
  }
  const ns = ((cpuMs() - startedAt) * 1e6) / requests
  for (const pick of held) pick?.release('success')
  return ns
}

function updateMs(kind: string, size: number): readonly [first: number, changed: number] {
  const set = endpoints(size)
  const next = set.slice(size / 100).map(endpoint => ({ ...endpoint }))
  const balancer = balancerOver(kind, [])
  const startedAt = performance.now()
  balancer.update(set)
  const filledAt = performance.now()
  balancer.update(next)
  return [filledAt - startedAt, performance.now() - filledAt]
}

/** Prints both tables. */
export function printCosts(kinds: readonly string[]): void {
  const sizes = [10, 100, 1_000]
  const rows = kinds.map(kind => {
    const cells = sizes.map(size => {
      const balancer = balancerOver(kind, endpoints(size))
      nsPerRequest(balancer, 200_000)
      return median(Array.from({ length: 5 }, () => nsPerRequest(balancer, 200_000))).toFixed(0)
    })
    return [kind, ...cells]
  })
  console.log('\nCPU ns for a pick and its release')
  printTable([['', ...sizes.map(size => `${size} endpoints`)], ...rows])
  const updates = kinds.map(kind => {
    const runs = Array.from({ length: 5 }, () => updateMs(kind, 10_000))
    const cell = (part: 0 | 1): string =>
      `${median(runs.map(run => run[part])).toFixed(1)} (${Math.max(...runs.map(run => run[part])).toFixed(1)})`
    return [kind, cell(0), cell(1)]
  })
  console.log('\nms for an update of 10,000 endpoints, median (most of 5)')
  printTable([['', 'all new', '1 % leave'], ...updates])
}
