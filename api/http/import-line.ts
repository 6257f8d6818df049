// One line of an import, checked against this store. Pure, so that it also runs in a worker for large lines.
import { checkDtab } from '../../naming/check-dtab.ts'
import { NamingError } from '../../naming/errors.ts'
import { parseNamespace } from '../../naming/namespace.ts'
import { parseDtab } from '../../naming/parse.ts'
import { failure, type Result, success } from '../../naming/result.ts'
import { decodeExportLine, type ExportedVersion, type ExportLine } from '../../proto/export-lines.ts'
import { refuseText } from '../../storage/write-rules.ts'
import { decodeUtf8 } from './dtab-body.ts'

/** A line of the right shape; `refusal` is why this store cannot take the version that it holds. */
export interface ImportLine {
  readonly line: ExportLine
  readonly refusal?: NamingError
}

/** bad-request when it is no line of an export. Names namespace and version in each refusal. */
export function readImportLine(bytes: Uint8Array, maxDtabBytes: number): Result<ImportLine> {
  const text = decodeUtf8(bytes, 'bad-request')
  const line = text.ok ? decodeExportLine(text.value) : text
  if (!line.ok) return failure(line.error)
  if (line.value.kind !== 'version') return success({ line: line.value })
  const refusal = refuse(line.value.version, maxDtabBytes)
  return success({ line: line.value, ...(refusal && { refusal }) })
}

function refuse({ namespace, version, text }: ExportedVersion, maxDtabBytes: number): NamingError | undefined {
  const name = parseNamespace(namespace)
  if (!name.ok) return name.error
  if (text === undefined) return undefined
  const unfit = refuseText({ namespace, text }, maxDtabBytes)
  if (unfit !== undefined) return named(unfit, version)
  const dtab = parseDtab(text)
  const checked = dtab.ok ? checkDtab(dtab.value) : dtab
  return checked.ok ? undefined : named(checked.error, version, namespace)
}

function named({ code, message, detail }: NamingError, version: number, namespace?: string): NamingError {
  const said =
    namespace === undefined ? `Version ${version}: ${message}` : `Version ${version} of '${namespace}': ${message}`
  return new NamingError(code, said, { detail: { ...detail, ...(namespace !== undefined && { namespace }), version } })
}
