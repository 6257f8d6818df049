// Resolve: one name bound and resolved once, for tools and for clients that do not stay.
import type { BindRequest } from '../../interpreters/interpreter.ts'
import type { BoundTree } from '../../naming/bound-tree.ts'
import type { Path } from '../../naming/path.ts'
import type { ReplicaSet } from '../../naming/replica-set.ts'
import { eachLeaf } from '../../naming/tree-leaves.ts'
import type { ResolveRequest } from '../../proto/watch-requests.ts'
import type { Cell } from '../../watch/cell.ts'
import { awaited, ok, type State } from '../../watch/state.ts'
import type { WarmCells } from '../warm-cells.ts'
import type { GrpcPorts } from './grpc-ports.ts'
import { bindRequestFromName } from './wire-names.ts'

const maxWaitMs = 30_000

/** A binding and the replica sets of its leaves, as of one moment. */
export interface Resolution {
  readonly tree: State<BoundTree>
  readonly replicas: readonly { readonly id: Path; readonly state: State<ReplicaSet> }[]
}

export interface ResolveOptions {
  readonly warm: WarmCells
  /** Whose request it is. */
  readonly client: string
  readonly signal: AbortSignal
}

type ResolvePorts = Pick<GrpcPorts, 'kernel' | 'clock'> & {
  readonly interpreter: Pick<GrpcPorts['interpreter'], 'bind' | 'replicas'>
}

/** Answers when nothing is pending any more or the wait is over. Rejects with a NamingError for an invalid name. */
export async function resolveName(
  ports: ResolvePorts,
  { name, waitMs }: ResolveRequest,
  { warm, client, signal }: ResolveOptions,
): Promise<Resolution> {
  const bound = bindRequestFromName(name)
  if (!bound.ok) throw bound.error
  const key = `resolve ${JSON.stringify([name.namespace, name.path, name.dtab])}`
  const cell = warm.keep(key, () => resolutionCell(ports, bound.value), client)
  return settled(ports, cell, Math.min(waitMs, maxWaitMs), signal)
}

function resolutionCell({ interpreter, kernel }: ResolvePorts, request: BindRequest): Cell<Resolution> {
  const tree = interpreter.bind(request)
  return kernel.derive(`resolve ${tree.name}`, read => ok(resolutionOf(read, tree, interpreter)))
}

type ReadCell = <T>(cell: Cell<T>) => State<T>

function resolutionOf(read: ReadCell, bound: Cell<BoundTree>, interpreter: ResolvePorts['interpreter']): Resolution {
  const tree = read(bound)
  const replicas = new Map<string, Resolution['replicas'][number]>()
  if (tree.kind === 'ok')
    eachLeaf(tree.value, ({ id }) => replicas.set(JSON.stringify(id), { id, state: read(interpreter.replicas(id)) }))
  return { tree, replicas: [...replicas.values()] }
}

function isSettled({ tree, replicas }: Resolution): boolean {
  return tree.kind !== 'pending' && replicas.every(({ state }) => state.kind !== 'pending')
}

/** Whether a mirror in this thread is yet to hear of some of it what the main thread knows. */
function isAwaited({ tree, replicas }: Resolution): boolean {
  return tree === awaited || replicas.some(({ state }) => state === awaited)
}

/** How long that is waited for by who does not want to wait; milliseconds. */
const awaitedMs = 1_000

/** The first settled value of the cell, or what it has when the wait is over or the signal aborts. */
function settled(
  ports: ResolvePorts,
  cell: Cell<Resolution>,
  waitMs: number,
  signal: AbortSignal,
): Promise<Resolution> {
  const { promise, resolve, reject } = Promise.withResolvers<Resolution>()
  const ended = new AbortController()
  let last: Resolution | undefined
  const finish = (): void => {
    ended.abort()
    if (last !== undefined) resolve(last)
  }
  const cancelWait = ports.clock.after(waitMs === 0 ? awaitedMs : waitMs, finish)
  ended.signal.addEventListener('abort', cancelWait)
  signal.addEventListener('abort', finish, { signal: ended.signal })
  cell.watch(state => {
    if (state.kind === 'failed') {
      ended.abort()
      reject(state.error)
    } else if (state.kind === 'ok') {
      last = state.value
      if (isSettled(last) || (waitMs === 0 && !isAwaited(last))) finish()
    }
  }, ended.signal)
  return promise
}
