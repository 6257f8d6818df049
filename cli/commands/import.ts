// namerctl import: takes in what an export wrote. Looks at everything first, and changes nothing when anything is refused.
import { createReadStream } from 'node:fs'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { type Command, Option } from 'commander'
import { type ImportReport, importReport } from '../answers.ts'
import {
  addServerWaitOptions,
  appliedLines,
  bothApplied,
  requireSpread,
  type WaitOptions,
  waitQueryOf,
} from '../applied.ts'
import { CliError, reasonOf, untilInterrupted } from '../cli-error.ts'
import type { CliIo } from '../cli-io.ts'
import { ask } from '../dtab-writes.ts'
import { readExport } from '../export-lines.ts'
import { ExportParts } from '../export-parts.ts'
import { Progress } from '../progress.ts'
import { openSession, type Session } from '../session.ts'
import { counted } from './export.ts'
import { examples } from './options.ts'

interface ImportOptions extends WaitOptions {
  readonly existing: 'refuse' | 'skip' | 'write'
  readonly dryRun?: true
}

/** Adds `import` at the top level. */
export function addImport(program: Command, io: CliIo): void {
  addServerWaitOptions(program.command('import'))
    .description('Take in namespaces with their history from a file that `export` wrote')
    .argument('<file>', '- for standard input')
    .addOption(
      new Option('--existing <what>', 'with namespaces that have other versions here: write adds one version on top')
        .choices(['refuse', 'skip', 'write'])
        .default('refuse'),
    )
    .option('--dry-run', 'only say what would happen')
    .addHelpText(
      'after',
      `${examples(
        ['import backup.ndjson --dry-run', 'what would happen?'],
        ['import backup.ndjson', 'everything, or nothing when something is refused'],
        ['import backup.ndjson --existing skip', 'only what is not here yet'],
      )}\n\nWhat is here already counts as done: an import that broke off is simply run again.`,
    )
    .action(async (file: string, options: ImportOptions, command: Command) => {
      const session = openSession(io, command)
      const ended = 'interrupted: run it again, what is in already counts as done'
      await untilInterrupted(io.interrupted, ended, () => runImport(session, file, options))
    })
}

async function runImport(session: Session, file: string, options: ImportOptions): Promise<void> {
  const input = await openInput(session.io, file)
  try {
    const planned = await send(session, input, { existing: options.existing, dryRun: true })
    if (planned.counts.refused > 0) throw refusedError(planned)
    const report = options.dryRun ? planned : await send(session, input, { ...options, dryRun: false })
    session.show(report, () => reportLines(report))
    requireSpread(report, 'what was imported')
  } finally {
    await input.close()
  }
}

interface Input {
  /** How messages name it. */
  readonly name: string
  /** From its beginning. */
  open(): AsyncIterable<Uint8Array>
  close(): Promise<void>
}

/** What comes on standard input is kept in a file, for it is read twice. */
async function openInput(io: CliIo, file: string): Promise<Input> {
  if (file !== '-')
    return { name: file, open: () => readFileChunks(resolve(io.cwd, file), file), close: async () => {} }
  const directory = await mkdtemp(join(tmpdir(), 'namerctl-import-'))
  const kept = join(directory, 'import.ndjson')
  const close = (): Promise<void> => rm(directory, { recursive: true, force: true })
  try {
    await writeFile(kept, io.openStdin())
  } catch (error) {
    await close()
    throw error
  }
  return { name: 'standard input', open: () => readFileChunks(kept, 'standard input'), close }
}

async function* readFileChunks(path: string, file: string): AsyncGenerator<Uint8Array> {
  try {
    for await (const chunk of createReadStream(path)) yield chunk
  } catch (error) {
    throw new CliError(1, `cannot read ${file} (${reasonOf(error)}): give a file that \`namerctl export\` wrote`, {
      cause: error,
    })
  }
}

interface Pass extends WaitOptions {
  readonly existing: ImportOptions['existing']
  readonly dryRun: boolean
}

