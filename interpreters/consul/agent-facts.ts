// What every name may need to know of the agent: its own datacenter and domain, and the datacenters that there are. Each is
// asked for while somebody watches. Knows nothing of services.

import type { ConsulAgent, ConsulSelf } from '../../clients/consul/agent.ts'
import { NamingError } from '../../naming/errors.ts'
import type { Env } from '../../runtime/env.ts'
import type { Cell, Sink } from '../../watch/cell.ts'
import { pause } from '../../watch/pause.ts'
import { runSourceLoop } from '../../watch/source-loop.ts'

export interface AgentFacts {
  /** Asked until it is known, then kept: an agent does not move. */
  readonly self: Cell<ConsulSelf>
  /** Read again every `datacentersEveryMs` while watched. */
  readonly datacenters: Cell<ReadonlySet<string>>
}

/** The agent as people know it: for messages and for the lists of sources. */
export interface AgentFactsOptions {
  readonly agent: ConsulAgent
  readonly where: string
  readonly group: string
}

export const datacentersEveryMs = 30_000
/** The list of datacenters stays followed for a while, so that new names need not wait for it. */
const lingerMs = 60_000
const backoff = { minMs: 100, maxMs: 10_000 }

export function createAgentFacts({ agent, where, group }: AgentFactsOptions, env: Env): AgentFacts {
  const { kernel, clock } = env
  let self: ConsulSelf | undefined
  const askSelf = async (sink: Sink<ConsulSelf>, signal: AbortSignal): Promise<void> => {
    self ??= await agent.self()
    sink.set(self)
    await ended(signal)
  }
  const askDatacenters = async (sink: Sink<ReadonlySet<string>>, signal: AbortSignal): Promise<void> => {
    sink.set(new Set(await agent.datacenters()))
    await pause(clock, datacentersEveryMs, signal)
  }
  const follow =
    <T>(what: string, ask: (sink: Sink<T>, signal: AbortSignal) => Promise<void>) =>
    (sink: Sink<T>): (() => void) =>
      runSourceLoop({
        clock,
        random: env.random,
        backoff,
        attempt: (signal, succeeded) => {
          const set = (value: T): void => {
            succeeded()
            sink.set(value)
          }
          return ask({ ...sink, set }, signal)
        },
        onError: (error, retryAt) => sink.fail(unavailable(where, what, error), retryAt),
      })
  return {
    self: kernel.source(`consul agent ${where}`, follow('its own datacenter', askSelf), { lingerMs, group }),
    datacenters: kernel.source(`consul datacenters ${where}`, follow('the datacenters', askDatacenters), {
      lingerMs,
      group,
      equals: sameMembers,
    }),
  }
}

function unavailable(where: string, what: string, cause: unknown): NamingError {
  const why = cause instanceof Error ? cause.message : String(cause)
  return new NamingError('namer-unavailable', `the Consul agent at ${where} does not tell ${what}: ${why}`, { cause })
}

function sameMembers(a: ReadonlySet<string>, b: ReadonlySet<string>): boolean {
  return a.size === b.size && a.isSubsetOf(b)
}

function ended(signal: AbortSignal): Promise<void> {
  if (signal.aborted) return Promise.resolve()
  return new Promise(resolve => signal.addEventListener('abort', () => resolve(), { once: true }))
}
