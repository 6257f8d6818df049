// What everything above a store uses to change dtabs: checks the text, applies edits, explains conflicts.
// Knows no transport; the store below decides what is written.
import { checkDtab } from '../naming/check-dtab.ts'
import type { Dtab } from '../naming/dtab.ts'
import { NamingError } from '../naming/errors.ts'
import { formatDtab } from '../naming/format.ts'
import { parseNamespace } from '../naming/namespace.ts'
import { parseDtab } from '../naming/parse.ts'
import { orThrow, type Result } from '../naming/result.ts'
import { type DiffTexts, explainMismatch } from './conflict.ts'
import { type DtabEdit, type EditedDtab, editDtabText } from './dtab-edit.ts'
import { readVersion } from './history.ts'
import type { Expectation, Idempotency, Store, Version, WriteRequest, WriteResult } from './store.ts'
import { headExists, refuseHead } from './write-rules.ts'

/** What every change says of itself. */
export interface Change {
  readonly namespace: string
  readonly expect: Expectation
  readonly author: string
  readonly verified: boolean
  readonly message: string
  /** Where the request came from, an IP address. */
  readonly address?: string
  readonly idempotency?: Idempotency
}

/** Text is stored exactly as it is; a dtab is stored as `formatDtab` writes it. */
export type DtabBody = { readonly kind: 'text'; readonly text: string } | { readonly kind: 'dtab'; readonly dtab: Dtab }

/**
 * Every call rejects with NamingErrors: bad-namespace, bad-dtab (with its place), those of `Store.write`;
 * dtab-version-mismatch carries `presentVersion`, `author`, `time` and, when the expected version is known, `diff`
 * from it to the present.
 */
export interface DtabEditor {
  /** Creates or replaces. */
  put(change: Change & { readonly body: DtabBody }): Promise<WriteResult>
  /** Edits single entries of a namespace that exists, again on a newer head unless a version is expected. Also: edit-conflict and the errors of `applyEdits`. */
  patch(change: Change & { readonly edits: readonly DtabEdit[] }): Promise<WriteResult>
  delete(change: Change): Promise<WriteResult>
  /** Writes the text of an old version as a new one; restores a deleted namespace too. Also: version-not-found, edit-conflict for a tombstone. */
  rollback(change: Change & { readonly version: number }): Promise<WriteResult>
}

export interface DtabEditorOptions {
  /** For callers that parse large texts elsewhere; `parseDtab` at once when absent. */
  readonly parse?: (text: string) => Result<Dtab> | Promise<Result<Dtab>>
  /** The same for edits of a large text; `editDtabText` at once when absent. */
  readonly edit?: (text: string, edits: readonly DtabEdit[]) => Result<EditedText> | Promise<Result<EditedText>>
  /** The same for what a conflict tells of the changes; `diffTexts` at once when absent. */
  readonly diff?: DiffTexts
}

type EditedText = Pick<EditedDtab, 'text'>

/** A patch gives up after losing the race this often. */
const maxAttempts = 100

/** Holds nothing to release. */
export function createDtabEditor(store: Store, options: DtabEditorOptions = {}): DtabEditor {
  const { parse = parseDtab } = options
  return {
    put: async ({ body, ...change }) => write(store, { ...change, text: await checkedText(body, parse) }, options),
    patch: change => patch(store, change, options),
    delete: change => write(store, change, options),
    rollback: change => rollback(store, change, options),
  }
}

async function checkedText(body: DtabBody, parse: NonNullable<DtabEditorOptions['parse']>): Promise<string> {
  const dtab = body.kind === 'text' ? orThrow(await parse(body.text)) : body.dtab
  orThrow(checkDtab(dtab))
  return body.kind === 'text' ? body.text : formatDtab(dtab)
}

async function write(store: Store, request: WriteRequest, { diff }: DtabEditorOptions): Promise<WriteResult> {
  orThrow(parseNamespace(request.namespace))
  try {
    return await store.write(request)
  } catch (error) {
    throw await explainMismatch(store, request, NamingError.from(error), diff)
  }
}

async function patch(
  store: Store,
  { edits, ...change }: Change & { readonly edits: readonly DtabEdit[] },
  { edit = editDtabText, diff }: DtabEditorOptions,
): Promise<WriteResult> {
  const { namespace, idempotency } = change
  orThrow(parseNamespace(namespace))
  const recalled = idempotency === undefined ? undefined : await store.recall(namespace, idempotency)
  if (recalled !== undefined) return recalled
  for (let attempt = 1; ; attempt++) {
    const head = await presentHead(store, change, diff)
    const { text } = orThrow(await edit(head.text ?? '', edits))
    try {
      return await store.write({ ...change, text, expect: { kind: 'version', versions: [head.version] } })
    } catch (error) {
      const failure = NamingError.from(error)
      const canRetry = failure.code === 'dtab-version-mismatch' && attempt < maxAttempts
      if (!canRetry) throw await explainMismatch(store, change, failure, diff)
    }
  }
}

/** The head that the edits go on; refused as a write with the caller's expectation would be. */
async function presentHead(store: Store, change: Change, diff: DiffTexts | undefined): Promise<Version> {
  const head = await store.head(change.namespace)
  const refusal = refuseHead({ ...change, text: '' }, head)
  if (refusal !== undefined) throw await explainMismatch(store, change, refusal, diff)
  if (head !== undefined && headExists(head)) return head
  throw new NamingError('dtab-not-found', `The namespace '${change.namespace}' does not exist.`, {
    detail: { namespace: change.namespace },
  })
}

async function rollback(
  store: Store,
  { version, ...change }: Change & { readonly version: number },
  options: DtabEditorOptions,
): Promise<WriteResult> {
  orThrow(parseNamespace(change.namespace))
  const { text } = await readVersion(store, change.namespace, version)
  if (text === undefined)
    throw new NamingError(
      'edit-conflict',
      `Version ${version} of '${change.namespace}' is a deletion; choose another version, or delete the namespace.`,
      { detail: { namespace: change.namespace, version } },
    )
  const message = change.message === '' ? `rollback to version ${version}` : change.message
  return write(store, { ...change, message, text }, options)
}
