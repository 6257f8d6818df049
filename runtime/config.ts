// Configuration files: YAML or JSON in, checked values out, every problem with its path, line and column.
import { readFile } from 'node:fs/promises'
import { isNode, LineCounter, parseDocument } from 'yaml'
import { z } from 'zod'
import { NamingError } from '../naming/errors.ts'
import { knownKeysAt } from './config-keys.ts'
import type { Kind, KindRegistry } from './kind.ts'

/** Where in the configuration something stands, outermost first. */
export type ConfigPath = readonly (string | number)[]

/** A parsed file. `value` is not checked yet; `fail` makes an error that points into the file. */
export interface ConfigDocument {
  readonly source: string
  readonly value: unknown
  fail(path: ConfigPath, message: string): NamingError
  /** The checked value, defaults filled in; throws `bad-config` naming every problem. `at` is where `value` stands in the file. */
  check<S extends z.ZodType>(schema: S, value: unknown, at: ConfigPath): z.output<S>
}

/** Reads a file, or standard input for `-`. Throws `bad-config` naming what is wrong and where. */
export async function readConfig(file: string): Promise<ConfigDocument> {
  return parseConfig(await readText(file), file === '-' ? 'standard input' : file)
}

async function readText(file: string): Promise<string> {
  try {
    return file === '-' ? await readAll(process.stdin) : await readFile(file, 'utf8')
  } catch (error) {
    throw new NamingError('bad-config', `${file}: cannot be read: ${readProblem(error)}`, { cause: error })
  }
}

function readProblem(error: unknown): string {
  const code = error instanceof Error && 'code' in error ? error.code : undefined
  if (code === 'ENOENT') return 'no such file'
  if (code === 'EISDIR') return 'it is a directory'
  if (code === 'EACCES') return 'permission denied'
  return error instanceof Error ? error.message : String(error)
}

async function readAll(stream: AsyncIterable<unknown>): Promise<string> {
  let text = ''
  for await (const chunk of stream) text += String(chunk)
  return text
}

/** Parses YAML (JSON is YAML). Duplicate keys, tabs, several documents and the like are `bad-config` with line and column. */
export function parseConfig(text: string, source: string): ConfigDocument {
  const lines = new LineCounter()
  const document = parseDocument(text, { lineCounter: lines, uniqueKeys: true, prettyErrors: false, strict: true })
  const [error] = document.errors
  if (error !== undefined) {
    const { line, col } = lines.linePos(error.pos[0])
    throw new NamingError('bad-config', `${source}:${line}:${col}: ${error.message}`, { detail: { line, column: col } })
  }
  const place = (path: ConfigPath): string => {
    for (let depth = path.length; depth >= 0; depth--) {
      const node: unknown = depth === 0 ? document.contents : keyOrValue(document, path.slice(0, depth))
      if (isNode(node) && node.range) {
        const { line, col } = lines.linePos(node.range[0])
        return `${source}:${line}:${col}`
      }
    }
    return source
  }
  const describe = (path: ConfigPath, message: string): string =>
    `${place(path)}: ${path.length === 0 ? '' : `${showConfigPath(path)}: `}${message}`
  const fail = (path: ConfigPath, message: string): NamingError =>
    new NamingError('bad-config', describe(path, message), { detail: { path: showConfigPath(path) } })
  return {
    source,
    value: document.toJS() ?? {},
    fail,
    check: (schema, value, at) => {
      const checked = schema.safeParse(value, { reportInput: true })
      if (checked.success) return checked.data
      const problems = checked.error.issues
        .flatMap(issue => explain(issue, schema))
        .map(({ path, message }) => describe([...at, ...path], message))
      throw new NamingError('bad-config', problems.join('\n'), { detail: { problems } })
    },
  }
}

type Document = ReturnType<typeof parseDocument>

/** The key's own node where there is one, so that an unknown key is pointed at, else the value's. */
function keyOrValue(document: Document, path: ConfigPath): unknown {
  const parent = document.getIn(path.slice(0, -1), true)
  const last = path.at(-1)
  if (typeof parent === 'object' && parent !== null && 'items' in parent && Array.isArray(parent.items)) {
    const items: readonly unknown[] = parent.items
    for (const item of items) {
      if (typeof item !== 'object' || item === null || !('key' in item) || !isNode(item.key)) continue
      if (item.key.toJSON() === last) return item.key
    }
  }
  return document.getIn(path, true)
}

/** `namers[0].rootDir` */
export function showConfigPath(path: ConfigPath): string {
  let shown = ''
  for (const part of path) shown += typeof part === 'number' ? `[${part}]` : shown === '' ? part : `.${part}`
  return shown
}

interface Problem {
  readonly path: ConfigPath
  readonly message: string
}

function explain(issue: z.core.$ZodIssue, schema: z.ZodType): readonly Problem[] {
  const path = issue.path.filter(part => typeof part !== 'symbol')
  if (issue.code !== 'unrecognized_keys') return [{ path, message: sentence(issue) }]
  const known = knownKeysAt(schema, path)
  const hint = known.length === 0 ? '' : `; known keys: ${known.join(', ')}`
  return issue.keys.map(key => ({ path: [...path, key], message: `unknown key${hint}` }))
}

function sentence(issue: z.core.$ZodIssue): string {
  if (issue.code === 'invalid_type' && issue.input === undefined) return `required (${issue.expected})`
  return issue.message
}

const withKind = z.looseObject({ kind: z.string() })

/** A kind with its checked configuration, ready to be opened. */
export interface ConfiguredKind<T> {
  readonly kind: Kind<T>
  readonly config: unknown
}

export interface KindRequest<T> {
  readonly document: ConfigDocument
  /** Where `value` stands in the file. */
  readonly at: ConfigPath
  readonly value: unknown
  readonly registry: KindRegistry<T>
  /** Kinds that others have and we lack, with what to do instead. */
  readonly refused?: Readonly<Record<string, string>>
}

/** Reads `kind`, loads it, then checks the rest against its own strict schema. */
export async function loadKind<T>({
  document,
  at,
  value,
  registry,
  refused = {},
}: KindRequest<T>): Promise<ConfiguredKind<T>> {
  const { kind, ...rest } = document.check(withKind, value, at)
  const load = Object.hasOwn(registry, kind) ? registry[kind] : undefined
  if (load === undefined) throw document.fail([...at, 'kind'], unknownKind(kind, Object.keys(registry), refused))
  const loaded = await load()
  return { kind: loaded, config: document.check(loaded.config, rest, at) }
}

function unknownKind(kind: string, known: readonly string[], refused: Readonly<Record<string, string>>): string {
  const reason = Object.hasOwn(refused, kind) ? refused[kind] : undefined
  if (reason !== undefined) return `${kind} is not supported: ${reason}`
  return `unknown kind "${kind}"; known kinds: ${[...known].sort().join(', ')}`
}
