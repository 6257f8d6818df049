// The figures of a snapshot under linkerd's scopes, one entry each, from which its two forms of export are made.
import { availableCount, loadOf } from './endpoint-figures.ts'
import { resultCounts } from './latency-figures.ts'
import { withNamesOnce } from './merge-snapshots.ts'
import type {
  ClientSnapshot,
  LatencySnapshot,
  RequestsSnapshot,
  RouterSnapshot,
  ServerSnapshot,
  ServiceSnapshot,
  TelemetrySnapshot,
} from './snapshot.ts'

export type LinkerdValue =
  | { readonly kind: 'counter' | 'gauge'; readonly value: number }
  | { readonly kind: 'stat'; readonly latency: LatencySnapshot }

export interface LinkerdEntry {
  /** A name with slashes in it, such as a service's, is one part. */
  readonly scope: readonly string[]
  readonly value: LinkerdValue
}

/** Which services and clients are shown by themselves; `series` has only the classes of what clients answered. */
export type Detail = 'all' | 'series'

/** With `series` those without series of their own are one called `other`. */
export function linkerdEntries({ routers }: TelemetrySnapshot, detail: Detail): readonly LinkerdEntry[] {
  return routers.flatMap(router => routerEntries(detail === 'all' ? withNamesOnce(router) : router, detail))
}

function routerEntries(router: RouterSnapshot, detail: Detail): readonly LinkerdEntry[] {
  const { label, servers, bindings, clientCache, failures } = router
  const services = shownScopes(router.services, router.otherServices, detail)
  const clients = shownScopes(router.clients, router.otherClients, detail)
  const counters = (scope: readonly string[], values: Readonly<Record<string, number | undefined>>): LinkerdEntry[] =>
    entries('counter', ['rt', label, ...scope], values)
  return [
    ...servers.flatMap(server => serverEntries(label, server)),
    ...services.flatMap(service => serviceEntries(label, service)),
    ...clients.flatMap(client => clientEntries(label, client, detail)),
    ...counters(['bindcache', 'path'], cacheCounts(bindings)),
    ...counters(['bindcache', 'client'], cacheCounts(clientCache)),
    ...counters(['errors'], failures),
  ]
}

/** What was beyond every limit is shown too, once there was such. */
function shownScopes<S extends { readonly hasSeries: boolean; readonly requests: RequestsSnapshot }>(
  scopes: readonly S[],
  other: S,
  detail: Detail,
): readonly S[] {
  if (detail === 'all') return scopes
  const named = scopes.filter(({ hasSeries }) => hasSeries)
  return other.requests.began > 0 ? [...named, other] : named
}

function cacheCounts({ misses, evicts, expires }: RouterSnapshot['bindings']) {
  return { misses, evicts, expires }
}

function serverEntries(label: string, { name, connections, requests }: ServerSnapshot): readonly LinkerdEntry[] {
  const colon = name.lastIndexOf(':')
  const scope = ['rt', label, 'server', name.slice(0, colon), name.slice(colon + 1)]
  return [
    ...requestEntries(scope, requests),
    ...entries('gauge', scope, { connections }),
    ...statusEntries(scope, requests),
  ]
}

function serviceEntries(label: string, service: ServiceSnapshot): readonly LinkerdEntry[] {
  const { name, requests, retries, budgetExhausted, budget } = service
  const scope = ['rt', label, 'service', withoutSlash(name)]
  return [
    ...requestEntries(scope, requests),
    ...entries('counter', [...scope, 'retries'], { total: retries, budget_exhausted: budgetExhausted }),
    ...entries('gauge', [...scope, 'retries'], { budget }),
  ]
}

function clientEntries(label: string, client: ClientSnapshot, detail: Detail): readonly LinkerdEntry[] {
  const { name, requests, requeues, removals, probes, revivals, now } = client
  const scope = ['rt', label, 'client', withoutSlash(name)]
  return [
    ...requestEntries(scope, requests),
    ...statusEntries(scope, requests).filter(({ scope }) => detail === 'all' || scope.at(-1)?.endsWith('XX')),
    ...entries('counter', [...scope, 'retries'], { requeues }),
    ...entries('counter', [...scope, 'failure_accrual'], { removals, revivals, probes }),
    ...(now === undefined
      ? []
      : [
          ...entries('gauge', scope, { connections: now.connections }),
          ...entries('gauge', [...scope, 'loadbalancer'], {
            size: now.endpoints.length,
            available: availableCount(now),
            load: loadOf(now),
          }),
        ]),
  ]
}

function requestEntries(scope: readonly string[], requests: RequestsSnapshot): readonly LinkerdEntry[] {
  const { success, failure, abandoned } = resultCounts(requests)
  return [
    // Linkerd counts a request when it is over.
    ...entries('counter', scope, { requests: success + failure + abandoned, success, failures: failure }),
    ...entries('gauge', scope, { pending: requests.active }),
    { scope: [...scope, 'request_latency_ms'], value: { kind: 'stat', latency: requests.latency } },
  ]
}

/** Each status that was seen, and each class. */
function statusEntries(scope: readonly string[], { statuses }: RequestsSnapshot): readonly LinkerdEntry[] {
  const counts: Record<string, number> = {}
  for (const [status, count] of Object.entries(statuses)) {
    const statusClass = `${status.slice(0, 1)}XX`
    counts[statusClass] = (counts[statusClass] ?? 0) + count
    if (!status.endsWith('xx')) counts[status] = count
  }
  return entries('counter', [...scope, 'status'], counts)
}

function entries(
  kind: 'counter' | 'gauge',
  scope: readonly string[],
  values: Readonly<Record<string, number | undefined>>,
): LinkerdEntry[] {
  return Object.entries(values).flatMap(([name, value]) =>
    value === undefined ? [] : [{ scope: [...scope, name], value: { kind, value } }],
  )
}

function withoutSlash(name: string): string {
  return name.startsWith('/') ? name.slice(1) : name
}
