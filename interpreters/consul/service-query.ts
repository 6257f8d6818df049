// One service of one datacenter, asked for once whoever wants it and with whichever tag. Decides what is worth asking: an
// unlisted datacenter and one of very many absent services are not. Errors are passed on as errors and never as absence.
import type { ConsulAgent, ConsulQuery } from '../../clients/consul/agent.ts'
import { NamingError } from '../../naming/errors.ts'
import type { Cell } from '../../watch/cell.ts'
import type { Clock } from '../../watch/clock.ts'
import type { State } from '../../watch/state.ts'
import type { AbsentName, AbsentNames } from './absent-names.ts'
import type { ConsulMetrics } from './consul-metrics.ts'
import { decodeInstances, type Instance, type InstanceNeeds } from './instances.ts'
import { type Listener, Relay } from './relay.ts'
import type { Slots } from './slots.ts'

/** What all questions of one namer share. */
export interface QueryContext {
  readonly agent: ConsulAgent
  readonly clock: Clock
  readonly datacenters: Cell<ReadonlySet<string>>
  readonly absent: AbsentNames
  /** Places for what is asked for; what only waits to exist takes none. */
  readonly places: Slots
  readonly maxNames: number
  readonly needs: InstanceNeeds
  readonly metrics: ConsulMetrics
  queryOf(datacenter: string, service: string): ConsulQuery
}

/** A datacenter whose services were found before is believed to be gone only after so long off the list, in milliseconds. */
export const datacenterGoneMs = 60_000

/** What holds for one phase of a question is undone at its end. */
class Phase {
  #isOver = false
  readonly #undo: (() => void)[] = []

  get isOver(): boolean {
    return this.#isOver
  }

  /** Runs at the end; at once when that was before. */
  atEnd(undo: () => void): void {
    if (this.#isOver) undo()
    else this.#undo.push(undo)
  }

  end(): void {
    this.#isOver = true
    for (const undo of this.#undo.splice(0)) undo()
  }
}

const noInstances: readonly Instance[] = []

class ServiceQuery implements AbsentName {
  readonly service: string
  readonly #datacenter: string
  readonly #context: QueryContext
  readonly #relay = new Relay<readonly Instance[]>()
  #phase = new Phase()
  #isParked = false

  /** Asks nothing before `begin`. */
  constructor(context: QueryContext, datacenter: string, service: string) {
    this.#context = context
    this.#datacenter = datacenter
    this.service = service
  }

  get relay(): Relay<readonly Instance[]> {
    return this.#relay
  }

  /** Whether it asks nothing, because there is no such service or datacenter. */
  get isParked(): boolean {
    return this.#isParked
  }

  /** Its owner calls it once, and `end` at last. */
  begin(): void {
    this.#enter(phase => this.#findDatacenter(phase))
  }

  end(): void {
    this.#phase.end()
    this.#isNoAbsentee()
  }

  park(): void {
    this.#enter(phase => this.#waitForService(phase))
  }

  appeared(): void {
    this.#enter(phase => this.#ask(phase))
  }

  same(version?: string): void {
    this.#relay.same(version)
  }

  failed(error: Error, retryAt?: number): void {
    this.#relay.failed(error, retryAt)
  }

  #enter(begin: (phase: Phase) => void): void {
    this.#phase.end()
    this.#phase = new Phase()
    begin(this.#phase)
  }

  /** A list that cannot be read proves nothing: then Consul is asked, which tells the truth or fails. */
  #findDatacenter(phase: Phase): void {
    this.#watchDatacenters(phase, state => {
      if (state.kind === 'pending') return
      const isListed = state.kind !== 'ok' || state.value.has(this.#datacenter)
      if (!isListed) this.#enter(next => this.#waitForDatacenter(next))
      else if (this.#context.absent.isKnownAbsent(this.#datacenter, this.service)) this.park()
      else this.#enter(next => this.#ask(next))
    })
  }

  #waitForDatacenter(phase: Phase): void {
    this.#isNoAbsentee()
    this.#tellAbsence(phase)
    this.#watchDatacenters(phase, state => {
      if (state.kind !== 'ok') return
      if (state.value.has(this.#datacenter)) this.appeared()
      else if (state.stale === undefined) this.#relay.same()
      else this.#relay.failed(state.stale.reason)
    })
  }

  #waitForService(phase: Phase): void {
    this.#context.absent.park(this.#datacenter, this)
    phase.atEnd(() => this.#isNoAbsentee())
    this.#tellAbsence(phase)
  }

