// namerctl export: every namespace with its history in one file, from this server or from a running namerd.
import type { Command } from 'commander'
import { ExportOrder } from '../../proto/export-order.ts'
import { CliError, untilInterrupted } from '../cli-error.ts'
import type { CliIo } from '../cli-io.ts'
import { ask } from '../dtab-writes.ts'
import { readExport } from '../export-lines.ts'
import { readNamerd } from '../namerd-export.ts'
import { printable } from '../printable.ts'
import { Progress } from '../progress.ts'
import { openSession, type Session } from '../session.ts'
import { openWholeFile } from '../whole-file.ts'
import { examples } from './options.ts'

interface ExportOptions {
  readonly namespace: readonly string[]
  readonly history: boolean
  readonly from?: string
  readonly skipUnsupported?: true
}

const collect = (value: string, known: readonly string[]): readonly string[] => [...known, value]

/** Adds `export` at the top level. */
export function addExport(program: Command, io: CliIo): void {
  program
    .command('export')
    .description('Write namespaces with their history to a file that `import` reads')
    .argument('[file]', '- for standard output', '-')
    .option('-n, --namespace <namespace>', 'only this one; may be given several times', collect, [])
    .option('--no-history', 'only the present dtabs, with their version numbers')
    .option('--from <url>', 'read a running namerd, whose HTTP interface is there')
    .option('--skip-unsupported', 'with --from: leave out what cannot be taken along, and exit 0')
    .addHelpText(
      'after',
      examples(
        ['export backup.ndjson', 'everything, to be kept or moved to another store'],
        ['export - --namespace default --no-history', 'one dtab as it is now'],
        ['export namerd.ndjson --from http://namerd:4180', 'what a namerd holds, for `import`'],
      ),
    )
    .action(async (file: string, options: ExportOptions, command: Command) => {
      const session = openSession(io, command)
      const ended = file === '-' ? 'interrupted: what was written is not whole' : 'interrupted: nothing was written'
      await untilInterrupted(io.interrupted, ended, () => runExport(session, file, options))
    })
}

/** A namespace that cannot be taken along. */
interface Unsupported {
  readonly namespace: string
  readonly reason: string
}

async function runExport(session: Session, file: string, options: ExportOptions): Promise<void> {
  const unsupported: Unsupported[] = []
  const weighted: string[] = []
  const chunks =
    options.from === undefined
      ? await fromServer(session, options)
      : readNamerd({
          io: session.io,
          url: options.from,
          namespaces: options.namespace,
          onUnsupported: (namespace, reason) => unsupported.push({ namespace, reason }),
          onWeights: namespace => weighted.push(namespace),
        })
  const order = await writeExport(session, file, chunks)
  const { namespaces, versions } = order
  for (const { namespace, reason } of unsupported) session.remark(printable(`left out ${namespace}: ${reason}`))
  if (weighted.length > 0)
    session.remark(`# namerd shows weights with two decimals only: look at them in ${weighted.join(', ')}`)
  const said = `Exported ${sizeOf(order)}`
  if (file === '-') session.remark(`# ${said}`)
  else session.show({ file, namespaces, versions, unsupported }, () => [`${said} to ${file}`])
  if (unsupported.length > 0 && options.skipUnsupported !== true)
    throw new CliError(
      1,
      `${counted(unsupported.length, 'namespace')} could not be taken along: rename or mend them, or say --skip-unsupported`,
    )
}

/** `1 namespace`, `2 namespaces`. */
export function counted(count: number, what: string): string {
  return `${count} ${what}${count === 1 ? '' : 's'}`
}

function sizeOf({ versions, namespaces }: ExportOrder): string {
  return `${counted(versions, 'version')} of ${counted(namespaces, 'namespace')}`
}

async function fromServer(session: Session, { namespace, history }: ExportOptions): Promise<AsyncIterable<Uint8Array>> {
  const request = {
    path: ['api', 'export'],
    query: { namespace, history: history ? undefined : false },
    headers: { accept: 'application/x-ndjson' },
    signal: session.io.interrupted,
  }
  const response = await ask(session, namespace[0], () => session.client.send(request))
  if (response.body === null) throw new CliError(1, `${session.client.url} answered with nothing`)
  return response.body
}

/** The whole export or, but for standard output, nothing. */
async function writeExport(session: Session, file: string, chunks: AsyncIterable<Uint8Array>): Promise<ExportOrder> {
  const order = new ExportOrder()
  const progress = new Progress(session.io)
  const output = await openWholeFile(file, session.io)
  try {
    for await (const { bytes } of readExport(unbroken(chunks), 'the export', order)) {
      await output.write(bytes)
      progress.show(() => `exported ${sizeOf(order)}`)
    }
    await output.finish()
    return order
  } finally {
    progress.end()
    await output.discard()
  }
}

/** A connection that breaks is told as what it is. */
async function* unbroken(chunks: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  try {
    yield* chunks
  } catch (error) {
    if (error instanceof CliError) throw error
    throw new CliError(1, 'the connection broke before the export was whole: try again', { cause: error })
  }
}
