// Bindings, endpoints and explanations as frames, derived from the interpreter's cells. Knows no request and no response.
import type { Interpreter, NamespaceSnapshot } from '../../interpreters/interpreter.ts'
import type { BoundName, BoundTree } from '../../naming/bound-tree.ts'
import { contentHash } from '../../naming/content-hash.ts'
import type { Dtab } from '../../naming/dtab.ts'
import { dtabToJson } from '../../naming/dtab-json.ts'
import { NamingError } from '../../naming/errors.ts'
import { leaf } from '../../naming/name-tree.ts'
import { type Path, showPath } from '../../naming/path.ts'
import type { ReplicaSet } from '../../naming/replica-set.ts'
import type { Cell, Kernel, Pool, Read } from '../../watch/cell.ts'
import type { Random } from '../../watch/clock.ts'
import { failed, ok, pending, type Stale, type State } from '../../watch/state.ts'
import { Frame, failedFrame, pendingFrame, sameFrame } from './frame.ts'
import { type AddrOf, addrJson, boundTreeJson, delegateIds, delegateTreeJson, leafIds } from './trees-json.ts'

/** A name to evaluate; `key` is equal for equal names. */
export interface Name {
  readonly key: string
  readonly namespace: string
  readonly path: Path
  readonly local: Dtab
}

export interface EvaluationFrames {
  /** The tree with each leaf's addresses as they are now. */
  bind(name: Name): Cell<Frame>
  /** The same, but changes only with the tree, and when an address stops being pending. */
  bindTree(name: Name): Cell<Frame>
  /** The addresses of one branch of the tree, drawn anew for each call and each change of the tree. */
  resolve(name: Name): Cell<Frame>
  /** The addresses of a bound id. */
  addr(name: Name): Cell<Frame>
  delegate(name: Name): Cell<Frame>
  boundNames: Cell<Frame>
}

export interface FramePorts {
  readonly interpreter: Interpreter
  readonly kernel: Kernel
  readonly random: Random
}

/** The draw is by `random`; everything else depends on the interpreter alone. Nothing to release. */
export function createEvaluationFrames({ interpreter, kernel, random }: FramePorts): EvaluationFrames {
  const pool = (kind: string, compute: (name: Name, read: Read) => Frame): Pool<Name, Frame> =>
    kernel.pool(
      name => kernel.derive(`http ${kind} ${name.key}`, read => ok(compute(name, read)), { equals: sameFrame }),
      name => name.key,
    )
  const bind = kernel.pool<Name, Frame>(
    name => kernel.derive(`http bind ${name.key}`, read => ok(bindFrame(interpreter, name, read))),
    name => name.key,
  )
  const bindTree = kernel.pool<Name, Frame>(
    name => kernel.derive(`http tree ${name.key}`, read => read(bind.at(name), differs), { equals: sameFrame }),
    name => name.key,
  )
  const addr = pool('addr', (name, read) => idFrame(interpreter, name, read))
  const delegate = pool('delegate', (name, read) => delegateFrame(interpreter, name, read))
  return {
    bind: name => bind.at(name),
    bindTree: name => bindTree.at(name),
    addr: name => addr.at(name),
    delegate: name => delegate.at(name),
    resolve: name => resolveCell(interpreter, kernel, random, name),
    boundNames: kernel.derive('http bound names', read => ok(namesFrame(read(interpreter.boundNames()))), {
      equals: sameFrame,
    }),
  }
}

/** What an evaluation gave: content with its hash, or the state that keeps it from being known. */
type Content =
  | {
      readonly kind: 'content'
      readonly hash: string
      readonly json: object
      readonly mark?: string
      readonly stale?: Stale | undefined
    }
  | { readonly kind: 'unknown'; readonly state: Exclude<State<unknown>, { kind: 'ok' }> }

const existenceChanged = (a: NamespaceSnapshot, b: NamespaceSnapshot): boolean => a.exists !== b.exists
const differs = (a: Frame, b: Frame): boolean => !sameFrame(a, b)

/** Puts content into the namespace's envelope. An equal version of the dtab makes no new frame. */
function inNamespace(interpreter: Interpreter, name: Name, read: Read, evaluate: () => Content): Frame {
  const { namespace } = name
  const snapshot = read(interpreter.namespace(namespace), existenceChanged)
  // Whether there is such a namespace is not known either, and is not said.
  if (snapshot.kind !== 'ok') return unknownFrame({ namespace }, snapshot, 0)
  const { exists, version } = snapshot.value
  const content = evaluate()
  const about = { namespace, namespaceExists: exists }
  if (content.kind === 'unknown') return unknownFrame(about, content.state, version)
  return new Frame({
    type: exists ? 'state' : 'deleted',
    about,
    dtabVersion: version,
    hash: exists ? content.hash : contentHash(`no namespace ${content.hash}`),
    content: content.json,
    ...(content.mark !== undefined && { mark: content.mark }),
    stale: older(snapshot.stale, content.stale),
  })
}

function unknownFrame(about: object, state: Exclude<State<unknown>, { kind: 'ok' }>, version?: number): Frame {
  if (state.kind === 'pending') return pendingFrame(about, state.waitingFor, version)
  return failedFrame(about, NamingError.from(state.error), version)
}

function older(a: Stale | undefined, b: Stale | undefined): Stale | undefined {
  if (a === undefined || b === undefined) return a ?? b
  return b.since < a.since ? b : a
}

