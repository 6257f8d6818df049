// The kind `io.l5d.rewrite`: names that match a pattern become other names, which are looked up again.
import { z } from 'zod'
import type { NameTree } from '../../naming/name-tree.ts'
import { neg } from '../../naming/name-tree.ts'
import { parsePath } from '../../naming/parse.ts'
import type { Path } from '../../naming/path.ts'
import { noSuchReplicas } from '../../naming/replica-set.ts'
import { orThrow } from '../../naming/result.ts'
import { defineKind } from '../../runtime/kind.ts'
import type { Kernel } from '../../watch/cell.ts'
import { failed, ok, type State } from '../../watch/state.ts'
import type { Namer, NamerLeaf } from '../namer.ts'
import { namerOptions } from '../namer-config.ts'
import { createPathMatcher, fillIn, type PathMatcher } from './path-matcher.ts'

const rewriteConfig = z.strictObject({
  ...namerOptions('io.l5d.rewrite'),
  /** Segments: a literal, `*` for any one, or text with `{variables}`. */
  pattern: z.string(),
  /** The new path, with the pattern's `{variables}`. */
  name: z.string().startsWith('/', 'a name begins with /'),
})

export interface RewriteOptions {
  readonly prefix: Path
  readonly pattern: string
  readonly name: string
}

/** Holds nothing; `replicas` is always neg, for nothing is bound here. */
export function createRewriteNamer({ prefix, pattern, name }: RewriteOptions, kernel: Kernel): Namer {
  const matcher = createPathMatcher(pattern)
  const noReplicas = kernel.derive('replicas of a rewriting namer', () => ok(noSuchReplicas))
  return {
    prefix,
    lookup: rest => lookup(matcher, name, rest),
    replicas: () => noReplicas,
    close: () => {},
  }
}

/** The path that `rest` is rewritten to; undefined when the pattern does not match. Throws when the result is no path. */
export function rewritePath(matcher: PathMatcher, name: string, rest: Path): Path | undefined {
  const captures = matcher.match(rest)
  return captures === undefined ? undefined : orThrow(parsePath(fillIn(name, captures)))
}

function lookup(matcher: PathMatcher, name: string, rest: Path): State<NameTree<NamerLeaf>> {
  try {
    const path = rewritePath(matcher, name, rest)
    return ok(path === undefined ? neg : { kind: 'leaf', value: { kind: 'path', path } })
  } catch (error) {
    return failed(error instanceof Error ? error : new Error(String(error)))
  }
}

/** Needs `pattern` and `name`. */
export const rewrite = defineKind({
  kind: 'io.l5d.rewrite',
  config: rewriteConfig,
  open: (config, env): Namer => createRewriteNamer(config, env.kernel),
})
