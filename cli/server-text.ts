// Servers as people read them.
import type { ServerList } from './answers.ts'
import { printable } from './printable.ts'
import type { Paint } from './styles.ts'
import { tableLines } from './table.ts'

/** One line for each server, then one for each dtab that they differ about, and one when others may be missing. */
export function serverLines({ servers, disagreements, disagreementCount, stale }: ServerList, paint: Paint): string[] {
  const rows = servers.map(server => [
    `${printable(server.id)}${server.isSelf ? ' *' : ''}`,
    printable(server.address ?? '-'),
    printable(server.version),
    server.replies ? 'replies' : 'silent',
    server.since,
    String(server.namespaces),
    printable(server.error ?? ''),
  ])
  const [heading = '', ...lines] = tableLines(
    ['SERVER', 'ADDRESS', 'VERSION', 'STATE', 'SINCE', 'NAMESPACES', 'REASON'],
    rows,
  )
  const more = disagreementCount - disagreements.length
  return [
    heading,
    ...lines.map((line, i) => (servers[i]?.replies === false ? paint('red', line) : line)),
    ...disagreements.map(each => paint('red', disagreementLine(each))),
    ...(more > 0 ? [paint('red', `# and about ${more} more dtabs`)] : []),
    ...(stale === undefined ? [] : [paint('red', `# there may be others: ${blindText(stale)}`)]),
  ]
}

/** Why nobody knows who is present. */
export function blindText({ since, reason }: NonNullable<ServerList['stale']>): string {
  return `the store does not say who is present since ${since}: ${printable(reason)}`
}

function disagreementLine({ namespace, since, versions }: ServerList['disagreements'][number]): string {
  const each = Object.entries(versions).map(([id, version]) => `${printable(id)} goes by ${version}`)
  return `# servers differ about ${namespace} since ${since}: ${each.join(', ')}`
}
