// An agent of ours beside a fake one of Consul's, on a clock that the test moves, and a follower that writes down what it hears.
import { onTestFinished } from 'vitest'
import type { ConsulAgent, ConsulAnswer, ConsulFollower } from '../../../clients/consul/agent.ts'
import { createConsulAgent } from '../../../clients/consul/consul-agent.ts'
import type { ConsulAgentOptions, ConsulFailure } from '../../../clients/consul/options.ts'
import { FakeClock } from '../../fakes/clock.fake.ts'
import { FakeConsulAgent } from '../../fakes/consul-agent.fake.ts'
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
  /** Moves the clock by steps until it holds, with turns in between; gives how far it moved. */
  advanceUntil(condition: () => boolean, stepMs?: number): Promise<number>
}

/** Both are closed when the test ends, and must then have left nothing. */
export async function startConsulTrial(options: Partial<ConsulAgentOptions> = {}): Promise<ConsulTrial> {
  const clock = new FakeClock()
  const consul = await FakeConsulAgent.start(clock)
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
  const advanceUntil = async (condition: () => boolean, stepMs = 50): Promise<number> => {
    const from = clock.now()
    while (!condition()) {
      clock.advance(stepMs)
      await turns(clock)
    }
    return clock.now() - from
  }
  return { clock, consul, agent, counts, until, advanceUntil }
}

/** Some turns of the event loop: enough for a request to come and be answered on loopback. */
export async function turns(clock: FakeClock, count = 12): Promise<void> {
  for (let i = 0; i < count; i++) {
    await new Promise(setImmediate)
    clock.settle()
  }
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
  /** Refuses an answer by throwing. */
  accepts: (answer: ConsulAnswer) => boolean = () => true

  changed(answer: ConsulAnswer): void {
    if (!this.accepts(answer)) throw new Error('not what was asked for')
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
  if (!Array.isArray(body)) return JSON.stringify(body)
  return body.map((entry: { ServicePort?: number }) => entry.ServicePort).join(' ')
}

export const web = { path: '/catalog/service/web', parameters: { dc: 'dc1' } }
