// A schema that goes by `kind`, and says of a kind that it does not know which ones there are or what takes its place.
import { z } from 'zod'
import { relayIssues } from './relay-issues.ts'

type Option = z.ZodObject<{ readonly kind: z.ZodLiteral<string> }>

type RefusedKinds = Readonly<Record<string, string>>

interface KindsOptions {
  /** Kinds that linkerd has and we lack, with what to do instead. */
  readonly refused?: RefusedKinds
  /** The kind of an object that does not say. */
  readonly otherwise?: string
}

/** Checks a value against the one of `options` that has its kind. */
export function kinds<const T extends readonly [Option, ...Option[]]>(
  options: T,
  { refused = {}, otherwise }: KindsOptions = {},
): z.ZodType<z.output<T[number]>> {
  const byKind = new Map<unknown, T[number]>(options.map(option => [option.shape.kind.value, option]))
  return z.looseObject({}, 'not an object with a kind').transform((value, context) => {
    const { kind = otherwise } = value
    const option = byKind.get(kind)
    if (option === undefined) {
      context.addIssue({ code: 'custom', path: ['kind'], message: explain(kind, [...byKind.keys()], refused) })
      return z.NEVER
    }
    const checked = option.safeParse({ ...value, kind })
    if (checked.success) return checked.data
    relayIssues(checked.error, option, context)
    return z.NEVER
  })
}

function explain(kind: unknown, known: readonly unknown[], refused: RefusedKinds): string {
  const list = `known kinds: ${known.toSorted().join(', ')}`
  if (typeof kind !== 'string') return `required; ${list}`
  if (Object.hasOwn(refused, kind)) return `${kind} is not supported: ${refused[kind]}`
  return `unknown kind "${kind}"; ${list}`
}
