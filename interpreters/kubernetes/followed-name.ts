// One name while it is followed: on any change of an input the whole is computed anew and told. Knows not what is computed.
import { replicaSetEquals } from '../../naming/replica-set-equals.ts'
import type { HostCells } from '../../runtime/hosts/host-cells.ts'
import type { Cancel, Clock } from '../../watch/clock.ts'
import type { Found, FoundFacts, FoundSink } from '../discovery.ts'
import type { ObjectFacts, ObjectsFollower } from './followed-service.ts'
import type { AddressesOf } from './found-endpoints.ts'
import type { KubernetesMetrics } from './kubernetes-metrics.ts'
import { LiveInput } from './live-input.ts'
import { WatchedHosts } from './watched-hosts.ts'

/** How a name is computed from its inputs as they are now. */
export interface NameRule {
  /** The host names that its endpoints hang on; addresses among them cost nothing. */
  hosts(): Iterable<string>
  /** Undefined while an input that it needs was never answered. */
  find(addressesOf: AddressesOf): Found | undefined
  /** Why what is found is not the whole truth. */
  doubt?(): Error | undefined
  /** When the newest change happened, in ms since 1970. */
  triggeredAt?(): number | undefined
}

export interface FollowedNameOptions {
  readonly sink: FoundSink
  readonly hosts: Pick<HostCells, 'live'>
  readonly clock: Clock
  readonly metrics: KubernetesMetrics
}

/**
 * After a change of what is found the next computation comes no sooner, in milliseconds: a rolling restart of a large
 * service is told slice by slice, and each computation is over all of them.
 */
const spacingMs = 100

interface Problem {
  readonly error: Error
  readonly retryAt?: number
}

/** `add` its inputs, then `start` it once. */
export class FollowedName {
  readonly #options: FollowedNameOptions
  readonly #hosts: WatchedHosts
  readonly #inputs: { readonly input: LiveInput<unknown>; readonly begin: () => () => void }[] = []
  #rule: NameRule | undefined
  #told: Found | undefined
  #triggeredAt: number | undefined
  #mayComputeAt = Number.NEGATIVE_INFINITY
  #waiting: ObjectFacts | undefined
  #cancelWait: Cancel | undefined

  constructor(options: FollowedNameOptions) {
    this.#options = options
    this.#hosts = new WatchedHosts(options.hosts, () => this.#changed())
  }

  /** An input that `follow` feeds from the start on. */
  add<T>(follow: (follower: ObjectsFollower<T>) => () => void): LiveInput<T> {
    const input = new LiveInput<T>({
      changed: facts => this.#changed(facts),
      contact: version => {
        if (this.#problem() === undefined) this.#options.sink.contact(version)
      },
      failed: () => {
        if (this.#rule !== undefined) this.#tellProblem()
      },
    })
    this.#inputs.push({ input, begin: () => follow(input) })
    return input
  }

  /** Ends by the returned function. */
  start(rule: NameRule): () => void {
    const leaves = this.#inputs.map(({ begin }) => begin())
    this.#rule = rule
    this.#tell(rule)
    return () => {
      this.#cancelWait?.()
      for (const leave of leaves) leave()
      this.#hosts.close()
    }
  }

  #changed(facts?: ObjectFacts): void {
    const rule = this.#rule
    if (rule === undefined) return
    const leftMs = this.#mayComputeAt - this.#options.clock.monotonic()
    if (leftMs <= 0) {
      this.#tell(rule, facts)
      return
    }
    // The lag is counted from the first change that waits.
    this.#waiting = this.#waiting === undefined ? facts : { ...this.#waiting, ...(facts && { version: facts.version }) }
    this.#cancelWait ??= this.#options.clock.after(leftMs, () => this.#tell(rule, this.#waiting))
  }

  #tell(rule: NameRule, facts?: ObjectFacts): void {
    this.#cancelWait?.()
    this.#cancelWait = this.#waiting = undefined
    const found = this.#find(rule)
    if (found === undefined || this.#isUnknown(found)) this.#tellProblem()
    else this.#tellFound(rule, found, facts)
  }

  /** That no host name has been looked up, or can be, is no word of anybody that there are no endpoints. */
  #isUnknown({ exists, endpoints }: Found): boolean {
    const { areAnswered, failure } = this.#hosts
    return exists && endpoints.length === 0 && (!areAnswered || failure !== undefined)
  }

  #tellFound(rule: NameRule, found: Found, facts: ObjectFacts | undefined): void {
    const flaw = this.#problem()?.error
    if (this.#told !== undefined && !isSameFound(this.#told, found))
      this.#mayComputeAt = this.#options.clock.monotonic() + spacingMs
    this.#options.sink.set(flaw === undefined ? found : { ...found, flaw }, this.#factsOf(rule, facts))
    this.#told = found
  }

  #tellProblem(): void {
    const problem = this.#problem()
    if (problem === undefined) return
    this.#options.metrics.failed()
    this.#options.sink.fail(problem.error, problem.retryAt)
  }

  /** What was never told waits for its host names, so that it does not begin with a part of its endpoints. */
  #find(rule: NameRule): Found | undefined {
    this.#hosts.keep(rule.hosts())
    if (this.#told === undefined && !this.#hosts.areAnswered) return undefined
    this.#options.metrics.computed()
    return rule.find(this.#hosts.addressesOf)
  }

  #problem(): Problem | undefined {
    for (const { input } of this.#inputs) if (input.failure !== undefined) return input.failure
    const error = this.#hosts.failure ?? this.#rule?.doubt?.()
    return error === undefined ? undefined : { error }
  }

  /** The time of a change is told once; what was there from the start is no change. */
  #factsOf(rule: NameRule, facts: ObjectFacts | undefined): FoundFacts {
    const triggeredAt = rule.triggeredAt?.()
    const isNews = this.#told !== undefined && triggeredAt !== undefined && triggeredAt > (this.#triggeredAt ?? 0)
    this.#triggeredAt = triggeredAt ?? this.#triggeredAt
    return {
      ...(facts?.version !== undefined && { version: facts.version }),
      ...(facts?.receivedAt !== undefined && { receivedAt: facts.receivedAt }),
      ...(isNews && { triggeredAt }),
    }
  }
}

function isSameFound(a: Found, b: Found): boolean {
  return a.exists === b.exists && replicaSetEquals({ kind: 'bound', ...a }, { kind: 'bound', ...b })
}
