// A schema that goes by `kind`, and says of a kind that it does not know which ones there are or what takes its place.
import { z } from 'zod'
import { relayIssues } from './relay-issues.ts'

type Option = z.ZodObject<{ readonly kind: z.ZodLiteral<string> }>

/** Kinds that linkerd has and we lack, with what to do instead. */
export type RefusedKinds = Readonly<Record<string, string>>

/** Checks a value against the one of `options` that has its kind. */
export function kinds<const T extends readonly [Option, ...Option[]]>(
  options: T,
  refused: RefusedKinds = {},
): z.ZodType<z.output<T[number]>> {
  const byKind = new Map<string, T[number]>(options.map(option => [option.shape.kind.value, option]))
  return z.unknown().transform((value, context) => {
    const kind = kindOf(value)
    const option = kind === undefined ? undefined : byKind.get(kind)
    if (option === undefined) {
      context.addIssue({ code: 'custom', path: ['kind'], message: explain(kind, [...byKind.keys()], refused) })
      return z.NEVER
    }
    const checked = option.safeParse(value)
    if (checked.success) return checked.data
    relayIssues(checked.error, option, context)
    return z.NEVER
  })
}

function kindOf(value: unknown): string | undefined {
  const kind = typeof value === 'object' && value !== null && 'kind' in value ? value.kind : undefined
  return typeof kind === 'string' ? kind : undefined
}

function explain(kind: string | undefined, known: readonly string[], refused: RefusedKinds): string {
  const list = `known kinds: ${known.toSorted().join(', ')}`
  if (kind === undefined) return `required; ${list}`
  if (Object.hasOwn(refused, kind)) return `${kind} is not supported: ${refused[kind]}`
  return `unknown kind "${kind}"; ${list}`
}
