// Counts the requests of one scope. Called on every request: plain fields and typed arrays, nothing is allocated.
import { LatencyHistogram } from './latency-histogram.ts'
import type { Minutes } from './minutes.ts'
import type { ClientCounts, RequestsSnapshot, ServiceCounts } from './snapshot.ts'
import type { ClientStats, RequestResult, RequestStats, ServiceStats } from './stats.ts'
import { classOf, slotNames, slotOf, statusClasses } from './status-slots.ts'

const results = 3

/** `shared` counts too what a scope counts that is not shown by itself everywhere. */
export class RequestCounter<S extends RequestStats = RequestStats> implements RequestStats {
  protected readonly shared: S | undefined
  #active = 0
  #began = 0
  readonly #ended = new Float64Array(statusClasses.length * results)
  readonly #statuses = new Float64Array(slotNames.length)
  readonly #latency: LatencyHistogram

  constructor(minutes: Minutes, shared?: S) {
    this.shared = shared
    this.#latency = new LatencyHistogram(minutes)
  }

  began(): void {
    this.#active++
    this.#began++
    this.shared?.began()
  }

  ended(status: number, result: RequestResult, ms: number): void {
    this.#active--
    const kind = result === 'success' ? 0 : result === 'failure' ? 1 : 2
    const at = classOf(status) * results + kind
    const slot = slotOf(status)
    this.#ended[at] = (this.#ended[at] ?? 0) + 1
    this.#statuses[slot] = (this.#statuses[slot] ?? 0) + 1
    this.#latency.record(ms, kind)
    this.shared?.ended(status, result, ms)
  }

  requests(): RequestsSnapshot {
    const statuses: Record<string, number> = {}
    for (let slot = 0; slot < slotNames.length; slot++) {
      const count = this.#statuses[slot] ?? 0
      if (count > 0) statuses[slotNames[slot] ?? ''] = count
    }
    return {
      began: this.#began,
      active: this.#active,
      ended: [...this.#ended],
      statuses,
      latency: this.#latency.snapshot(),
    }
  }
}

export class ServiceCounter extends RequestCounter<ServiceStats> implements ServiceStats {
  #retries = 0
  #exhausted = 0

  retried(): void {
    this.#retries++
    this.shared?.retried()
  }

  budgetExhausted(): void {
    this.#exhausted++
    this.shared?.budgetExhausted()
  }

  counts(): ServiceCounts {
    return { retries: this.#retries, budgetExhausted: this.#exhausted }
  }
}

/** Requeues of all clients of a router. */
export interface RequeueTotal {
  requeues: number
}

export class ClientCounter extends RequestCounter<ClientStats> implements ClientStats {
  #requeues = 0
  #exhausted = 0
  #removals = 0
  #probes = 0
  #revivals = 0
  readonly #total: RequeueTotal

  constructor(minutes: Minutes, total: RequeueTotal, shared?: ClientStats) {
    super(minutes, shared)
    this.#total = total
  }

  requeued(): void {
    this.#requeues++
    if (this.shared === undefined) this.#total.requeues++
    else this.shared.requeued()
  }

  requeueBudgetExhausted(): void {
    this.#exhausted++
    this.shared?.requeueBudgetExhausted()
  }

  removed(): void {
    this.#removals++
    this.shared?.removed()
  }

  probed(): void {
    this.#probes++
    this.shared?.probed()
  }

  revived(): void {
    this.#revivals++
    this.shared?.revived()
  }

  counts(): ClientCounts {
    return {
      requeues: this.#requeues,
      requeueBudgetExhausted: this.#exhausted,
      removals: this.#removals,
      probes: this.#probes,
      revivals: this.#revivals,
    }
  }
}