/** Part by part, so that no request is long; the reports as one. */
async function send(session: Session, input: Input, pass: Pass): Promise<ImportReport> {
  const { dryRun } = pass
  const progress = new Progress(session.io)
  const export_ = new ExportParts(readExport(input.open(), input.name))
  let whole: ImportReport = { dryRun, counts: emptyCounts, namespaces: [] }
  try {
    for await (const part of export_.parts()) {
      // Who does not go by one part holds up no other one.
      const { wait, ...rest } = pass
      const partPass = wait === undefined || whole.applied === false ? rest : pass
      whole = merged(whole, await sendPart(session, part, partPass))
      progress.show(() => `${dryRun ? 'checked' : 'imported'} ${counted(whole.namespaces.length, 'namespace')}`)
    }
    return whole
  } catch (error) {
    throw dryRun || !(error instanceof CliError) ? error : error.withMore(brokeOff(whole))
  } finally {
    progress.end()
    await export_.stop()
  }
}

/** After the first look nothing was refused, but others may have written since, or the server may have gone. */
function brokeOff({ namespaces }: ImportReport): string {
  const count = namespaces.length === 0 ? 'some namespaces' : `${counted(namespaces.length, 'namespace')} or more`
  return `# the import broke off, and ${count} may be in by now: run it again, what is in already counts as done`
}

/** What is wrong with the file itself is told before what that made of the request. */
async function sendPart(
  session: Session,
  part: AsyncGenerator<Uint8Array>,
  { existing, dryRun, ...waiting }: Pass,
): Promise<ImportReport> {
  let fault: unknown
  async function* body(): AsyncGenerator<Uint8Array> {
    try {
      yield* part
    } catch (error) {
      fault = error
      throw error
    }
  }
  const request = {
    method: 'POST',
    path: ['api', 'import'],
    query: { existing, dryRun: dryRun ? true : undefined, ...waitQueryOf(waiting) },
    headers: { 'content-type': 'application/x-ndjson' },
    stream: body(),
    signal: session.io.interrupted,
  } as const
  try {
    return await ask(session, undefined, () => session.client.json(importReport, request))
  } catch (error) {
    throw fault ?? error
  }
}

const emptyCounts: ImportReport['counts'] = { imported: 0, identical: 0, written: 0, skipped: 0, refused: 0 }

function merged(whole: ImportReport, part: ImportReport): ImportReport {
  const { imported, identical, written, skipped, refused } = whole.counts
  const counts = {
    imported: imported + part.counts.imported,
    identical: identical + part.counts.identical,
    written: written + part.counts.written,
    skipped: skipped + part.counts.skipped,
    refused: refused + part.counts.refused,
  }
  const namespaces = [...whole.namespaces, ...part.namespaces]
  return { ...bothApplied(whole, part), dryRun: whole.dryRun, counts, namespaces }
}

const maxShown = 20

function refusedError({ counts, namespaces }: ImportReport): CliError {
  const refused = namespaces.filter(({ outcome }) => outcome === 'refused')
  const lines = refused
    .slice(0, maxShown)
    .map(({ namespace, problem }) => `# ${namespace}: ${problem?.detail ?? 'refused'}`)
  const rest = refused.length - lines.length
  const exists = refused.some(({ problem }) => problem?.code === 'dtab-exists')
  const cure = exists
    ? '; --existing skip leaves those that are here as they are, --existing write adds a version to them'
    : ''
  const more = rest > 0 ? [...lines, `# and ${rest} more`] : lines
  return new CliError(
    1,
    `nothing was imported, for ${counted(counts.refused, 'namespace')} cannot be taken in${cure}`,
    { more },
  )
}

function reportLines({ dryRun, counts, ...spread }: ImportReport): string[] {
  const said: readonly (readonly [number, string, string])[] = [
    [counts.imported, 'imported with history', 'would be imported with history'],
    [counts.written, 'written as a new version', 'would be written as a new version'],
    [counts.identical, 'here already', 'here already'],
    [counts.skipped, 'left as it is here', 'would be left as it is here'],
  ]
  const lines = said.flatMap(([count, done, planned]) =>
    count === 0 ? [] : [`${counted(count, 'namespace')} ${dryRun ? planned : done}`],
  )
  return lines.length === 0 ? ['The export holds no namespace'] : [...lines, ...appliedLines(spread)]
}
