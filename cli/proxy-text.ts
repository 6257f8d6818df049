// A proxy as people read it.
import { printable } from './printable.ts'
import type { ClientStates, Figures, RecentRequests, Summary } from './proxy-answers.ts'
import { durationText } from './source-text.ts'
import type { Paint } from './styles.ts'
import { tableLines } from './table.ts'

const figureHeadings = ['REQ/S', 'SUCCESS', 'P50', 'P95', 'P99', 'ACTIVE', 'REQUESTS', 'FAILURES'] as const

/** One line for each router; before them whether the proxy is ready, after them what it answered by itself. */
export function statusLines(proxy: Summary, paint: Paint): string[] {
  const { ready, uptimeMs, processes, routers } = proxy
  const rows = routers.map(router => [router.label, ...figureCells(router), String(router.bindings)])
  const several = processes > 1 ? `, ${processes} processes` : ''
  const own = routers.flatMap(({ label, proxyFailures }) => {
    const stages = Object.entries(proxyFailures).map(([stage, count]) => `${count} at ${stage}`)
    return stages.length === 0 ? [] : [`# ${printable(label)} answered by itself: ${stages.map(printable).join(', ')}`]
  })
  return [
    `# up for ${durationText(uptimeMs)}${several}`,
    ...notReady(ready).map(line => paint('red', `# not ready: ${line}`)),
    ...tableLines(['ROUTER', ...figureHeadings, 'NAMES'], rows),
    ...own,
  ]
}

/** Why it is not ready, a sentence each. */
export function notReady({ reasons }: Summary['ready']): readonly string[] {
  return reasons.map(({ router, reason, problem }) => {
    const where = router === undefined ? '' : `router ${router}: `
    return printable(`${where}${reason}${problem === undefined ? '' : ` (${problem})`}`)
  })
}

export function serviceLines({ routers }: Summary): string[] {
  const rows = routers.flatMap(({ label, services }) =>
    services.map(service => [
      service.name,
      label,
      ...figureCells(service),
      String(service.retries),
      service.budget === undefined ? '-' : String(Math.floor(service.budget)),
    ]),
  )
  return tableLines(['SERVICE', 'ROUTER', ...figureHeadings, 'RETRIES', 'BUDGET'], rows)
}

/** A client that cannot use all of its endpoints is red. */
export function clientLines({ routers }: Summary, paint: Paint): string[] {
  const clients = routers.flatMap(({ label, clients }) => clients.map(client => ({ label, client })))
  const [heading = '', ...lines] = tableLines(
    ['CLIENT', 'ROUTER', ...figureHeadings, 'ENDPOINTS', 'CONNECTIONS'],
    clients.map(({ label, client }) => [
      client.name,
      label,
      ...figureCells(client),
      `${client.available}/${client.endpoints}`,
      String(client.connections),
    ]),
  )
  const isWhole = clients.map(({ client }) => client.available === client.endpoints)
  return [heading, ...lines.map((line, i) => (isWhole[i] ? line : paint('red', line)))]
}

export function endpointLines(states: ClientStates, paint: Paint): string[] {
  const endpoints = Object.entries(states).flatMap(([router, clients]) =>
    Object.entries(clients).flatMap(([client, { endpoints }]) =>
      endpoints.map(endpoint => ({ router, client, endpoint })),
    ),
  )
  const [heading = '', ...lines] = tableLines(
    ['CLIENT', 'ROUTER', 'ENDPOINT', 'STATE', 'LOAD', 'WEIGHT', 'LATENCY'],
    endpoints.map(({ router, client, endpoint: { address, state, load, weight, latencyMs } }) => [
      client,
      router,
      address,
      state,
      String(load),
      String(weight),
      latencyText(latencyMs),
    ]),
  )
  return [heading, ...lines.map((line, i) => (endpoints[i]?.endpoint.state === 'open' ? line : paint('red', line)))]
}

export function requestLines({ requests }: RecentRequests, paint: Paint): string[] {
  const rows = requests.map(
    ({ startedAt, status, ms, method, host, target, service, endpoint, attempts, failedAt }) => [
      new Date(startedAt).toISOString(),
      String(status),
      latencyText(ms),
      `${method} ${host ?? ''}${target}`,
      service ?? '-',
      endpoint ?? '-',
      String(attempts),
      failedAt ?? '',
    ],
  )
  const [heading = '', ...lines] = tableLines(
    ['TIME', 'STATUS', 'LATENCY', 'REQUEST', 'SERVICE', 'ENDPOINT', 'TRIES', 'FAILED AT'],
    rows,
  )
  return [heading, ...lines.map((line, i) => ((requests[i]?.status ?? 0) >= 500 ? paint('red', line) : line))]
}

function figureCells({ perSecond, successRate, p50Ms, p95Ms, p99Ms, active, requests, failures }: Figures): string[] {
  return [
    perSecond.toFixed(perSecond < 10 ? 1 : 0),
    successRate === undefined ? '-' : `${(Math.floor(successRate * 10_000) / 100).toFixed(2)}%`,
    ...[p50Ms, p95Ms, p99Ms].map(latencyText),
    String(active),
    String(requests),
    String(failures),
  ]
}

/** Three digits, with the unit. */
function latencyText(ms: number | undefined): string {
  if (ms === undefined) return '-'
  if (ms >= 1_000) return `${(ms / 1_000).toPrecision(3)}s`
  return ms >= 100 ? `${Math.round(ms)}ms` : `${ms.toPrecision(ms < 0.1 ? 1 : ms < 1 ? 2 : 3)}ms`
}
