// The instances of one service as Consul's catalogue or health answers list them, stripped to what is needed of them.
// Knows nothing of endpoints and of which instances are wanted.
import { type Fields, listOf, numberIn, objectIn, stringIn, stringsIn, textsIn } from './json-fields.ts'

export const healthStatuses = ['passing', 'warning', 'critical', 'maintenance'] as const

/** From best to worst. */
export type HealthStatus = (typeof healthStatuses)[number]

export interface Instance {
  readonly node: string
  readonly id: string
  /** Address of the node, and of the service where it has one of its own; literals or host names. */
  readonly nodeAddress: string
  readonly serviceAddress: string
  readonly port: number
  readonly tags: readonly string[]
  /** The worst of its checks, those of its node included; passing when health is not asked for. */
  readonly status: HealthStatus
  /** Empty unless it is asked for. */
  readonly serviceMeta: Texts
  readonly nodeMeta: Texts
}

export type Texts = Readonly<Record<string, string>>

/** What of an instance is kept; the rest would only take memory. */
export interface InstanceNeeds {
  readonly health: boolean
  readonly tags: boolean
  readonly metadata: boolean
}

const noTexts: Texts = {}
const noTags: readonly string[] = []

/** In the order of node and id, whatever order they came in. Throws on an answer that is not of Consul's shape. */
export function decodeInstances(body: unknown, needs: InstanceNeeds): readonly Instance[] {
  const decode = needs.health ? healthInstance : catalogInstance
  return listOf(body)
    .map(entry => decode(entry, needs))
    .sort((a, b) => compare(a.node, b.node) || compare(a.id, b.id))
}

/** `/v1/catalog/service`: everything in one flat object. */
function catalogInstance(entry: Fields, needs: InstanceNeeds): Instance {
  return {
    node: stringIn(entry, 'Node'),
    id: stringIn(entry, 'ServiceID'),
    nodeAddress: stringIn(entry, 'Address'),
    serviceAddress: stringIn(entry, 'ServiceAddress'),
    port: numberIn(entry, 'ServicePort'),
    tags: needs.tags ? stringsIn(entry, 'ServiceTags') : noTags,
    status: 'passing',
    serviceMeta: needs.metadata ? textsIn(entry, 'ServiceMeta') : noTexts,
    nodeMeta: needs.metadata ? textsIn(entry, 'NodeMeta') : noTexts,
  }
}

/** `/v1/health/service`: node, service and checks apart. */
function healthInstance(entry: Fields, needs: InstanceNeeds): Instance {
  const node = objectIn(entry, 'Node')
  const service = objectIn(entry, 'Service')
  return {
    node: stringIn(node, 'Node'),
    id: stringIn(service, 'ID'),
    nodeAddress: stringIn(node, 'Address'),
    serviceAddress: stringIn(service, 'Address'),
    port: numberIn(service, 'Port'),
    tags: needs.tags ? stringsIn(service, 'Tags') : noTags,
    status: worstStatus(listOf(entry.Checks)),
    serviceMeta: needs.metadata ? textsIn(service, 'Meta') : noTexts,
    nodeMeta: needs.metadata ? textsIn(node, 'Meta') : noTexts,
  }
}

function worstStatus(checks: readonly Fields[]): HealthStatus {
  let worst = 0
  for (const check of checks) worst = Math.max(worst, healthStatuses.indexOf(statusOf(check)))
  return healthStatuses[worst] ?? 'critical'
}

/** Maintenance is a check of its own, critical, with a name that Consul reserves. A status that is not known is no health. */
function statusOf(check: Fields): HealthStatus {
  const id = stringIn(check, 'CheckID')
  if (id === '_node_maintenance' || id.startsWith('_service_maintenance:')) return 'maintenance'
  const status = stringIn(check, 'Status').toLowerCase()
  return healthStatuses.find(known => known === status) ?? 'critical'
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0
}
