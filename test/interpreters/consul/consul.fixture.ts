// A Consul namer over a scripted agent, on a fake clock and with fake DNS.
import { onTestFinished } from 'vitest'
import type { ConsulAgent } from '../../../clients/consul/agent.ts'
import { consulConfig } from '../../../interpreters/consul/consul-config.ts'
import { createConsulNamer } from '../../../interpreters/consul/consul-namer.ts'
import type { Namer, NamerLeaf } from '../../../interpreters/namer.ts'
import type { NameTree } from '../../../naming/name-tree.ts'
import { parsePath } from '../../../naming/parse.ts'
import type { ReplicaSet } from '../../../naming/replica-set.ts'
import { orThrow } from '../../../naming/result.ts'
import { createSystemHostCells } from '../../../runtime/hosts/system-host-cells.ts'
import { createMetrics, type Metrics } from '../../../runtime/metrics.ts'
import type { Kernel } from '../../../watch/cell.ts'
import { createKernel } from '../../../watch/kernel.ts'
import type { State } from '../../../watch/state.ts'
import { FakeClock } from '../../fakes/clock.fake.ts'
import { FakeHostResolver } from '../../fakes/host-resolver.fake.ts'
import { type LogLine, recordingLog } from '../../fakes/log.fake.ts'
import { ScriptedAgent } from './scripted-agent.fake.ts'

export interface Seen<T> {
  readonly states: State<T>[]
  readonly last: State<T> | undefined
  stop(): void
}

export interface ConsulFixture {
  readonly clock: FakeClock
  readonly agent: ScriptedAgent
  readonly dns: FakeHostResolver
  readonly kernel: Kernel
  readonly metrics: Metrics
  readonly lines: LogLine[]
  readonly namer: Namer
  replicas(path: string): Seen<ReplicaSet>
  tree(path: string): Seen<NameTree<NamerLeaf>>
  /** Lets everything that was begun come to its end, without time passing. */
  settle(): Promise<void>
  /** The same, and time passes. */
  pass(ms: number): Promise<void>
}

export interface ConsulFixtureParts {
  readonly clock?: FakeClock
  /** In place of the scripted one; the namer closes it. */
  readonly agent?: ConsulAgent
}

/** Disposed at the end of the test. */
export function createConsulFixture(config: object = {}, parts: ConsulFixtureParts = {}): ConsulFixture {
  const { clock = new FakeClock() } = parts
  const agent = new ScriptedAgent(clock)
  const dns = new FakeHostResolver()
  const lines: LogLine[] = []
  const metrics = createMetrics()
  const kernel = createKernel({
    clock,
    onError: error => {
      throw error
    },
  })
  const hostsFile = { path: '/etc/hosts', stamp: async () => undefined, read: async () => '' }
  const hosts = createSystemHostCells({ kernel, clock, resolver: dns, hostsFile })
  const env = { kernel, clock, random: () => 0.5, log: recordingLog(lines), metrics }
  const namer = createConsulNamer(consulConfig.parse(config), { agent: parts.agent ?? agent, hosts }, env)
  onTestFinished(() => {
    namer.close()
    kernel.close()
  })
  const rest = (text: string) => orThrow(parsePath(text))
  const settle = async (): Promise<void> => {
    for (let i = 0; i < 4; i++) {
      await new Promise(setImmediate)
      clock.settle()
    }
  }
  return {
    clock,
    agent,
    dns,
    kernel,
    metrics,
    lines,
    namer,
    replicas: path => seenOf(namer.replicas([...namer.prefix, ...rest(path)])),
    tree: path => seenOf(kernel.derive(`tree ${path}`, read => namer.lookup(rest(path), read))),
    settle,
    pass: async ms => {
      await settle()
      clock.advance(ms)
      await settle()
    },
  }
}

function seenOf<T>(cell: { watch(watcher: (state: State<T>) => void): () => void }): Seen<T> {
  const states: State<T>[] = []
  const stop = cell.watch(state => states.push(state))
  return {
    states,
    stop,
    get last() {
      return states.at(-1)
    },
  }
}

/** Endpoints as `address:port`, with ` * weight` when it is not 1; otherwise the kind of what there is, `(stale)` when it is. */
export function shown(seen: Seen<ReplicaSet>): string {
  const { last } = seen
  if (last?.kind !== 'ok') return last?.kind ?? 'nothing'
  const stale = last.stale === undefined ? '' : ' (stale)'
  if (last.value.kind === 'neg') return `neg${stale}`
  const endpoints = last.value.endpoints.map(
    ({ address, port, weight }) => `${address}:${port}${weight === 1 ? '' : ` * ${weight}`}`,
  )
  return `${endpoints.join(' ') || 'none'}${stale}`
}

/** The kind of a lookup's answer, or of its state while there is none. */
export function shownTree(seen: Seen<NameTree<NamerLeaf>>): string {
  const { last } = seen
  return last?.kind === 'ok' ? last.value.kind : (last?.kind ?? 'nothing')
}

/** The n-th instance of a service. */
export function instance(service: string, n = 1, more: object = {}) {
  return { service, id: `${service}-${n}`, node: `node${n}`, address: `10.0.0.${n}`, port: 80, ...more }
}
