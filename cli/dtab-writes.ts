// Writes to one dtab, and what is said of them: the old namerctl's line, then what was replaced.
import { type Change, dtabDiff, versionList, type WriteResult, writeResult } from './answers.ts'
import { RefusedError, type Request } from './api-client.ts'
import { appliedLines, requireApplied, type WaitOptions, waitQueryOf } from './applied.ts'
import { CliError } from './cli-error.ts'
import type { DtabSource } from './dtab-source.ts'
import { diffLines } from './dtab-text.ts'
import { printable } from './printable.ts'
import { cliErrorOf } from './problem-text.ts'
import { ProxiesProgress } from './proxies-progress.ts'
import type { Session } from './session.ts'
import { createPaint } from './styles.ts'

export interface Write {
  readonly namespace: string
  readonly message?: string | undefined
  /** If-Match: only when this version is the present one. */
  readonly version?: number | undefined
  /** If-None-Match: only when there is no dtab yet. */
  readonly isNew?: boolean
  readonly source?: DtabSource
  /** Which servers to wait for. */
  readonly waiting?: WaitOptions
}

/** Sends the write; throws a CliError that shows the line at fault, or who changed what. */
export async function sendWrite(
  session: Session,
  request: Pick<Request, 'method' | 'body'> & { readonly action?: string },
  write: Write,
): Promise<WriteResult> {
  const { namespace, message, version, isNew, source, waiting = {} } = write
  const { action, ...rest } = request
  const progress = waiting.wait?.startsWith('proxies:') ? new ProxiesProgress(session, namespace) : undefined
  try {
    return await session.client.json(writeResult, {
      ...rest,
      path: ['api', 'dtabs', namespace, ...(action === undefined ? [] : [action])],
      query: { message, ...waitQueryOf(waiting) },
      headers: {
        ...(source && { 'content-type': `${source.contentType}; charset=utf-8` }),
        ...(action !== undefined && { 'content-type': 'application/json' }),
        ...(version !== undefined && { 'if-match': `"${version}"` }),
        ...(isNew && { 'if-none-match': '*' }),
      },
    })
  } catch (error) {
    if (!(error instanceof RefusedError)) throw error
    const text = source?.contentType === 'application/dtab' ? source.text : undefined
    throw cliErrorOf(error.problem, { namespace, text, source: source?.name, isNew }, createPaint(session.io, 'stderr'))
  } finally {
    progress?.end()
  }
}

/** Puts a dtab in place. */
export function putDtab(session: Session, write: Write & { readonly source: DtabSource }): Promise<WriteResult> {
  return sendWrite(session, { method: 'PUT', body: write.source.text }, write)
}

/** `headline`, the new version, how it differs from what it replaced, and who goes by it. Throws when servers that were waited for do not. */
export async function showWritten(session: Session, headline: string, written: WriteResult): Promise<void> {
  const changes = session.form === 'table' ? await changesOf(session, written) : []
  session.show(written, () => [
    headline,
    ...replacedLines(written),
    ...appliedLines(written),
    ...diffLines(changes, session.paint),
  ])
  requireApplied(written)
}

function replacedLines({ namespace, version, deleted, replaced }: WriteResult): string[] {
  if (replaced === undefined) return [`# version ${version}`]
  const why = replaced.message === '' ? '' : `: ${printable(replaced.message)}`
  const what = replaced.deleted ? 'a deletion' : 'written'
  const lines = [
    `# version ${version} replaces version ${replaced.version}, ${what} by ${printable(replaced.author)} at ${replaced.time}${why}`,
  ]
  if (deleted) lines.push(`# \`namerctl dtab rollback ${namespace} ${replaced.version}\` restores it`)
  return lines
}

async function changesOf(
  { client }: Session,
  { namespace, version, replaced }: WriteResult,
): Promise<readonly Change[]> {
  const query = { from: replaced?.version ?? 0, to: version }
  try {
    return (await client.json(dtabDiff, { path: ['api', 'dtabs', namespace, 'diff'], query })).changes
  } catch (error) {
    // The write is done; that its difference cannot be shown must not make it look failed.
    if (error instanceof RefusedError) return []
    throw error
  }
}

/** The newest version of a namespace, a deletion included. */
export async function presentVersion(
  session: Session,
  namespace: string,
): Promise<{ readonly version: number; readonly deleted: boolean }> {
  const path = ['api', 'dtabs', namespace, 'versions']
  const { versions } = await ask(session, namespace, () =>
    session.client.json(versionList, { path, query: { limit: 1 } }),
  )
  return versions[0] ?? { version: 0, deleted: true }
}

/** The version before the newest, whose number need not be one less; 0 before the first. */
export async function versionBefore(session: Session, namespace: string): Promise<number> {
  const path = ['api', 'dtabs', namespace, 'versions']
  const { versions } = await ask(session, namespace, () =>
    session.client.json(versionList, { path, query: { limit: 2 } }),
  )
  return versions[1]?.version ?? versions[0]?.parent ?? 0
}

export interface Restorable {
  /** The deletion. */
  readonly version: number
  /** The newest version that has a text. */
  readonly text: number
}

/** Where a deleted namespace can go back to; throws when it is not deleted, or when no text of it is kept. */
export async function restorable(session: Session, namespace: string): Promise<Restorable> {
  const path = ['api', 'dtabs', namespace, 'versions']
  let deletion: number | undefined
  for (let before: number | undefined; ; ) {
    const query = { limit: 20, before }
    const page = await ask(session, namespace, () => session.client.json(versionList, { path, query }))
    const text = page.versions.find(({ deleted }) => !deleted)
    deletion ??= page.versions[0]?.version ?? 0
    if (text?.version === deletion)
      throw new CliError(1, `${namespace} is not deleted: \`namerctl dtab rollback ${namespace} VERSION\` goes back`)
    if (text !== undefined) return { version: deletion, text: text.version }
    before = page.next
    if (before === undefined) throw new CliError(4, `no text of ${namespace} is kept any more: write it anew`)
  }
}

/** Runs a request about a namespace; a refusal becomes a CliError. */
export async function ask<T>(session: Session, namespace: string | undefined, run: () => Promise<T>): Promise<T> {
  try {
    return await run()
  } catch (error) {
    if (error instanceof RefusedError) throw cliErrorOf(error.problem, { namespace }, createPaint(session.io, 'stderr'))
    throw error
  }
}
