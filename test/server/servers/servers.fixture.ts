// A server called `self` over a memory store, on a clock and a network in the test's hand.
import { onTestFinished } from 'vitest'
import type { AppliedReport, AppliedScope, Disagreement, ServerState } from '../../../api/servers.ts'
import { createMetrics } from '../../../runtime/metrics.ts'
import type { SharedServers } from '../../../server/servers/shared-servers.ts'
import { createMemoryStore } from '../../../storage/memory/memory-store.ts'
import type { Presence, PresenceRecord, Store } from '../../../storage/store.ts'
import type { Cell, Kernel } from '../../../watch/cell.ts'
import { createKernel } from '../../../watch/kernel.ts'
import { failed } from '../../../watch/state.ts'
import { request } from '../../contract/store.contract.ts'
import { FakeClock } from '../../fakes/clock.fake.ts'
import { type LogLine, recordingLog } from '../../fakes/log.fake.ts'
import { appear, FakeNetwork, loneServer } from '../../fakes/servers.fake.ts'

export interface World {
  readonly clock: FakeClock
  readonly kernel: Kernel
  /** What is present and written; `self` hears of it as of any store. */
  readonly memory: Store
  readonly network: FakeNetwork
  readonly servers: SharedServers
  readonly log: readonly LogLine[]
  /** What the store was told that somebody goes by already, as `namespace version`. */
  readonly hints: string[]
  /** Makes a server present. */
  appear(id: string): Promise<Presence>
  /** The store does not say who is present any more; does again when undefined. */
  hidePresence(reason: Error | undefined): void
  /** Writes the next version of a namespace. */
  write(namespace: string): Promise<void>
  list(): readonly ServerState[]
  /** `id state`, the state being `replies` or the error. */
  states(): readonly string[]
  disagreements(): readonly Disagreement[]
  applied(namespace: string, version: number, scope: AppliedScope, timeoutMs?: number): Promise<AppliedReport>
}

/** Follows already; ended with the test. */
export function createWorld(address: string | undefined = 'self:1'): World {
  const clock = new FakeClock()
  const onError = (error: unknown): void => {
    throw error
  }
  const kernel = createKernel({ clock, onError })
  const log: LogLine[] = []
  const hints: string[] = []
  const memory = createMemoryStore({ kernel, clock })
  const noticed = (namespace: string, version: number): void => void hints.push(`${namespace} ${version}`)
  const hidden = kernel.input<Error | undefined>('why presence is hidden', { initial: undefined })
  const presence = kernel.derive<readonly PresenceRecord[]>('presence, or why not', read => {
    const reason = read(hidden)
    return reason.kind === 'ok' && reason.value !== undefined ? failed(reason.value) : read(memory.presence())
  })
  const store = { presence: () => presence, list: () => memory.list(), noticed }
  const network = new FakeNetwork()
  const env = { kernel, clock, random: () => 0.5, log: recordingLog(log), metrics: createMetrics() }
  const servers = loneServer(env, store, network)
  servers.start()
  servers.follow(address)
  onTestFinished(async () => {
    servers.close()
    await memory.close()
    kernel.close()
  })
  const now = <T>(cell: Cell<T>): T => {
    clock.settle()
    const state = cell.peek()
    if (state.kind !== 'ok') throw new Error(`${cell.name} is ${state.kind}`)
    return state.value
  }
  return {
    clock,
    kernel,
    memory,
    network,
    servers,
    log,
    hints,
    appear: async id => {
      const presence = await appear(memory, id)
      clock.settle()
      return presence
    },
    hidePresence: reason => {
      hidden.set(reason)
      clock.settle()
    },
    write: async namespace => {
      await memory.write(request(namespace, '/a => /b'))
      clock.settle()
    },
    list: () => now(servers.list()),
    states: () => now(servers.list()).map(({ id, error }) => `${id} ${error ?? 'replies'}`),
    disagreements: () => now(servers.disagreements()),
    applied: (namespace, version, scope, timeoutMs = 1_000) =>
      servers.whenApplied({ namespace, version, scope, timeoutMs, signal: new AbortController().signal }),
  }
}
