// What a running namerd holds, read over its /api/1, in the form of an export. A namerd keeps no history: each namespace
// becomes its version 1.
import { z } from 'zod'
import { checkDtab } from '../naming/check-dtab.ts'
import { formatDtab } from '../naming/format.ts'
import { parseNamespace } from '../naming/namespace.ts'
import { parseDtab } from '../naming/parse.ts'
import { encodeExportedVersion, encodeExportHeader, encodeExportTrailer } from '../proto/export-lines.ts'
import { CliError, reasonOf, usageError } from './cli-error.ts'
import type { CliIo } from './cli-io.ts'

export interface NamerdExport {
  readonly io: Pick<CliIo, 'fetch' | 'clock' | 'interrupted'>
  /** Of the HTTP interface, with or without `/api/1`. */
  readonly url: string
  /** Only these; all when empty. */
  readonly namespaces: readonly string[]
  /** Told of each namespace that cannot be taken along, and why. */
  readonly onUnsupported: (namespace: string, reason: string) => void
  /** Told of each one whose weights namerd shows with two decimals only. */
  readonly onWeights: (namespace: string) => void
}

const names = z.array(z.string())

/** `0.33*`; an asterisk in a prefix comes after a slash. */
const weight = /[\d.]\s*\*/

/** The lines. Throws a CliError when the namerd does not answer as one; a namespace that is deleted meanwhile is left out. */
export async function* readNamerd(options: NamerdExport): AsyncGenerator<Uint8Array> {
  const root = rootOf(options.url)
  const exportedAt = options.io.clock.now()
  const listed = names.safeParse(await readJson(await get(options, `${root}/dtabs`, 'application/json')))
  if (!listed.success) throw noNamerd(root)
  yield Buffer.from(encodeExportHeader({ exportedAt, from: `namerd, ${root}` }))
  let count = 0
  for (const namespace of chosen(listed.data, options.namespaces)) {
    const name = parseNamespace(namespace)
    const text = name.ok ? await textOf(options, root, namespace) : refused(options, namespace, name.error.message)
    if (text === undefined) continue
    count++
    const meta = { author: 'namerd', verified: false, message: `exported from ${root}`, time: exportedAt, parent: 0 }
    yield Buffer.from(encodeExportedVersion({ namespace, version: 1, ...meta, text }))
  }
  yield Buffer.from(encodeExportTrailer({ namespaces: count, versions: count }))
}

function rootOf(url: string): string {
  const parsed = URL.parse(url)
  const isHttp = parsed?.protocol === 'http:' || parsed?.protocol === 'https:'
  if (parsed === null || !isHttp || parsed.search !== '' || parsed.hash !== '')
    throw usageError(`--from: '${url}' is not the URL of a namerd; write for example http://namerd:4180`)
  // They would be kept in the history, and namerd knows none.
  if (parsed.username !== '' || parsed.password !== '')
    throw usageError('--from: a URL with a user or a password is not taken; write for example http://namerd:4180')
  return `${parsed.href.replace(/\/+$/, '').replace(/\/api\/1$/, '')}/api/1`
}

function chosen(listed: readonly string[], wanted: readonly string[]): readonly string[] {
  const missing = wanted.find(name => !listed.includes(name))
  if (missing !== undefined) throw new CliError(4, `there is no namespace ${missing} in that namerd`)
  return [...new Set(wanted.length === 0 ? listed : wanted)].sort()
}

function refused({ onUnsupported }: NamerdExport, namespace: string, reason: string): undefined {
  onUnsupported(namespace, reason)
}

/** A name that our grammar takes needs no escape, which namerd would not undo. Undefined when it cannot be taken along. */
async function textOf(options: NamerdExport, root: string, namespace: string): Promise<string | undefined> {
  const response = await get(options, `${root}/dtabs/${namespace}`, 'application/dtab')
  if (response === undefined) return undefined
  const text = (await response.text()).replace(/\n$/, '') // which ends every body
  const dtab = parseDtab(text)
  const checked = dtab.ok ? checkDtab(dtab.value) : dtab
  if (!checked.ok) return refused(options, namespace, checked.error.message)
  if (weight.test(text)) options.onWeights(namespace)
  return formatDtab(checked.value)
}

/** Undefined for 404. */
async function get({ io }: NamerdExport, url: string, accept: string): Promise<Response | undefined> {
  const response = await io.fetch(url, { headers: { accept }, signal: io.interrupted }).catch((error: unknown) => {
    throw new CliError(1, `no namerd answers at ${url} (${reasonOf(error)})`, { cause: error })
  })
  if (response.ok) return response
  await response.body?.cancel()
  if (response.status === 404) return undefined
  throw new CliError(1, `${url} answered ${response.status} ${response.statusText}`.trimEnd())
}

async function readJson(response: Response | undefined): Promise<unknown> {
  if (response === undefined) return undefined
  try {
    return await response.json()
  } catch (error) {
    throw new CliError(1, `${response.url} did not answer with JSON: is it a namerd?`, { cause: error })
  }
}

function noNamerd(root: string): CliError {
  return new CliError(1, `${root}/dtabs is no list of namespaces: is it a namerd?`)
}
