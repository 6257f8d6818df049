// From the instances of a service to what is found of one name: which count as there, which are usable, where they listen
// and with which weight. Knows nothing of how instances and addresses are learnt.
import type { Endpoint, Metadata } from '../../naming/replica-set.ts'
import type { HealthStatus, Instance } from './instances.ts'

export interface FoundRuleConfig {
  readonly useHealthCheck: boolean
  readonly healthStatuses: readonly HealthStatus[]
  readonly preferServiceAddress: boolean
  readonly weights: readonly { readonly tag: string; readonly weight: number }[]
  readonly transferMetadata: boolean
}

export interface FoundRule {
  /** The instances that have the tag, all when there is none: without any the name does not exist. */
  known(instances: readonly Instance[], tag: string | undefined): readonly Instance[]
  /** Those of the known that may get traffic. */
  usable(known: readonly Instance[]): readonly Instance[]
  /** Where an instance listens: an address literal or a host name; undefined when it listens nowhere. */
  hostOf(instance: Instance): string | undefined
  /** Each address and port once, sorted, so that equal content is equal whatever order it came in. */
  endpoints(usable: readonly Instance[], addressesOf: (host: string) => readonly string[]): readonly Endpoint[]
  /** What the set says besides its endpoints. */
  metadata(usable: readonly Instance[], authority: string | undefined): Metadata | undefined
}

/** The key under which namerd and its clients know an endpoint's weight; Consul's endpoints always say it. */
const weightKey = 'endpoint_addr_weight'

export function createFoundRule(config: FoundRuleConfig): FoundRule {
  const weightOfTag = new Map(config.weights.map(({ tag, weight }) => [tag, weight]))
  const statuses = new Set<HealthStatus>(config.healthStatuses)
  const weightOnly = new Map<number, Metadata>()

  const metadataFor = (weight: number, { nodeMeta }: Instance): Metadata => {
    if (config.transferMetadata && Object.keys(nodeMeta).length > 0) return { ...nodeMeta, [weightKey]: weight }
    const shared = weightOnly.get(weight) ?? { [weightKey]: weight }
    weightOnly.set(weight, shared)
    return shared
  }
  const hostOf = (instance: Instance): string | undefined => {
    if (instance.port < 1 || instance.port > 65_535) return undefined
    const chosen = (config.preferServiceAddress && instance.serviceAddress) || instance.nodeAddress
    return withoutBrackets(chosen.trim()) || undefined
  }
  return {
    known: (instances, tag) =>
      tag === undefined ? instances : instances.filter(({ tags }) => tags.some(own => own.toLowerCase() === tag)),
    usable: known => (config.useHealthCheck ? known.filter(({ status }) => statuses.has(status)) : known),
    hostOf,
    endpoints: (usable, addressesOf) => {
      const found = new Map<string, Endpoint>()
      for (const instance of usable) {
        const host = hostOf(instance)
        if (host === undefined) continue
        const { port } = instance
        const weight = largestWeight(instance.tags, weightOfTag)
        for (const address of addressesOf(host)) {
          const key = `${address} ${port}`
          if ((found.get(key)?.weight ?? 0) >= weight) continue
          found.set(key, { address, port, weight, metadata: metadataFor(weight, instance) })
        }
      }
      return [...found.values()].sort(byAddressAndPort)
    },
    metadata: ([first], authority) => {
      const own = config.transferMetadata ? first?.serviceMeta : undefined
      const metadata = { ...own, ...(authority !== undefined && { authority }) }
      return Object.keys(metadata).length === 0 ? undefined : metadata
    },
  }
}

/** 1 unless a tag of the instance has a weight. */
function largestWeight(tags: readonly string[], weightOfTag: ReadonlyMap<string, number>): number {
  if (weightOfTag.size === 0) return 1
  const weights = tags.flatMap(tag => weightOfTag.get(tag) ?? [])
  return weights.length === 0 ? 1 : Math.max(...weights)
}

function withoutBrackets(address: string): string {
  return address.startsWith('[') && address.endsWith(']') ? address.slice(1, -1) : address
}

function byAddressAndPort(a: Endpoint, b: Endpoint): number {
  if (a.address !== b.address) return a.address < b.address ? -1 : 1
  return a.port - b.port
}
