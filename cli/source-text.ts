// Sources and their names as people read them.
import type { Source, SourceNameRow, SourcePage } from './answers.ts'
import { printable, shellWord } from './printable.ts'
import type { Paint, Style } from './styles.ts'
import { tableLines } from './table.ts'

/** One line for each source, and what to look at when a loss is held back. */
export function sourceLines(sources: readonly Source[], paint: Paint): string[] {
  const rows = sources.map(source => {
    const { total, stale, failed, held } = source.counts
    const numbers = [total, stale, failed, held].map(String)
    return [printable(source.id), source.state, ...numbers, durationText(source.oldestAgeMs), reasonOf(source)]
  })
  const [heading = '', ...lines] = tableLines(
    ['SOURCE', 'STATE', 'NAMES', 'STALE', 'FAILED', 'HELD', 'AGE', 'REASON'],
    rows,
  )
  const hints = sources
    .filter(({ state }) => state === 'held')
    .map(({ id }) => `# which names are held? \`namerctl sources show ${wordOf(id)} --state held\``)
  return [heading, ...lines.map((line, i) => painted(line, sources[i]?.state, paint)), ...hints]
}

/** What the source is and what to do about it, then one line for each name of the page. */
export function sourcePageLines({ source, names, next }: SourcePage, paint: Paint): string[] {
  const rows = names.map(name => [
    printable(name.name),
    name.state,
    durationText(name.ageMs),
    name.lastChangeAt ?? '-',
    printable(name.version ?? '-'),
    String(name.observers),
    nameReason(name),
  ])
  const [heading = '', ...lines] = tableLines(
    ['NAME', 'STATE', 'AGE', 'CHANGED', 'VERSION', 'OBSERVERS', 'REASON'],
    rows,
  )
  return [
    ...aboutLines(source, paint),
    ...(names.length === 0 ? [] : [heading, ...lines.map((line, i) => painted(line, names[i]?.state, paint))]),
    ...(next === undefined ? [] : [`# there are more: --after ${shellWord(printable(next))} shows the next`]),
  ]
}

function aboutLines(source: Source, paint: Paint): string[] {
  const { id, kind, prefix, state, counts, guard } = source
  const reason = reasonOf(source)
  const what = prefix === undefined ? kind : `${kind} at ${prefix}`
  const states = (['ok', 'pending', 'stale', 'failed', 'held'] as const).filter(each => counts[each] > 0)
  const share = states.length === 0 ? '' : `: ${states.map(each => `${counts[each]} ${each}`).join(', ')}`
  const lines = [
    painted(`# ${id} (${what}) is ${state}${reason === '' ? '' : `: ${reason}`}`, state, paint),
    `# ${counted(counts.total)}${share}`,
  ]
  if (guard !== undefined && guard.held > 0)
    lines.push(`# if the loss is real, \`namerctl sources release ${wordOf(id)}\` publishes it`)
  return lines
}

/** Why a source is not ok, in one line; empty when there is nothing to say. */
function reasonOf({ state, counts, guard, failingSince, lastError }: Source): string {
  const held = counts.held > 0 ? [`the loss of ${counted(counts.held)} is held back${sinceText(guard?.since)}`] : []
  const failing = counts.stale + counts.failed > 0 ? [`${lastError ?? 'failing'}${sinceText(failingSince)}`] : []
  const waiting = state === 'pending' ? ['nothing has answered yet'] : []
  return printable([...held, ...failing, ...waiting].join('; '))
}

function nameReason({ state, lastError, failingSince, heldSince }: SourceNameRow): string {
  if (state === 'held') return `its loss is held back${sinceText(heldSince)}`
  return state === 'stale' || state === 'failed' ? printable(`${lastError ?? 'failing'}${sinceText(failingSince)}`) : ''
}

/** An id in a command: quoted only when it must be. */
function wordOf(id: string): string {
  return /^[\w./-]+$/.test(id) ? id : shellWord(printable(id))
}

function sinceText(since: string | undefined): string {
  return since === undefined ? '' : ` (since ${since})`
}

export function counted(names: number): string {
  return names === 1 ? '1 name' : `${names} names`
}

const styles: Readonly<Record<string, Style>> = {
  held: 'red',
  degraded: 'red',
  stale: 'red',
  failed: 'red',
  idle: 'dim',
}

function painted(line: string, state: string | undefined, paint: Paint): string {
  const style = styles[state ?? '']
  return style === undefined ? line : paint(style, line)
}

const units = [
  ['d', 86_400_000],
  ['h', 3_600_000],
  ['m', 60_000],
  ['s', 1_000],
] as const

/** In the largest unit of which there are at least two, `-` when it is not known: `90s`, `5m`, `3h`. */
export function durationText(ms: number | undefined): string {
  if (ms === undefined) return '-'
  const [unit, size] = units.find(([, length]) => ms >= 2 * length) ?? ['ms', 1]
  return `${Math.floor(ms / size)}${unit}`
}
