// Each kind before ten real servers, one of them ten times slower, in real time.
import { fork } from 'node:child_process'
import { once } from 'node:events'
import { Agent, get } from 'node:http'
import { join } from 'node:path'
import { balancerConfig } from '../../proxy-client/balancer/balancer-config.ts'
import { createBalancer } from '../../proxy-client/balancer/create-balancer.ts'
import { systemClock, systemRandom } from '../../watch/clock.ts'
import { percentile, printTable } from '../measure.ts'

interface RealRun {
  readonly requestsPerSecond: number
  readonly seconds: number
}

function fetchMs(agent: Agent, port: number): Promise<number> {
  return new Promise((resolve, reject) => {
    const startedAt = performance.now()
    get({ agent, host: '127.0.0.1', port }, response => {
      response.resume().on('end', () => resolve(performance.now() - startedAt))
    }).on('error', reject)
  })
}

async function runKind(kind: string, ports: readonly number[], { requestsPerSecond, seconds }: RealRun) {
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
  const startedAt = performance.now()
  while (performance.now() - startedAt < seconds * 1_000) {
    const due = ((performance.now() - startedAt) / 1_000) * requestsPerSecond
    while (requests.length < due) requests.push(request())
    await new Promise(resolve => setTimeout(resolve, 1))
  }
  const latencies = await Promise.all(requests)
  agent.destroy()
  return { latencies, toSlow }
}

/** Prints one row for each kind. */
export async function printRealRuns(kinds: readonly string[], load: RealRun): Promise<void> {
  const child = fork(join(import.meta.dirname, 'replicas.ts'))
  try {
    const [ports]: readonly (readonly number[])[] = await once(child, 'message')
    const rows: string[][] = []
    for (const kind of kinds) {
      const { latencies, toSlow } = await runKind(kind, ports ?? [], load)
      const shares = [0.5, 0.95, 0.99, 1].map(share => percentile(latencies, share).toFixed(1))
      rows.push([kind, ...shares, `${((toSlow / latencies.length) * 100).toFixed(1)} %`])
    }
    console.log(`\nten HTTP servers of 20 ms, one of 200 ms; ${load.requestsPerSecond}/s for ${load.seconds} s; ms`)
    printTable([['', 'p50', 'p95', 'p99', 'most', 'to the slow one'], ...rows])
  } finally {
    child.disconnect()
  }
}
