// namerctl dtab list, get, history, diff.
import type { Command } from 'commander'
import { dtabDiff, dtabDocument, type NamespaceList, namespaceList, type VersionList, versionList } from '../answers.ts'
import { CliError } from '../cli-error.ts'
import type { CliIo } from '../cli-io.ts'
import { alignedDtab, compactDtab, diffLines } from '../dtab-text.ts'
import { ask, versionBefore } from '../dtab-writes.ts'
import { refusedWarning } from '../refused-text.ts'
import { openSession } from '../session.ts'
import { tableLines } from '../table.ts'
import { parseVersion } from '../version-option.ts'
import { asBoolean, countUpTo, examples } from './options.ts'

/** Adds the reading commands under `dtab`. */
export function addDtabReads(dtab: Command, io: CliIo): void {
  addList(dtab, io)
  addGet(dtab, io)
  addHistory(dtab, io)
  addDiff(dtab, io)
}

function addList(dtab: Command, io: CliIo): void {
  dtab
    .command('list')
    .alias('ls')
    .description('List the namespaces that have a dtab')
    .option('-l, --long', 'with version, time, author and address')
    .option('--deleted', 'those that were deleted instead; `dtab restore` brings one back')
    .addHelpText(
      'after',
      examples(
        ['dtab list', 'names, one per line'],
        ['dtab ls --long', 'who wrote what last'],
        ['dtab ls --deleted --long', 'who deleted what'],
      ),
    )
    .action(async (options: ListOptions, command: Command) => {
      const session = openSession(io, command)
      const isDeleted = options.deleted === true
      const request = { path: ['api', 'dtabs'], query: { deleted: isDeleted ? true : undefined } }
      const list = await ask(session, undefined, () => session.client.json(namespaceList, request))
      if (list.namespaces === undefined)
        throw new CliError(1, 'the store has not answered the server yet: try again in a moment')
      const namespaces = list.namespaces.filter(({ deleted }) => (deleted === true) === isDeleted)
      for (const { namespace, version, refused } of namespaces)
        if (refused !== undefined) session.remark(refusedWarning(namespace, refused, isDeleted ? undefined : version))
      for (const { namespace, ...refused } of list.refused ?? [])
        session.remark(refusedWarning(namespace, refused, undefined))
      session.show({ ...list, namespaces }, () => listLines(namespaces, options.long === true))
    })
}

interface ListOptions {
  readonly long?: true
  readonly deleted?: true
}

function listLines(namespaces: NonNullable<NamespaceList['namespaces']>, isLong: boolean): string[] {
  if (!isLong) return namespaces.map(({ namespace }) => namespace)
  const rows = namespaces.map(({ namespace, version, time, author, address = '', message }) => [
    namespace,
    String(version),
    time,
    author,
    address,
    message,
  ])
  return tableLines(['NAMESPACE', 'VERSION', 'TIME', 'AUTHOR', 'ADDRESS', 'MESSAGE'], rows)
}

interface GetOptions {
  readonly json?: true
  readonly pretty: boolean
  readonly version?: number
}

function addGet(dtab: Command, io: CliIo): void {
  dtab
    .command('get')
    .alias('cat')
    .description('Show a dtab, its version first')
    .argument('<namespace>')
    .option('--json', 'as JSON, the same as -o json')
    .option('--pretty [yes]', 'aligned; --pretty=false gives one line', asBoolean, true)
    .option('--version <version>', 'an old one', parseVersion)
    .addHelpText(
      'after',
      examples(['dtab get default', 'the dtab as it is'], ['dtab get default --version 7', 'as it was in version 7']),
    )
    .action(async (namespace: string, options: GetOptions, command: Command) => {
      const session = openSession(io, command)
      const { version } = options
      const request = { path: ['api', 'dtabs', namespace], query: { version } }
      const found = await ask(session, namespace, () => session.client.json(dtabDocument, request))
      if (found.refused !== undefined) session.remark(refusedWarning(namespace, found.refused, found.version))
      if (options.json) session.say(JSON.stringify(found, null, options.pretty ? 2 : 0))
      else if (!options.pretty && session.form === 'table') session.say(compactDtab(found.dtab))
      else session.show(found, () => [`# version ${found.version}`, ...linesOf(alignedDtab(found.dtab))])
    })
}

interface HistoryOptions {
  readonly limit: number
  readonly long?: true
}

function addHistory(dtab: Command, io: CliIo): void {
  dtab
    .command('history')
    .alias('log')
    .description('List the versions of a dtab, newest first')
    .argument('<namespace>')
    .option('--limit <count>', 'at most so many', countUpTo(100), 20)
    .option('-l, --long', 'with the address that each came from, the version before, and the size')
    .addHelpText(
      'after',
      examples(
        ['dtab history default', 'who changed it, when and why'],
        ['dtab history default --long', 'and from which machine'],
      ),
    )
    .action(async (namespace: string, { limit, long }: HistoryOptions, command: Command) => {
      const session = openSession(io, command)
      const request = { path: ['api', 'dtabs', namespace, 'versions'], query: { limit } }
      const page = await ask(session, namespace, () => session.client.json(versionList, request))
      const [head] = page.versions
      if (page.refused !== undefined)
        session.remark(refusedWarning(namespace, page.refused, head?.deleted === false ? head.version : undefined))
      session.show(page, () => historyLines(page.versions, long === true))
    })
}

function historyLines(versions: VersionList['versions'], isLong: boolean): string[] {
  const rows = versions.map(({ version, time, author, address = '', parent, bytes, message, deleted }) => [
    String(version),
    time,
    author,
    ...(isLong ? [address, String(parent), String(bytes)] : []),
    deleted ? `(deleted) ${message}`.trimEnd() : message,
  ])
  const more = isLong ? ['ADDRESS', 'PARENT', 'BYTES'] : []
  return tableLines(['VERSION', 'TIME', 'AUTHOR', ...more, 'MESSAGE'], rows)
}

function addDiff(dtab: Command, io: CliIo): void {
  dtab
    .command('diff')
    .description('Show what changed between two versions')
    .argument('<namespace>')
    .argument('[from]', 'the one before the newest when absent', parseVersion)
    .argument('[to]', 'the newest when absent', parseVersion)
    .addHelpText(
      'after',
      examples(['dtab diff default', 'what the last change did'], ['dtab diff default 5 7', 'from version 5 to 7']),
    )
    .action(
      async (namespace: string, from: number | undefined, to: number | undefined, _: object, command: Command) => {
        const session = openSession(io, command)
        const start = from ?? (await versionBefore(session, namespace))
        const request = { path: ['api', 'dtabs', namespace, 'diff'], query: { from: start, to } }
        const diff = await ask(session, namespace, () => session.client.json(dtabDiff, request))
        session.show(diff, () => {
          const heading = `# version ${diff.from} to ${diff.to}`
          if (diff.changes.length === 0) return [`${heading}: no dentry differs`]
          return [heading, ...diffLines(diff.changes, session.paint)]
        })
      },
    )
}

function linesOf(text: string): string[] {
  return text === '' ? [] : text.replace(/\n$/, '').split('\n')
}
