// namerctl dtab edit: the dtab in an editor, written back unless somebody else wrote meanwhile.
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Command } from 'commander'
import { RefusedError } from '../api-client.ts'
import { addWaitOptions, type WaitOptions } from '../applied.ts'
import { CliError, reasonOf } from '../cli-error.ts'
import type { CliIo } from '../cli-io.ts'
import { ask, putDtab, showWritten, type Write } from '../dtab-writes.ts'
import { openSession, type Session } from '../session.ts'
import { examples, messageOption } from './options.ts'

/** Adds `edit` under `dtab`. */
export function addDtabEdit(dtab: Command, io: CliIo): void {
  addWaitOptions(dtab.command('edit'))
    .description('Edit a dtab in $VISUAL or $EDITOR; refused when somebody else wrote meanwhile')
    .argument('<namespace>')
    .option(...messageOption)
    .addHelpText('after', examples(['dtab edit default', 'opens the text, comments and all']))
    .action(async (namespace: string, { message, ...waiting }: EditOptions, command: Command) => {
      await editDtab(openSession(io, command), { namespace, message, waiting })
    })
}

interface EditOptions extends WaitOptions {
  readonly message?: string
}

type Edit = Pick<Write, 'namespace' | 'message' | 'waiting'>

async function editDtab(session: Session, edit: Edit): Promise<void> {
  const { namespace } = edit
  const before = await readText(session, namespace)
  const directory = await mkdtemp(join(tmpdir(), 'namerctl-'))
  const file = join(directory, `${namespace}.dtab`)
  let keepsFile = false
  try {
    await writeFile(file, before.text)
    await openEditor(session.io, file)
    const text = await readFile(file, 'utf8')
    if (text === before.text) {
      session.say(`${namespace} is unchanged`)
      return
    }
    if (text.trim() === '') throw new CliError(1, 'the text is empty: nothing was written; `dtab put` empties a dtab')
    keepsFile = true
    const source = { text, name: file, contentType: 'application/dtab' } as const
    const precondition = before.version === undefined ? { isNew: true } : { version: before.version }
    const written = await putDtab(session, { ...edit, source, ...precondition })
    keepsFile = false
    await showWritten(session, `Updated ${namespace}`, written)
  } catch (error) {
    if (keepsFile && error instanceof CliError) throw error.withMore(`# your text is kept in ${file}`)
    throw error
  } finally {
    if (!keepsFile) await rm(directory, { recursive: true, force: true })
  }
}

interface PresentText {
  readonly text: string
  /** Undefined when there is no dtab yet. */
  readonly version?: number
}

async function readText(session: Session, namespace: string): Promise<PresentText> {
  const headers = { accept: 'application/dtab' }
  const response = await ask(session, namespace, async () => {
    try {
      return await session.client.send({ path: ['api', 'dtabs', namespace], headers })
    } catch (error) {
      if (error instanceof RefusedError && error.problem.code === 'dtab-not-found') return undefined
      throw error
    }
  })
  if (response === undefined) return { text: '' }
  const version = /^"(\d+)(?:-dtab)?"$/.exec(response.headers.get('etag') ?? '')?.[1]
  if (version === undefined) throw new CliError(1, `${session.client.url} gave no version: is it a Nameplane server?`)
  return { text: await response.text(), version: Number(version) }
}

async function openEditor(io: CliIo, file: string): Promise<void> {
  const { VISUAL, EDITOR } = io.env
  const editor = VISUAL || EDITOR || 'vi'
  const code = await io.runEditor(editor, file).catch((error: unknown) => {
    throw new CliError(1, `cannot run ${editor} (${reasonOf(error)}): set VISUAL or EDITOR to your editor`)
  })
  if (code !== 0)
    throw new CliError(1, `${editor} ended with ${code}: nothing was written; set VISUAL or EDITOR to your editor`)
}
