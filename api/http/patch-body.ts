// The body of a PATCH: edits, checked strictly, errors with their place. What an edit means is not known here.
import { z } from 'zod'
import { NamingError } from '../../naming/errors.ts'
import { failure, type Result, success } from '../../naming/result.ts'
import type { DtabEdit } from '../../storage/dtab-edit.ts'
import { decodeUtf8 } from './dtab-body.ts'
import { readJson } from './json-reader.ts'

const index = z.number().int().min(0).optional()
const prefix = z.string()
const dst = z.string()

const edit = z.discriminatedUnion('op', [
  z.strictObject({ op: z.literal('set'), prefix, dst, index }),
  z.strictObject({
    op: z.literal('insert'),
    prefix,
    dst,
    before: z.string().optional(),
    after: z.string().optional(),
    index,
  }),
  z.strictObject({ op: z.literal('remove'), prefix, index }),
])
/** More than a person or a team's tool changes at once: above it one replaces the dtab. */
const maxEdits = 10_000
const patch = z.strictObject({ ops: z.array(edit).min(1).max(maxEdits) })
const rollback = z.strictObject({ version: z.number().int().min(1).max(Number.MAX_SAFE_INTEGER) })

/** The edits of a PATCH; bad-request with the JSON pointer of what is wrong. */
export function readPatch(bytes: Uint8Array): Result<readonly DtabEdit[]> {
  const body = readShape(bytes, patch)
  return body.ok ? success(body.value.ops.map(op => withoutAbsent(op))) : body
}

/** The version that a rollback names. */
export function readRollback(bytes: Uint8Array): Result<number> {
  const body = readShape(bytes, rollback)
  return body.ok ? success(body.value.version) : body
}

function readShape<S extends z.ZodType>(bytes: Uint8Array, schema: S): Result<z.output<S>> {
  const text = decodeUtf8(bytes, 'bad-request')
  const json = text.ok ? readJson(text.value) : text
  if (!json.ok) return json
  const parsed = schema.safeParse(json.value)
  if (parsed.success) return success(parsed.data)
  const [issue] = parsed.error.issues
  const at = `/${issue?.path.join('/') ?? ''}`
  return failure(new NamingError('bad-request', `body ${at}: ${issue?.message ?? 'not valid'}`, { detail: { at } }))
}

/** Absent means absent, never undefined. */
function withoutAbsent(op: z.output<typeof edit>): DtabEdit {
  return Object.fromEntries(Object.entries(op).filter(([, value]) => value !== undefined)) as DtabEdit // only absent members go
}