  #tellAbsence(phase: Phase): void {
    this.#isParked = true
    phase.atEnd(() => {
      this.#isParked = false
    })
    this.#relay.changed(noInstances)
  }

  #isNoAbsentee(): void {
    this.#context.absent.remove(this.#datacenter, this)
  }

  #ask(phase: Phase): void {
    const { agent, absent, needs, queryOf, metrics } = this.#context
    if (!this.#takePlace(phase)) return
    let trust: Phase | undefined
    const heard = (): void => {
      trust?.end()
      trust = undefined
    }
    phase.atEnd(heard)
    const stop = agent.follow(queryOf(this.#datacenter, this.service), {
      changed: ({ body, version, isFiltered, receivedAt }) => {
        const instances = decodeInstances(body, needs)
        if (isFiltered && instances.length === 0 && (this.#relay.known?.length ?? 0) > 0) throw hidden()
        heard()
        metrics.updated()
        this.#relay.changed(instances, { version, receivedAt })
        if (phase.isOver) return
        if (instances.length === 0) absent.add(this.#datacenter, this)
        else this.#isNoAbsentee()
      },
      same: version => {
        heard()
        this.#relay.same(version)
      },
      failed: (error, retryAt) => {
        metrics.failed()
        this.#relay.failed(error, retryAt)
        if (phase.isOver || trust !== undefined) return
        trust = new Phase()
        this.#doubtDatacenter(trust)
      },
    })
    phase.atEnd(stop)
  }

  /** While its question fails: whether that is because the datacenter is no more, which only the list can tell. */
  #doubtDatacenter(trust: Phase): void {
    const { clock } = this.#context
    const waitMs = this.#relay.known === undefined ? 0 : datacenterGoneMs
    const give = (): void => this.#enter(next => this.#waitForDatacenter(next))
    let cancel: (() => void) | undefined
    trust.atEnd(() => cancel?.())
    this.#watchDatacenters(trust, state => {
      const isGone = state.kind === 'ok' && state.stale === undefined && !state.value.has(this.#datacenter)
      if (!isGone) {
        cancel?.()
        cancel = undefined
      } else if (waitMs === 0) give()
      else cancel ??= clock.after(waitMs, give)
    })
  }

  #watchDatacenters(phase: Phase, take: (state: State<ReadonlySet<string>>) => void): void {
    const unwatch = this.#context.datacenters.watch(state => {
      if (!phase.isOver) take(state)
    })
    phase.atEnd(unwatch)
  }

  /** Whether there was a place; if not, the name fails for that reason and begins anew when there is one. */
  #takePlace(phase: Phase): boolean {
    const { places } = this.#context
    const retry = (): void => this.begin()
    if (places.take(retry)) {
      phase.atEnd(() => places.free())
      return true
    }
    phase.atEnd(() => places.forget(retry))
    this.#relay.failed(tooMany(this.#context.maxNames))
    return false
  }
}

/** That a token may no longer see any of them says nothing of whether they are there. */
function hidden(): NamingError {
  const message =
    'Consul leaves out every instance that it showed before: its ACLs no longer allow the token to read them; allow service:read and node:read'
  return new NamingError('namer-unavailable', message)
}

function tooMany(maxNames: number): NamingError {
  const message = `${maxNames} names are followed already; those go on, others have to wait; raise maxNames of this namer if they are real`
  return new NamingError('resource-exhausted', message)
}

/** Every question of one namer, each only while somebody wants it. */
export class ServiceQueries {
  readonly #context: QueryContext
  readonly #open = new Map<string, ServiceQuery>()

  constructor(context: QueryContext) {
    this.#context = context
  }

  /** Tells what Consul says of a service until the returned function is called; harmless when called twice. */
  join(datacenter: string, service: string, listener: Listener<readonly Instance[]>): () => void {
    const key = `${datacenter}\0${service}`
    const query = this.#open.get(key) ?? new ServiceQuery(this.#context, datacenter, service)
    const isNew = !this.#open.has(key)
    this.#open.set(key, query)
    query.relay.add(listener)
    if (isNew) query.begin()
    return () => {
      if (!query.relay.remove(listener) || this.#open.get(key) !== query) return
      this.#open.delete(key)
      query.end()
    }
  }

  /** How many of them ask nothing. */
  countParked(): number {
    return this.#open.values().reduce((count, { isParked }) => count + (isParked ? 1 : 0), 0)
  }

  close(): void {
    for (const query of this.#open.values()) query.end()
    this.#open.clear()
    this.#context.absent.close()
  }
}
