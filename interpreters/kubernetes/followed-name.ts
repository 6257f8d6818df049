// One name while it is followed: on any change of an input the whole is computed anew and told. Knows not what is computed.
import { replicaSetEquals } from '../../naming/replica-set-equals.ts'
import type { HostCells } from '../../runtime/hosts/host-cells.ts'
import type { Found, FoundFacts, FoundSink } from '../discovery.ts'
import type { ObjectFacts, ObjectsFollower } from './followed-service.ts'
import type { AddressesOf } from './found-endpoints.ts'
import type { KubernetesMetrics } from './kubernetes-metrics.ts'
import { LiveInput } from './live-input.ts'
import { WatchedHosts } from './watched-hosts.ts'

/** How a name is computed from its inputs as they are now. */
export interface NameRule {
  /** The hosts among its endpoints; addresses are hosts too. */
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
  readonly metrics: KubernetesMetrics
}

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

  constructor(options: FollowedNameOptions) {
    this.#options = options
    this.#hosts = new WatchedHosts(options.hosts, () => this.#tell())
  }

  /** An input that `follow` feeds from the start on. */
  add<T>(follow: (follower: ObjectsFollower<T>) => () => void): LiveInput<T> {
    const input = new LiveInput<T>(
      facts => this.#tell(facts),
      version => {
        if (this.#problem() === undefined) this.#options.sink.contact(version)
      },
    )
    this.#inputs.push({ input, begin: () => follow(input) })
    return input
  }

  /** Ends by the returned function. */
  start(rule: NameRule): () => void {
    const leaves = this.#inputs.map(({ begin }) => begin())
    this.#rule = rule
    this.#tell()
    return () => {
      for (const leave of leaves) leave()
      this.#hosts.close()
    }
  }

  #tell(facts?: ObjectFacts): void {
    if (this.#rule === undefined) return
    const found = this.#find(this.#rule)
    const problem = this.#problem()
    if (found !== undefined && !(problem !== undefined && this.#isTold(found))) {
      this.#options.sink.set(found, this.#factsOf(this.#rule, facts))
      this.#told = found
    }
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

  #isTold(found: Found): boolean {
    const told = this.#told
    if (told === undefined || told.exists !== found.exists) return false
    return replicaSetEquals({ kind: 'bound', ...told }, { kind: 'bound', ...found })
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
