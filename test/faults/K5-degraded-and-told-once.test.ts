// K5, as an operator sees it: while an API server fails, in whatever way, the source is degraded with the reason and since
// when, and the log has one line for the failure and one for its end, however many names there are.
import { setImmediate as nextTurn } from 'node:timers/promises'
import { describe, expect, it } from 'vitest'
import { createEndpointsNamer } from '../../interpreters/kubernetes/endpoints-namer.ts'
import { createSystemHostCells } from '../../runtime/hosts/system-host-cells.ts'
import { createMetrics } from '../../runtime/metrics.ts'
import { SourceLog } from '../../server/source-log.ts'
import { createSources } from '../../server/sources.ts'
import { createKernel } from '../../watch/kernel.ts'
import { Rig } from '../clients/kubernetes/rig.fixture.ts'
import { FakeHostResolver } from '../fakes/host-resolver.fake.ts'
import { type LogLine, recordingLog } from '../fakes/log.fake.ts'

const kind = 'io.l5d.k8s'
const path = '/apis/discovery.k8s.io/v1/namespaces/prod/endpointslices'
/** Many times what a request and its answer take. */
const turnsPerSecond = 50
/** More than have a watch each. */
const count = 15

function slice(n: number) {
  return {
    metadata: { name: `s${n}-a`, namespace: 'prod', labels: { 'kubernetes.io/service-name': `s${n}` } },
    addressType: 'IPv4',
    ports: [{ name: 'http', port: 80 }],
    endpoints: [{ addresses: [`10.0.0.${n}`], conditions: { ready: true } }],
  }
}

class Server implements AsyncDisposable {
  readonly rig: Rig
  readonly lines: LogLine[] = []
  readonly metrics = createMetrics()
  readonly #log: SourceLog
  readonly #kernel
  readonly #namer
  readonly sources

  constructor(rig: Rig) {
    const { clock, cluster } = rig
    const log = recordingLog(this.lines)
    this.rig = rig
    this.#log = new SourceLog({ log, metrics: this.metrics, clock })
    const onError = (error: unknown): never => {
      throw error
    }
    this.#kernel = createKernel({ clock, onError, onSource: this.#log.note })
    const hostsFile = { path: '/none', stamp: async () => undefined, read: async () => '' }
    const hosts = createSystemHostCells({ kernel: this.#kernel, clock, resolver: new FakeHostResolver(), hostsFile })
    const rule = { emptyIsNeg: true, emptyHoldDownMs: 0, massEmpty: false } as const
    const options = {
      kind,
      prefix: ['#', kind],
      rule,
      shape: { hasLabel: false },
      cluster,
      hosts,
      maxObjects: 1000,
      maxNamespaces: 10,
    }
    const env = { kernel: this.#kernel, clock, random: () => 0, log, metrics: this.metrics }
    this.#namer = createEndpointsNamer({ ...options, terminating: 'drop' }, env)
    const namers = [{ kind, namer: this.#namer }]
    this.sources = createSources({ ...env, namers, storageKind: 'inMemory' })
    for (let n = 0; n < count; n++) this.#namer.replicas(['#', kind, 'prod', 'http', `s${n}`]).watch(() => {})
  }

  get summary() {
    return this.sources.list()[0]
  }

  /** What the log says to people. */
  get said(): readonly LogLine[] {
    return this.lines.filter(({ level }) => level !== 'debug')
  }

  async degraded(): Promise<string | undefined> {
    const { body } = await this.metrics.expose()
    return body
      .split('\n')
      .find(line => line.startsWith(`source_degraded{source="${kind}"}`))
      ?.at(-1)
  }

  /** Time passes by seconds, in each of which what is sent is answered, until the condition holds. */
  async passUntil(isReached: () => boolean): Promise<void> {
    for (let turns = 1; !isReached(); turns++) {
      if (turns % turnsPerSecond === 0) this.rig.clock.advance(1_000)
      await nextTurn()
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#namer.close()
    this.#kernel.close()
    this.#log.close()
    await this.rig[Symbol.asyncDispose]()
  }
}

describe('K5: a source that fails is degraded, and the log says so once', () => {
  it.each([401, 403, 404, 409, 429, 500, 503])('by status %i', async status => {
    const rig = await Rig.start()
    for (let n = 0; n < count; n++) rig.api.put(path, slice(n))
    await using server = new Server(rig)
    await server.passUntil(() => server.summary?.counts.ok === count)
    expect(await server.degraded()).toBe('0')

    rig.api.fail({ kind: 'status', status })
    rig.api.endWatches()
    await server.passUntil(() => server.summary?.counts.stale === count)
    const failedAt = rig.clock.now()
    await server.passUntil(() => rig.clock.now() >= failedAt + 60_000)
    expect(await server.degraded()).toBe('1')
    expect(server.summary).toMatchObject({ state: 'degraded', lastError: expect.stringContaining(String(status)) })
    expect(server.summary?.failingSince).toBeLessThanOrEqual(failedAt)
    expect(server.said).toMatchObject([{ level: 'warn', facts: { source: kind, failing: count } }])

    rig.api.heal()
    await server.passUntil(() => server.summary?.counts.ok === count)
    expect(await server.degraded()).toBe('0')
    await server.passUntil(() => server.said.length > 1)
    expect(server.said.slice(1)).toMatchObject([{ level: 'info', message: 'the source is back' }])
  })
})
