// Reports one name: what Consul says of its service, seen through the rule for tags and health, with host names resolved
// and followed. Knows nothing of how Consul is asked.
import { isIP } from 'node:net'
import type { ConsulSelf } from '../../clients/consul/agent.ts'
import type { HostAddresses, HostCells } from '../../runtime/hosts/host-cells.ts'
import type { Cell } from '../../watch/cell.ts'
import type { Cancel, Clock } from '../../watch/clock.ts'
import type { State } from '../../watch/state.ts'
import type { FoundFacts, FoundSink } from '../discovery.ts'
import type { ConsulName } from './consul-name.ts'
import type { FoundRule } from './found-rule.ts'
import type { Instance } from './instances.ts'
import type { Listener } from './relay.ts'

/** Host names that were never resolved hold back an answer for so long at most, in milliseconds. */
export const hostWaitMs = 1_000

export interface NameFollowerOptions {
  readonly name: ConsulName
  readonly sink: FoundSink
  readonly rule: FoundRule
  readonly clock: Clock
  readonly hosts: Pick<HostCells, 'live'>
  /** Given when the set is to say its authority, which ends in the agent's domain. */
  readonly self?: Cell<ConsulSelf>
}

/** A host name of some instance. Once it had addresses it keeps the last ones for as long as an instance has it. */
interface FollowedHost {
  addresses: readonly string[]
  isAnswered: boolean
  /** Why it cannot be asked for now. */
  failure: Error | undefined
  unwatch: () => void
}

interface Failure {
  readonly error: Error
  readonly retryAt: number | undefined
}

const noInstances: readonly Instance[] = []

export class NameFollower implements Listener<readonly Instance[]> {
  readonly #options: NameFollowerOptions
  readonly #hosts = new Map<string, FollowedHost>()
  readonly #unwatchSelf: (() => void) | undefined
  #domain: string | undefined
  /** Why the domain is not known. */
  #domainFailure: Error | undefined
  #isClosed = false
  #known: readonly Instance[] | undefined
  #usable = noInstances
  #facts: FoundFacts = {}
  #failure: Failure | undefined
  /** Why what Consul says cannot be shown, although Consul answers. */
  #obstacle: Error | undefined
  #cancelWait: Cancel | undefined
  #hasWaited = false

  /** Its owner closes it. */
  constructor(options: NameFollowerOptions) {
    this.#options = options
    this.#unwatchSelf = options.self?.watch(state => this.#takeSelf(state))
  }

  changed(instances: readonly Instance[], facts: FoundFacts = {}): void {
    const { name, rule } = this.#options
    this.#failure = undefined
    this.#facts = facts
    this.#known = rule.known(instances, name.tag)
    this.#usable = rule.usable(this.#known)
    this.#hasWaited = false
    this.#followHosts()
    this.#publish()
  }

  same(version?: string): void {
    this.#failure = undefined
    if (this.#obstacle === undefined) this.#options.sink.contact(version)
    else this.#options.sink.fail(this.#obstacle)
  }

  failed(error: Error, retryAt?: number): void {
    this.#failure = { error, retryAt }
    this.#options.sink.fail(error, retryAt)
  }

  /** Nothing is reported afterwards. */
  close(): void {
    this.#isClosed = true
    this.#unwatchSelf?.()
    this.#cancelWait?.()
    for (const { unwatch } of this.#hosts.values()) unwatch()
    this.#hosts.clear()
  }

  #takeSelf(state: State<ConsulSelf>): void {
    if (state.kind === 'pending') return
    if (state.kind === 'ok') this.#domain = state.value.domain
    this.#domainFailure = state.kind === 'failed' ? state.error : undefined
    this.#publish()
  }

  /** Whether endpoints are known that cannot be published before the domain is. */
  get #lacksDomain(): boolean {
    return this.#options.self !== undefined && this.#domain === undefined && (this.#known?.length ?? 0) > 0
  }

  #publish(): void {
    const { name, rule, sink } = this.#options
    this.#obstacle = this.#lacksDomain ? this.#domainFailure : undefined
    if (this.#obstacle !== undefined) sink.fail(this.#obstacle)
    if (this.#known === undefined || this.#lacksDomain || this.#mustWait()) return
    const endpoints = rule.endpoints(this.#usable, host => this.#addressesOf(host))
    this.#obstacle = endpoints.length === 0 ? this.#hostFailure() : undefined
    if (this.#obstacle !== undefined) {
      sink.fail(this.#obstacle)
      return
    }
    const metadata = rule.metadata(this.#usable, this.#authority(name))
    const facts = this.#facts
    // When the answer came says nothing of what a later change of an address took.
    this.#facts = facts.version === undefined ? {} : { version: facts.version }
    sink.set({ exists: this.#known.length > 0, endpoints, ...(metadata !== undefined && { metadata }) }, facts)
    if (this.#failure !== undefined) sink.fail(this.#failure.error, this.#failure.retryAt)
  }

  /** Why a host gives no address: that is no word of anybody that there are no endpoints. */
  #hostFailure(): Error | undefined {
    return this.#hosts.values().find(({ failure }) => failure !== undefined)?.failure
  }

  #authority({ datacenter, service, tag }: ConsulName): string | undefined {
    if (this.#domain === undefined) return undefined
    return `${tag === undefined ? '' : `${tag}.`}${service}.service.${datacenter}.${this.#domain}`
  }

  #addressesOf(host: string): readonly string[] {
    return isIP(host) === 0 ? (this.#hosts.get(host)?.addresses ?? []) : [host]
  }

  /** Whether some host is still to be heard of for the first time; for a while only. */
  #mustWait(): boolean {
    const isWaiting = !this.#hasWaited && this.#hosts.values().some(({ isAnswered }) => !isAnswered)
    if (!isWaiting) {
      this.#cancelWait?.()
      this.#cancelWait = undefined
      return false
    }
    this.#cancelWait ??= this.#options.clock.after(hostWaitMs, () => {
      this.#cancelWait = undefined
      this.#hasWaited = true
      this.#publish()
    })
    return true
  }

  #followHosts(): void {
    const wanted = new Set<string>()
    for (const instance of this.#usable) {
      const host = this.#options.rule.hostOf(instance)
      if (host !== undefined && isIP(host) === 0) wanted.add(host)
    }
    for (const [host, { unwatch }] of this.#hosts) {
      if (wanted.has(host)) continue
      unwatch()
      this.#hosts.delete(host)
    }
    for (const host of wanted) if (!this.#hosts.has(host)) this.#followHost(host)
  }

  #followHost(host: string): void {
    const followed: FollowedHost = { addresses: [], isAnswered: false, failure: undefined, unwatch: () => {} }
    this.#hosts.set(host, followed)
    let isTold = false
    followed.unwatch = this.#options.hosts.live(host).watch(state => {
      if (this.#takeHost(followed, state) && isTold && !this.#isClosed) this.#publish()
    })
    isTold = true
  }

  /** Whether something is new. A host that cannot be resolved, or is unknown of late, keeps the addresses it had. */
  #takeHost(followed: FollowedHost, state: State<HostAddresses>): boolean {
    if (state.kind === 'pending') return false
    const wasAnswered = followed.isAnswered
    followed.isAnswered = true
    followed.failure = state.kind === 'failed' ? state.error : undefined
    const addresses = state.kind === 'ok' && state.value !== 'unknown' ? state.value : undefined
    if (addresses !== undefined) followed.addresses = addresses
    return addresses !== undefined || !wasAnswered
  }
}