function bindFrame(interpreter: Interpreter, name: Name, read: Read): Frame {
  return inNamespace(interpreter, name, read, () => {
    const tree = read(interpreter.bind(name))
    if (tree.kind !== 'ok') return { kind: 'unknown', state: tree }
    const addrs = readAddrs(interpreter, leafIds(tree.value), read)
    const skeleton = JSON.stringify(boundTreeJson(tree.value, () => pending))
    return {
      kind: 'content',
      hash: contentHash(skeleton),
      json: { tree: boundTreeJson(tree.value, addrs.of) },
      mark: addrs.pendingMark,
      stale: tree.stale,
    }
  })
}

/** Reads each id's addresses; the mark tells apart which are pending. */
function readAddrs(interpreter: Interpreter, ids: readonly Path[], read: Read): { of: AddrOf; pendingMark: string } {
  const states = new Map<string, State<ReplicaSet>>()
  let pendingMark = ''
  for (const id of ids) {
    const state = read(interpreter.replicas(id))
    states.set(showPath(id), state)
    if (state.kind === 'pending') pendingMark += `${showPath(id)} `
  }
  return { of: id => states.get(showPath(id)) ?? pending, pendingMark }
}

function addrFrame(state: State<ReplicaSet>): Content {
  if (state.kind === 'pending') return { kind: 'unknown', state }
  const json = addrJson(state)
  return {
    kind: 'content',
    hash: contentHash(JSON.stringify(json)),
    json: { addr: json },
    stale: state.kind === 'ok' ? state.stale : undefined,
  }
}

/** An id needs no rules, so a namespace that cannot be read is no hindrance; an id that no namer can have is an error. */
function idFrame(interpreter: Interpreter, name: Name, read: Read): Frame {
  const snapshot = read(interpreter.namespace(name.namespace), existenceChanged)
  const state = read(interpreter.replicas(name.path))
  const isRefused = state.kind === 'failed' && isUnknownNamer(state.error)
  const content: Content = isRefused ? { kind: 'unknown', state } : addrFrame(state)
  const { exists, version = 0 } = snapshot.kind === 'ok' ? snapshot.value : {}
  const about = { namespace: name.namespace, ...(exists !== undefined && { namespaceExists: exists }) }
  if (content.kind === 'unknown') return unknownFrame(about, content.state, version)
  const { hash, json, stale } = content
  return new Frame({ about, dtabVersion: version, hash, content: json, mark: String(exists), stale })
}

/** Whether an id asks for a namer that does not exist, which is the asker's mistake. */
export function isUnknownNamer(error: Error): boolean {
  return NamingError.from(error).code === 'unknown-namer'
}

const nothing: State<ReplicaSet> = ok({ kind: 'neg' })

function resolveCell(interpreter: Interpreter, kernel: Kernel, random: Random, name: Name): Cell<Frame> {
  const drawn = kernel.derive(`http draw ${name.key}`, read => {
    const tree = read(interpreter.bind(name))
    return tree.kind === 'ok' ? ok(drawLeaf(tree.value, random), tree.stale) : tree
  })
  return kernel.derive(
    `http resolve ${name.key}`,
    read =>
      ok(
        inNamespace(interpreter, name, read, () => {
          const bound = read(drawn)
          if (bound.kind !== 'ok') return { kind: 'unknown', state: bound }
          const content = addrFrame(bound.value === undefined ? nothing : read(interpreter.replicas(bound.value.id)))
          return content.kind === 'unknown' ? content : { ...content, stale: older(content.stale, bound.stale) }
        }),
      ),
    { equals: sameFrame },
  )
}

/** One leaf, by weight at each union; undefined where the tree ends in anything else. */
export function drawLeaf(tree: BoundTree, random: Random): BoundName | undefined {
  if (tree.kind === 'leaf') return tree.value
  if (tree.kind === 'alt') {
    const first = tree.trees.find(child => child.kind !== 'neg')
    return first === undefined ? undefined : drawLeaf(first, random)
  }
  if (tree.kind !== 'union') return undefined
  const isEndless = tree.branches.some(({ weight }) => weight === Number.POSITIVE_INFINITY)
  const weightOf = (weight: number): number => (isEndless ? Number(weight === Number.POSITIVE_INFINITY) : weight)
  let rest = random() * tree.branches.reduce((sum, { weight }) => sum + weightOf(weight), 0)
  let chosen = tree.branches[0]
  for (const branch of tree.branches) {
    if (weightOf(branch.weight) === 0) continue
    chosen = branch
    rest -= weightOf(branch.weight)
    if (rest < 0) break
  }
  return chosen === undefined ? undefined : drawLeaf(chosen.tree, random)
}

function delegateFrame(interpreter: Interpreter, name: Name, read: Read): Frame {
  const { namespace, path, local } = name
  return inNamespace(interpreter, name, read, () => {
    const tree = read(interpreter.delegate({ namespace, tree: leaf(path), local }))
    if (tree.kind === 'pending') return { kind: 'unknown', state: tree }
    if (tree.kind === 'failed') return { kind: 'unknown', state: failed(tree.error) }
    const addrs = readAddrs(interpreter, delegateIds(tree.value), read)
    const json = delegateTreeJson(tree.value, addrs.of, { spell: spellDentry, tellsWhy: true })
    const hash = contentHash(JSON.stringify(json))
    return { kind: 'content', hash, json: { tree: json }, stale: tree.stale }
  })
}

function spellDentry(dentry: Dtab[number]): { prefix: string; dst: string } {
  const [spelt] = dtabToJson([dentry])
  return spelt ?? { prefix: '/', dst: '~' }
}

function namesFrame(names: State<readonly Path[]>): Frame {
  if (names.kind !== 'ok') return unknownFrame({}, names)
  const shown = names.value.map(showPath).sort()
  return new Frame({
    about: {},
    hash: contentHash(JSON.stringify(shown)),
    content: { names: shown },
    stale: names.stale,
  })
}
