// A namer of each Kubernetes kind over a cluster in memory, on a clock that stands still.
import { setImmediate as nextTurn } from 'node:timers/promises'
import { onTestFinished } from 'vitest'
import { createEndpointsNamer, type EndpointsNamerOptions } from '../../../interpreters/kubernetes/endpoints-namer.ts'
import { createExternalNamer } from '../../../interpreters/kubernetes/external-namer.ts'
import type { Namer } from '../../../interpreters/namer.ts'
import { parsePath } from '../../../naming/parse.ts'
import type { Path } from '../../../naming/path.ts'
import type { ReplicaSet } from '../../../naming/replica-set.ts'
import { orThrow } from '../../../naming/result.ts'
import { createSystemHostCells } from '../../../runtime/hosts/system-host-cells.ts'
import { createMetrics, type Metrics } from '../../../runtime/metrics.ts'
import type { Kernel, SourceReport } from '../../../watch/cell.ts'
import { createKernel } from '../../../watch/kernel.ts'
import type { State } from '../../../watch/state.ts'
import { FakeClock } from '../../fakes/clock.fake.ts'
import { FakeHostResolver } from '../../fakes/host-resolver.fake.ts'
import { FakeCluster } from '../../fakes/kubernetes-cluster.fake.ts'
import { type LogLine, recordingLog } from '../../fakes/log.fake.ts'

export interface WorldOptions {
  readonly external?: boolean
  /** Fixed, as for io.l5d.k8s.ns. */
  readonly namespace?: string
  readonly labelKey?: string
  readonly terminating?: EndpointsNamerOptions['terminating']
  readonly maxObjects?: number
  readonly maxNamespaces?: number
  readonly rule?: Partial<EndpointsNamerOptions['rule']>
}

const names = { endpoints: 'io.l5d.k8s', ownNamespace: 'io.l5d.k8s.ns', external: 'io.l5d.k8s.external' }

/** Everything is undone at the end of the test. A name without endpoints stays bound unless the rule says otherwise. */
export class KubernetesWorld {
  readonly clock = new FakeClock()
  readonly cluster = new FakeCluster(this.clock)
  readonly resolver = new FakeHostResolver()
  readonly metrics: Metrics = createMetrics()
  readonly lines: LogLine[] = []
  /** What happened to sources, such as `failed io.l5d.k8s prod/http/web`. */
  readonly events: string[] = []
  readonly kernel: Kernel
  readonly namer: Namer

  constructor(options: WorldOptions = {}) {
    const { clock, cluster, metrics } = this
    this.kernel = createKernel({
      clock,
      onError: error => {
        throw error
      },
      onSource: ({ kind, source }) => this.events.push(`${kind} ${source}`),
    })
    const env = { kernel: this.kernel, clock, random: () => 0, log: recordingLog(this.lines), metrics }
    const kind = options.external ? names.external : options.namespace ? names.ownNamespace : names.endpoints
    const hostsFile = { path: '/none', stamp: async () => undefined, read: async () => '' }
    const shared = {
      kind,
      prefix: ['#', kind],
      rule: { emptyIsNeg: false, emptyHoldDownMs: 0, massEmpty: false as const, ...options.rule },
      shape: { hasLabel: options.labelKey !== undefined, ...(options.namespace && { namespace: options.namespace }) },
      cluster,
      hosts: createSystemHostCells({ kernel: this.kernel, clock, resolver: this.resolver, hostsFile }),
      maxObjects: options.maxObjects ?? 100_000,
      maxNamespaces: options.maxNamespaces ?? 100,
      ...(options.labelKey && { labelKey: options.labelKey }),
    }
    this.namer = options.external
      ? createExternalNamer(shared, env)
      : createEndpointsNamer({ ...shared, terminating: options.terminating ?? 'drop' }, env)
    onTestFinished(() => this.dispose())
  }

  dispose(): void {
    this.namer.close()
    this.kernel.close()
  }

  /** Until the fake server has been heard, promises and deliveries included. */
  async settle(): Promise<void> {
    for (let i = 0; i < 5; i++) {
      this.clock.settle()
      await nextTurn()
    }
    this.clock.settle()
  }

  /** As `settle`, then past the spacing of publications. */
  async pass(ms = 100): Promise<void> {
    await this.settle()
    this.clock.advance(ms)
    await this.settle()
  }

  pathOf(text: string): Path {
    return orThrow(parsePath(text))
  }

  /** What a name's endpoints are, watched from now on. */
  replicas(text: string): Seen {
    return new Seen(watcher => this.namer.replicas([...this.namer.prefix, ...this.pathOf(text)]).watch(watcher))
  }

  /** `neg`, or the id and the residual, watched from now on. */
  tree(text: string): { readonly last: string; readonly count: number; stop(): void } {
    const cell = this.kernel.derive(`tree ${text}`, read => this.namer.lookup(this.pathOf(text), read))
    const seen: string[] = []
    const stop = cell.watch(state => {
      if (state.kind !== 'ok') seen.push(state.kind)
      else if (state.value.kind !== 'leaf' || state.value.value.kind !== 'bound') seen.push(state.value.kind)
      else seen.push(`/${state.value.value.id.join('/')} + /${state.value.value.residual.join('/')}`)
    })
    return {
      get last() {
        return seen.at(-1) ?? 'nothing'
      },
      get count() {
        return seen.length
      },
      stop,
    }
  }

  /** What /state says of a name's source. */
  report(name: string): SourceReport | undefined {
    return this.kernel.sources().find(source => source.name.endsWith(` ${name}`))
  }

  /** Of a series with its labels; undefined when there is none. */
  async metric(series: string): Promise<number | undefined> {
    const { body } = await this.metrics.expose()
    const line = body.split('\n').find(text => text.startsWith(`${series} `))
    return line === undefined ? undefined : Number(line.slice(series.length))
  }
}

/** The states of one name's endpoints. */
export class Seen {
  readonly states: State<ReplicaSet>[] = []
  readonly stop: () => void

  constructor(watch: (watcher: (state: State<ReplicaSet>) => void) => () => void) {
    this.stop = watch(state => void this.states.push(state))
  }

  get last(): State<ReplicaSet> | undefined {
    return this.states.at(-1)
  }

  get shown(): string {
    return showState(this.last)
  }
}

/** `pending`, `failed: why`, `neg`, or addresses with ports, ` (stale: why)` after them. */
export function showState(state: State<ReplicaSet> | undefined): string {
  if (state === undefined || state.kind === 'pending') return 'pending'
  if (state.kind === 'failed') return `failed: ${state.error.message}`
  const value = state.value.kind === 'neg' ? 'neg' : showEndpoints(state.value)
  return state.stale === undefined ? value : `${value} (stale: ${state.stale.reason.message})`
}

function showEndpoints({ endpoints }: Extract<ReplicaSet, { kind: 'bound' }>): string {
  return endpoints.length === 0 ? 'none' : endpoints.map(({ address, port }) => `${address}:${port}`).join(' ')
}
