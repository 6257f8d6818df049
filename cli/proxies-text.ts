// Connected proxies as people read them.
import type { ConnectedProxy, ProxyList, ProxyNamespace } from './answers.ts'
import { printable } from './printable.ts'
import { durationText } from './source-text.ts'
import type { Paint } from './styles.ts'
import { tableLines } from './table.ts'

export interface ProxiesShown {
  /** The namespace that was asked for, when one was. */
  readonly namespace?: string | undefined
  readonly isBehindOnly: boolean
}

/** A proxy in one of its namespaces; one that follows no name has none. */
interface Row {
  readonly proxy: ConnectedProxy
  readonly told?: ProxyNamespace
}

/** One line for each proxy and namespace, then what is wrong, and how many have the newest version. */
export function proxyLines(list: ProxyList, shown: ProxiesShown, paint: Paint): string[] {
  const now = Date.parse(list.time)
  const rows = rowsOf(list.proxies, shown.isBehindOnly)
  const cells = rows.map(row => cellsOf(row, now))
  const [heading = '', ...lines] = tableLines(
    ['PROXY', 'SERVER', 'NAMESPACE', 'VERSION', 'BEHIND', 'NAMES', 'PROTOCOL', 'ADDRESS', 'CONNECTED', 'REFUSED'],
    cells,
  )
  const table = lines.map((line, i) => (isBehind(rows[i]?.told) ? paint('red', line) : line))
  return [
    ...(rows.length === 0 ? [] : [heading, ...table]),
    ...list.proxies.flatMap(proxy => refusalLines(proxy, now)).map(line => paint('red', line)),
    ...(list.proxies.some(({ confirms }) => !confirms)
      ? [`# of those marked * what was sent counts: they confirm nothing`]
      : []),
    ...list.silent.map(({ id, error }) => paint('red', silentText(id, error))),
    ...cutLines(list, shown),
    summaryLine(list, shown, rows, paint),
  ]
}

/** `# server b did not answer ...`. */
export function silentText(id: string, error: string): string {
  return `# server ${printable(id)} did not answer, so its proxies are missing: ${printable(error)}`
}

/** With a comma for each thousand: there may be very many. */
export function countText(count: number): string {
  return count.toLocaleString('en-US')
}

function rowsOf(proxies: readonly ConnectedProxy[], isBehindOnly: boolean): readonly Row[] {
  if (isBehindOnly) {
    const rows = proxies.flatMap(proxy => proxy.namespaces.filter(isBehind).map(told => ({ proxy, told })))
    return rows.sort((a, b) => (b.told.behindMs ?? 0) - (a.told.behindMs ?? 0))
  }
  return proxies.flatMap((proxy): Row[] =>
    proxy.namespaces.length === 0 ? [{ proxy }] : proxy.namespaces.map(told => ({ proxy, told })),
  )
}

function isBehind(told: ProxyNamespace | undefined): boolean {
  return told !== undefined && (told.behindMs !== undefined || told.version < told.newest)
}

function cellsOf({ proxy, told }: Row, now: number): string[] {
  return [
    printable(proxy.id),
    printable(proxy.server),
    ...(told === undefined ? ['-', '-', '-', '0'] : namespaceCells(told)),
    `${printable(proxy.protocol)}${proxy.confirms ? '' : ' *'}`,
    printable(proxy.address),
    durationText(Math.max(0, now - Date.parse(proxy.since))),
    countText(proxy.refusals),
  ]
}

function namespaceCells(told: ProxyNamespace): string[] {
  const { namespace, version, newest, behindMs, names } = told
  const lag = behindMs === undefined ? 'with its server' : durationText(behindMs)
  return [
    printable(namespace),
    version < newest ? `${version} of ${newest}` : String(version),
    isBehind(told) ? lag : '-',
    countText(names),
  ]
}

function refusalLines({ id, refusals, lastRefusal }: ConnectedProxy, now: number): string[] {
  if (lastRefusal === undefined) return []
  const { name, reason, at } = lastRefusal
  const states = refusals === 1 ? '1 state' : `${countText(refusals)} states, the last`
  const age = durationText(Math.max(0, now - Date.parse(at)))
  return [`# ${printable(id)} refused ${states} ${age} ago, ${printable(name)}: ${printable(reason)}`]
}

function cutLines({ proxies, total, behind, next }: ProxyList, { isBehindOnly }: ProxiesShown): string[] {
  if (next === undefined) return []
  const all = isBehindOnly ? behind : total
  return [`# ${countText(proxies.length)} of ${countText(all)} are shown: --limit ${all} shows all`]
}

function summaryLine(
  { total, behind, silent }: ProxyList,
  { namespace }: ProxiesShown,
  rows: readonly Row[],
  paint: Paint,
): string {
  const name = printable(namespace ?? '')
  if (total === 0) return namespace === undefined ? '# no proxy is connected' : `# no proxy follows names of ${name}`
  const whose = namespace === undefined ? '' : ` that follow${total === 1 ? 's' : ''} names of ${name}`
  if (behind > 0) {
    const proxies = total === 1 ? 'proxy' : 'proxies'
    const counted = `${countText(behind)} of ${countText(total)} ${proxies}${whose} ${behind === 1 ? 'is' : 'are'} behind`
    return paint('red', `# ${counted}${longestText(rows, namespace)}`)
  }
  const all = total === 1 ? 'the one proxy' : `all ${countText(total)} proxies`
  const line = `# ${all}${whose} ${total === 1 ? 'has' : 'have'} the newest version`
  return silent.length > 0 ? `${line}, as far as is known` : paint('green', line)
}

function longestText(rows: readonly Row[], asked: string | undefined): string {
  const [first] = [...rows].sort((a, b) => (b.told?.behindMs ?? -1) - (a.told?.behindMs ?? -1))
  if (first?.told?.behindMs === undefined) return ''
  const { proxy, told } = first
  return `, ${printable(proxy.id)} for ${durationText(told.behindMs)}${asked === undefined ? ` in ${printable(told.namespace)}` : ''}`
}
