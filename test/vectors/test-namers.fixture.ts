// The four configured namers that the bind and delegate vectors were made with.

import type { Namer, NamerLeaf } from '../../interpreters/namer.ts'
import { createRewriteNamer } from '../../interpreters/rewrite/index.ts'
import { alt, empty, fail, leaf, type NameTree, neg, union } from '../../naming/name-tree.ts'
import type { Path } from '../../naming/path.ts'
import { noSuchReplicas } from '../../naming/replica-set.ts'
import type { Kernel } from '../../watch/cell.ts'
import { failed, ok, pending, type State } from '../../watch/state.ts'

type Answer = State<NameTree<NamerLeaf>>

function bound(id: Path, residual: Path): NameTree<NamerLeaf> {
  return leaf({ kind: 'bound', id, residual })
}

function lookupTest([first, ...rest]: Path): Answer {
  const named = (name: string): NameTree<NamerLeaf> => bound(['#', 'io.test', name], rest)
  switch (first) {
    case undefined:
    case 'neg':
    case 'second':
      return ok(neg)
    case 'empty':
      return ok(empty)
    case 'fail':
      return ok(fail)
    case 'throw':
      return failed(new Error('boom'))
    case 'pending':
      return pending
    case 'path':
      return ok(leaf({ kind: 'path', path: rest }))
    case 'alt':
      return ok(alt([named('alt-a'), named('alt-b')]))
    case 'union':
      return ok(
        union([
          { weight: 0.3, tree: named('union-a') },
          { weight: 0.7, tree: named('union-b') },
        ]),
      )
    default:
      return ok(named(first))
  }
}

function lookupSecond([first, ...rest]: Path): Answer {
  return ok(first === 'second' ? bound(['#', 'io.test', 'second'], rest) : neg)
}

function lookupTwo([first, second, ...rest]: Path): Answer {
  return ok(first === undefined || second === undefined ? neg : bound(['#', 'io.two', first, second], rest))
}

/** In the order that the vectors ask for. */
export function createTestNamers(kernel: Kernel): readonly Namer[] {
  const noReplicas = kernel.derive('no replicas', () => ok(noSuchReplicas))
  const namer = (name: string, lookup: (rest: Path) => Answer): Namer => ({
    prefix: ['#', name],
    lookup,
    replicas: () => noReplicas,
    close: () => {},
  })
  return [
    namer('io.test', lookupTest),
    namer('io.test', lookupSecond),
    namer('io.two', lookupTwo),
    createRewriteNamer({ prefix: ['#', 'io.rw'], pattern: '/{ns}/{svc}', name: '/#/io.test/{svc}.{ns}' }, kernel),
  ]
}
