// A Consul namer over a fake agent that is spoken to by real HTTP, on a fake clock.
import { onTestFinished } from 'vitest'
import { createConsulAgent } from '../../../clients/consul/consul-agent.ts'
import type { ConsulAgentOptions } from '../../../clients/consul/options.ts'
import { FakeClock } from '../../fakes/clock.fake.ts'
import { FakeConsulAgent } from '../../fakes/consul-agent.fake.ts'
import { type ConsulFixture, createConsulFixture } from './consul.fixture.ts'

export interface HttpFixture extends Omit<ConsulFixture, 'agent'> {
  readonly agent: FakeConsulAgent
  /** Turns of the event loop, and of the clock, until the condition holds; the test's own limit ends a wait in vain. */
  until(condition: () => boolean): Promise<void>
}

/** How far the clock moves at each turn, in milliseconds. */
const stepMs = 50

/** Disposed at the end of the test. */
export async function createHttpFixture(
  config: object = {},
  connection: Partial<ConsulAgentOptions> = {},
): Promise<HttpFixture> {
  const clock = new FakeClock()
  const agent = await FakeConsulAgent.start(clock)
  const connected = { host: '127.0.0.1', port: agent.port, clock, random: () => 0.5, ...connection }
  const fixture = createConsulFixture(config, { clock, agent: createConsulAgent(connected) })
  onTestFinished(() => agent.stop())
  return {
    ...fixture,
    agent,
    until: async condition => {
      while (!condition()) {
        for (let i = 0; i < 4; i++) await new Promise(setImmediate)
        clock.advance(stepMs)
      }
    },
  }
}
