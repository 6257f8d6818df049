// What several processes of a proxy count together, over time: no count goes back because one of them forgot a name that
// another still has, or ended. Knows no processes but by number.
import { coarseBounds } from './latency-buckets.ts'
import { countsOf, mergeSnapshots, scopeKey } from './merge-snapshots.ts'
import type {
  ClientSnapshot,
  RequestsSnapshot,
  RouterSnapshot,
  ServiceSnapshot,
  TelemetrySnapshot,
} from './snapshot.ts'
import { statusClasses } from './status-slots.ts'

export class MergedTelemetry {
  readonly #last = new Map<number, TelemetrySnapshot>()
  /** Counts of processes that ended, and of scopes that one process gave up; names that nobody has any more are dropped. */
  #lost: TelemetrySnapshot | undefined

  /** The newest of one process, in place of what it told before. */
  take(process: number, snapshot: TelemetrySnapshot): void {
    const before = this.#last.get(process)
    if (before !== undefined) this.#lose(givenUp(before, snapshot))
    this.#last.set(process, snapshot)
  }

  /** The process has ended; what it told last is what it has counted. */
  end(process: number): void {
    const before = this.#last.get(process)
    if (before !== undefined) this.#lose(countsOf(before))
    this.#last.delete(process)
  }

  /** Of all processes, those that ended included; undefined before the first told anything. */
  merged(): TelemetrySnapshot | undefined {
    const present = [...this.#last.values()]
    this.#lost = this.#lost && keptBySomebody(this.#lost, present)
    return mergeSnapshots(this.#lost === undefined ? present : [...present, this.#lost])
  }

  #lose(counts: TelemetrySnapshot): void {
    const lost = this.#lost
    // What was seen recently is told by who is there.
    this.#lost = { ...(mergeSnapshots(lost === undefined ? [counts] : [lost, counts]) ?? counts), recent: [] }
  }
}

/** The scopes that a process had and has no more, or has begun anew. */
function givenUp(before: TelemetrySnapshot, after: TelemetrySnapshot): TelemetrySnapshot {
  const routers = before.routers.map(router => {
    const next = after.routers.find(({ label }) => label === router.label)
    const [services, clients] = [byKey(next?.services), byKey(next?.clients)]
    return {
      ...emptyRouter(router.label),
      services: router.services.filter(service => isGivenUp(service, services)),
      clients: router.clients.filter(client => isGivenUp(client, clients)),
    }
  })
  return countsOf({ ...before, routers })
}

type Scope = Pick<ServiceSnapshot, 'name' | 'hasSeries' | 'serial'>

function isGivenUp(scope: Scope, next: ReadonlyMap<string, Scope>): boolean {
  return next.get(scopeKey(scope))?.serial !== scope.serial
}

function byKey(scopes: readonly Scope[] = []): ReadonlyMap<string, Scope> {
  return new Map(scopes.map(scope => [scopeKey(scope), scope]))
}

function keptBySomebody(lost: TelemetrySnapshot, present: readonly TelemetrySnapshot[]): TelemetrySnapshot {
  const routers = lost.routers.map(router => {
    const same = present.flatMap(({ routers }) => routers.filter(({ label }) => label === router.label))
    const services = new Set(same.flatMap(({ services }) => services.map(scopeKey)))
    const clients = new Set(same.flatMap(({ clients }) => clients.map(scopeKey)))
    return {
      ...router,
      services: router.services.filter(service => services.has(scopeKey(service))),
      clients: router.clients.filter(client => clients.has(scopeKey(client))),
    }
  })
  return { ...lost, routers }
}

function emptyRouter(label: string): RouterSnapshot {
  return {
    label,
    active: 0,
    failures: {},
    requeues: 0,
    servers: [],
    services: [],
    clients: [],
    otherServices: emptyService,
    otherClients: emptyClient,
    bindings: { size: 0, evicts: 0, expires: 0 },
    clientCache: { size: 0, evicts: 0, expires: 0 },
    logLinesDropped: 0,
  }
}

const emptyRequests: RequestsSnapshot = {
  began: 0,
  active: 0,
  ended: Array.from({ length: statusClasses.length * 3 }, () => 0),
  statuses: {},
  latency: {
    sumMs: 0,
    coarse: Array.from({ length: coarseBounds.length + 1 }, () => 0),
    recent: [],
    recentSumMs: 0,
    recentMaxMs: 0,
    recentSuccesses: 0,
    recentFailures: 0,
  },
}

const emptyService: ServiceSnapshot = {
  name: 'other',
  hasSeries: true,
  serial: 0,
  requests: emptyRequests,
  retries: 0,
  budgetExhausted: 0,
}

const emptyClient: ClientSnapshot = {
  name: 'other',
  hasSeries: true,
  serial: 0,
  requests: emptyRequests,
  requeues: 0,
  requeueBudgetExhausted: 0,
  removals: 0,
  probes: 0,
  revivals: 0,
}
