// An agent of ours beside a fake one of Consul's, on a clock that the test moves, and a follower that writes down what it hears.
import { onTestFinished } from 'vitest'
import type { ConsulAgent, ConsulAnswer, ConsulFollower, ConsulQuery } from '../../../clients/consul/agent.ts'
import { createConsulAgent } from '../../../clients/consul/consul-agent.ts'
import type { ConsulAgentOptions, ConsulFailure } from '../../../clients/consul/options.ts'
import type { SourceReport } from '../../../watch/cell.ts'
import { createKernel } from '../../../watch/kernel.ts'
import type { State } from '../../../watch/state.ts'
import { FakeClock } from '../../fakes/clock.fake.ts'
import { type FakeCertificate, FakeConsulAgent } from '../../fakes/consul-agent.fake.ts'
import { seededRandom } from '../../proxy-client/seeded-random.fixture.ts'

export interface Counts {
  requests: number
  drifts: number
  readonly failures: ConsulFailure[]
  readonly limits: number[]
}

export interface ConsulTrial {
  readonly clock: FakeClock
  readonly consul: FakeConsulAgent
  readonly agent: ConsulAgent
  readonly counts: Counts
  /** Turns until it holds. */
  until(condition: () => boolean): Promise<void>
  /** Moves the clock by steps until it holds, each time until every request is answered or parked; gives how far it moved. */
  advanceUntil(condition: () => boolean, stepMs?: number): Promise<number>
  /** The same for so long. */
  advance(ms: number, stepMs?: number): Promise<void>
}

/** Both are closed when the test ends, and must then have left nothing. */
export async function startConsulTrial(
  options: Partial<ConsulAgentOptions> = {},
  certificate?: FakeCertificate,
): Promise<ConsulTrial> {
  const clock = new FakeClock()
  const consul = await FakeConsulAgent.start(clock, certificate)
  const counts: Counts = { requests: 0, drifts: 0, failures: [], limits: [] }
  const agent = createConsulAgent({
    host: '127.0.0.1',
    port: consul.port,
    clock,
    random: seededRandom(7),
    events: {
      onRequest: () => counts.requests++,
      onDrift: () => counts.drifts++,
      onFailure: reason => counts.failures.push(reason),
      onLimit: limit => counts.limits.push(limit),
    },
    ...options,
  })
  onTestFinished(async () => {
    agent.close()
    await consul.stop()
  })
  const until = (condition: () => boolean): Promise<void> => consul.until(condition)
  const settle = async (): Promise<void> => {
    for (let quiet = 0; quiet < 4; ) {
      await new Promise(setImmediate)
      clock.settle()
      quiet = agent.load().inUse <= consul.parked ? quiet + 1 : 0
    }
  }
  const advanceUntil = async (condition: () => boolean, stepMs = 50): Promise<number> => {
    const from = clock.now()
    for (await settle(); !condition(); await settle()) clock.advance(stepMs)
    return clock.now() - from
  }
  const advance = async (ms: number, stepMs?: number): Promise<void> => {
    const end = clock.now() + ms
    await advanceUntil(() => clock.now() >= end, stepMs)
  }
  return { clock, consul, agent, counts, until, advanceUntil, advance }
}

export interface HeardFailure {
  readonly message: string
  readonly retryAt: number
}

/** Writes down what a followed query tells. */
export class Ear implements ConsulFollower {
  readonly answers: ConsulAnswer[] = []
  readonly failures: HeardFailure[] = []
  /** Changes (their endpoints), `same` and `failed`, in order. */
  readonly log: string[] = []
  changed(answer: ConsulAnswer): void {
    this.answers.push(answer)
    this.log.push(showPorts(answer.body))
  }

  same(): void {
    this.log.push('same')
  }

  failed(error: Error, retryAt: number): void {
    this.failures.push({ message: error.message, retryAt })
    this.log.push('failed')
  }

  /** What was told last of the content. */
  get shown(): string | undefined {
    const last = this.answers.at(-1)
    return last === undefined ? undefined : showPorts(last.body)
  }

  /** The contents that were told, in order. */
  get contents(): readonly string[] {
    return this.answers.map(answer => showPorts(answer.body))
  }
}

/** The ports of an answer of /catalog/service, by spaces. */
function showPorts(body: unknown): string {
  if (!Array.isArray(body)) throw new Error('not what was asked for')
  return body.map((entry: { ServicePort?: number }) => entry.ServicePort).join(' ')
}

/** The query as a source of the kernel: what /state would show of it, and each state in order. */
export function followAsSource({ agent, clock }: ConsulTrial, query: ConsulQuery) {
  const kernel = createKernel({ clock, onError: raise })
  const states: State<string>[] = []
  const cell = kernel.source<string>('web', sink =>
    agent.follow(query, {
      changed: answer => sink.set(showPorts(answer.body), answer.version),
      same: version => sink.contact(version),
      failed: (error, retryAt) => sink.fail(error, retryAt),
    }),
  )
  cell.watch(state => states.push(state))
  onTestFinished(() => kernel.close())
  return {
    states,
    get report(): SourceReport | undefined {
      return kernel.sources()[0]
    },
    /** The values that were delivered, without repeats. */
    get values(): readonly string[] {
      const values = states.flatMap(state => (state.kind === 'ok' ? [state.value] : []))
      return values.filter((value, i) => value !== values[i - 1])
    },
  }
}

function raise(error: unknown): never {
  throw error
}

export const web = { path: '/catalog/service/web', parameters: { dc: 'dc1' } }
