import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { MergedTelemetry } from '../../../proxy-client/telemetry/merged-telemetry.ts'
import type { TelemetrySnapshot } from '../../../proxy-client/telemetry/snapshot.ts'
import { createTestMeter, type TestMeter } from './meter.fixture.ts'

const workers = [0, 1, 2]

/** Three processes that count, forget names and end, and are asked for all they know after each step. */
class Fleet {
  readonly merged = new MergedTelemetry()
  readonly #meters = new Map<number, TestMeter>()
  total = 0

  use(worker: number, name: string): void {
    const { meter } = this.#meterOf(worker)
    for (const stats of [meter.server('127.0.0.1:4140'), meter.service(name), meter.client(name)]) {
      stats.began()
      stats.ended(200, 'success', 5)
    }
    this.total++
  }

  forget(worker: number, name: string): void {
    const meter = this.#meters.get(worker)?.meter
    for (let i = 0; i < 50; i++) {
      meter?.releaseService(name)
      meter?.releaseClient(name)
    }
  }

  end(worker: number): void {
    this.look()
    this.#meters.delete(worker)
    this.merged.end(worker)
  }

  look(): TelemetrySnapshot | undefined {
    for (const [worker, meter] of this.#meters) this.merged.take(worker, meter.snapshot())
    return this.merged.merged()
  }

  #meterOf(worker: number): TestMeter {
    const known = this.#meters.get(worker)
    if (known !== undefined) return known
    const made = createTestMeter({ maxSeries: 1 })
    this.#meters.set(worker, made)
    return made
  }
}

const worker = fc.constantFrom(...workers)
const name = fc.constantFrom('/svc/a', '/svc/b')
const step = fc.oneof(
  { weight: 5, arbitrary: fc.record({ kind: fc.constant('use' as const), worker, name }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('forget' as const), worker, name }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('end' as const), worker, name }) },
)

function countsOfNames(snapshot: TelemetrySnapshot | undefined): ReadonlyMap<string, number> {
  return new Map(
    snapshot?.routers[0]?.services.flatMap(({ name, hasSeries, requests }) =>
      hasSeries ? [[name, requests.began]] : [],
    ),
  )
}

describe('the telemetry of several processes', () => {
  it('never lets the count of a name go back while somebody has it, nor that of a listener at all', () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 40 }), steps => {
        const fleet = new Fleet()
        let before = countsOfNames(undefined)
        let total = 0
        for (const { kind, worker, name } of steps) {
          fleet[kind](worker, name)
          const snapshot = fleet.look()
          const now = countsOfNames(snapshot)
          for (const [each, count] of now) if (count < (before.get(each) ?? 0)) return false
          before = now
          const served = snapshot?.routers[0]?.servers[0]?.requests.began ?? 0
          if (served !== fleet.total || served < total) return false
          total = served
        }
        return true
      }),
      { seed: 5, numRuns: 300 },
    )
  })

  it('forgets a name that no process has any more', () => {
    const fleet = new Fleet()
    fleet.use(0, '/svc/a')
    fleet.use(1, '/svc/a')
    fleet.look()
    fleet.forget(0, '/svc/a')
    expect(countsOfNames(fleet.look())).toEqual(new Map([['/svc/a', 2]]))
    fleet.forget(1, '/svc/a')
    expect(countsOfNames(fleet.look())).toEqual(new Map())
    fleet.use(0, '/svc/a')
    expect(countsOfNames(fleet.look())).toEqual(new Map([['/svc/a', 1]]))
  })

  it('keeps what a process counted of a name that it forgot and began anew since it was asked', () => {
    const merged = new MergedTelemetry()
    const [one, other] = [createTestMeter(), createTestMeter()]
    const failures = (): number | undefined => {
      merged.take(0, one.snapshot())
      merged.take(1, other.snapshot())
      return merged.merged()?.routers[0]?.services[0]?.requests.statuses['500']
    }
    for (const { meter } of [one, other]) {
      const service = meter.service('/svc/a')
      service.began()
      service.ended(500, 'failure', 1)
    }
    expect(failures()).toBe(2)
    one.meter.releaseService('/svc/a')
    const anew = one.meter.service('/svc/a')
    for (let i = 0; i < 3; i++) {
      anew.began()
      anew.ended(200, 'success', 1)
    }
    expect(failures()).toBe(2)
  })

  it('tells nothing before anybody has', () => {
    expect(new MergedTelemetry().merged()).toBeUndefined()
  })

  it('counts the processes that are there', () => {
    const fleet = new Fleet()
    for (const worker of workers) fleet.use(worker, '/svc/a')
    expect(fleet.look()?.processes).toBe(3)
    fleet.end(1)
    const left = fleet.look()
    expect([left?.processes, left?.routers[0]?.servers[0]?.requests.latency.recent]).toEqual([
      2,
      [expect.any(Number), 2],
    ])
  })
})
