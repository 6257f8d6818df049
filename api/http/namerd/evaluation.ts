// /api/1/bind, addr, resolve and bound-names: namerd's evaluations, which wait while something is pending.
import type { FastifyReply } from 'fastify'
import type { Interpreter } from '../../../interpreters/interpreter.ts'
import { emptyDtab } from '../../../naming/dtab.ts'
import { parseDtab, parsePath } from '../../../naming/parse.ts'
import { type Path, showPath } from '../../../naming/path.ts'
import type { ReplicaSet } from '../../../naming/replica-set.ts'
import type { Cell, Read } from '../../../watch/cell.ts'
import { failed, ok, pending, type State } from '../../../watch/state.ts'
import type { ApiPorts } from '../../ports.ts'
import type { HttpContext } from '../context.ts'
import { drawLeaf, isUnknownNamer, type Name } from '../evaluation-frames.ts'
import { settled } from '../settled.ts'
import type { StreamKind } from '../stream-metrics.ts'
import { type AddrOf, addrJson, boundTreeJson, leafIds } from '../trees-json.ts'
import { isTrue } from './raw-url.ts'
import { NamerdRefusal, sendBody } from './reply.ts'
import { streamLines } from './stream.ts'

/** The name in a query: a path that is absent or a dtab that does not parse is namerd's 500, a bad path 400 with a text. */
export function nameOf(namespace: string, query: URLSearchParams): Name {
  const path = query.get('path')
  if (path === null) throw new NamerdRefusal(500)
  const parsed = parsePath(path)
  if (!parsed.ok) throw new NamerdRefusal(400, `Invalid path: ${path} / ${parsed.error.message}`)
  const dtab = query.get('dtab')
  const local = dtab === null ? undefined : parseDtab(dtab)
  if (local?.ok === false) throw new NamerdRefusal(500)
  return {
    key: JSON.stringify([namespace, path, dtab]),
    namespace,
    path: parsed.value,
    local: local?.ok === true ? local.value : emptyDtab,
  }
}

/** A bound tree as text; `skeleton` is the same without addresses. */
interface TreeText {
  readonly skeleton: string
  readonly text: string
}

export interface NamerdTrees {
  /** With the addresses as they are now; pending while any of them is. */
  live(name: Name): Cell<string>
  /** The same, but changes only with the tree. */
  tree(name: Name): Cell<string>
}

const treeDiffers = (a: TreeText, b: TreeText): boolean => a.skeleton !== b.skeleton

/** Cells shared by everyone who asks the same. */
export function createNamerdTrees({ interpreter, kernel }: ApiPorts): NamerdTrees {
  const keyOf = ({ key }: Name): string => key
  const live = kernel.pool<Name, TreeText>(
    name => kernel.derive(`http /api/1/bind ${name.key}`, read => treeText(interpreter, name, read)),
    keyOf,
  )
  const textOf = (state: State<TreeText>): State<string> => (state.kind === 'ok' ? ok(state.value.text) : state)
  const liveTexts = kernel.pool<Name, string>(
    name => kernel.derive(`http /api/1 text ${name.key}`, read => textOf(read(live.at(name)))),
    keyOf,
  )
  const trees = kernel.pool<Name, string>(
    name => kernel.derive(`http /api/1 tree ${name.key}`, read => textOf(read(live.at(name), treeDiffers))),
    keyOf,
  )
  return { live: name => liveTexts.at(name), tree: name => trees.at(name) }
}

function treeText(interpreter: Interpreter, name: Name, read: Read): State<TreeText> {
  const tree = read(interpreter.bind(name))
  if (tree.kind !== 'ok') return tree
  const addrs = new Map(leafIds(tree.value).map(id => [showPath(id), read(interpreter.replicas(id))]))
  for (const addr of addrs.values()) if (addr.kind === 'pending') return addr
  const textWith = (addrOf: AddrOf): string => JSON.stringify(boundTreeJson(tree.value, addrOf))
  const skeleton = textWith(() => pending)
  return ok({ skeleton, text: textWith(id => addrs.get(showPath(id)) ?? pending) })
}

/** A failed address is an answer, a failed evaluation is not. */
export function addrText({ ports }: HttpContext, id: Path): Cell<string> {
  return ports.kernel.derive(`http /api/1/addr ${showPath(id)}`, read => {
    const addr = read(ports.interpreter.replicas(id))
    if (addr.kind === 'failed' && (isUnknownNamer(addr.error) || isFail(id))) return addr
    return addr.kind === 'pending' ? addr : ok(JSON.stringify(addrJson(addr)))
  })
}

function isFail(id: Path): boolean {
  return id[0] === '$' && id[1] === 'fail'
}

/** Bind, draw one leaf by weight for each tree, and its addresses; anything but a leaf is neg. */
export function resolvedText({ ports }: HttpContext, name: Name): Cell<string> {
  const { interpreter, kernel, random } = ports
  const drawn = kernel.derive(`http /api/1 draw ${name.key}`, read => {
    const tree = read(interpreter.bind(name))
    return tree.kind === 'ok' ? ok(drawLeaf(tree.value, random)) : tree
  })
  return kernel.derive(`http /api/1/resolve ${name.key}`, read => {
    const bound = read(drawn)
    if (bound.kind !== 'ok') return bound
    const addr: State<ReplicaSet> =
      bound.value === undefined ? ok({ kind: 'neg' }) : read(interpreter.replicas(bound.value.id))
    return addr.kind === 'pending' ? addr : ok(JSON.stringify(addrJson(addr)))
  })
}

/** No name at all shows as one empty name. */
export function boundNamesText({ ports }: HttpContext): Cell<string> {
  return ports.kernel.derive('http /api/1/bound-names', read => {
    const names = read(ports.interpreter.boundNames())
    if (names.kind === 'failed') return failed(names.error)
    if (names.kind === 'pending') return names
    return ok(JSON.stringify(names.value.length === 0 ? [''] : names.value.map(showPath)))
  })
}

export interface NamerdAnswer {
  readonly kind: StreamKind
  readonly reply: FastifyReply
  readonly query: URLSearchParams
  readonly contentType?: string
  /** What a watch follows, when that is another cell than what one answer is from. */
  readonly watched?: Cell<string>
}

/** One value and a newline, or with `watch` a chunk for each. */
export async function answerText(
  { ports, streams }: HttpContext,
  cell: Cell<string>,
  { kind, reply, query, contentType, watched = cell }: NamerdAnswer,
): Promise<FastifyReply> {
  if (isTrue(query.get('watch')))
    return streamLines(reply, streams, { kind, cell: watched, first: cell, lineOf, contentType })
  const known = cell.peek()
  const state = known.kind === 'pending' ? await wholeAnswer(cell, ports, reply) : known
  if (state.kind === 'ok') return sendBody(reply, `${state.value}\n`, contentType)
  throw state.kind === 'failed' ? new NamerdRefusal(500) : new NamerdRefusal(503)
}

/** Waits without limit, until the client leaves or the server stops. */
export function wholeAnswer<T>(cell: Cell<T>, { clock, shutdown }: ApiPorts, reply: FastifyReply): Promise<State<T>> {
  const signal = AbortSignal.any([reply.request.signal, shutdown])
  return settled(cell, ({ kind }) => kind !== 'pending', { clock, signal })
}

function lineOf(state: State<string>): string | undefined | Error {
  if (state.kind === 'failed') return state.error
  return state.kind === 'ok' ? state.value : undefined
}
