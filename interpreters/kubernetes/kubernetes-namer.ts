// A namer whose names are services of Kubernetes: paths, ids and cells. What a name is made of is its owner's.
import { leaf, type NameTree, neg } from '../../naming/name-tree.ts'
import type { Path } from '../../naming/path.ts'
import { noSuchReplicas, type ReplicaSet } from '../../naming/replica-set.ts'
import type { Env } from '../../runtime/env.ts'
import type { Cell, Pool, Read } from '../../watch/cell.ts'
import { ok, pendingOn, type State } from '../../watch/state.ts'
import { createDiscovery, type Discovery, type DiscoveryRule, type FoundSink, readExistence } from '../discovery.ts'
import type { Namer, NamerGuard, NamerLeaf } from '../namer.ts'
import { type ServiceName, type ServicePathShape, serviceAt, showServiceName } from './service-path.ts'

export interface KubernetesNamerOptions {
  readonly kind: string
  readonly prefix: Path
  readonly rule: DiscoveryRule
  readonly shape: ServicePathShape
  /** Follows one name until the returned function is called. */
  readonly follow: (name: ServiceName, sink: FoundSink) => () => void
  /** Ends what the follows share; runs once. */
  readonly onClose: () => void
}

/** Names stay followed for so long after their last watcher left, in milliseconds. */
const lingerMs = 30_000

/** The caller closes it. Asks the API server nothing before a name is watched. */
export function createKubernetesNamer(options: KubernetesNamerOptions, env: Env): Namer {
  return new KubernetesNamer(options, env)
}

class KubernetesNamer implements Namer {
  readonly prefix: Path
  readonly guard?: NamerGuard
  readonly #options: KubernetesNamerOptions
  readonly #discovery: Discovery
  readonly #names: Pool<ServiceName, ReplicaSet>
  readonly #noName: Cell<ReplicaSet>
  #isClosed = false

  constructor(options: KubernetesNamerOptions, env: Env) {
    const { kind, prefix, rule } = options
    this.prefix = prefix
    this.#options = options
    this.#discovery = createDiscovery({ kind, prefix, rule, lingerMs }, env)
    if (this.#discovery.guard !== undefined) this.guard = this.#discovery.guard
    const open = (name: ServiceName, text: string): Cell<ReplicaSet> =>
      this.#discovery.follow(text, sink => options.follow(name, sink))
    this.#names = env.kernel.pool(open, showServiceName)
    this.#noName = env.kernel.derive(`no name of ${kind}`, () => ok(noSuchReplicas))
  }

  lookup(rest: Path, read: Read): State<NameTree<NamerLeaf>> {
    const found = serviceAt(rest, this.#options.shape)
    if (found === undefined) return ok(neg)
    const state = readExistence(this.#names.at(found.name), read)
    if (state.kind === 'pending') return pendingOn(`${this.#options.kind} ${showServiceName(found.name)}`)
    if (state.kind === 'failed') return state
    if (state.value.kind === 'neg') return ok(neg)
    const residual = rest.slice(found.labels.length)
    return ok(leaf({ kind: 'bound', id: [...this.prefix, ...found.labels], residual }))
  }

  replicas(id: Path): Cell<ReplicaSet> {
    const found = serviceAt(id.slice(this.prefix.length), this.#options.shape)
    return found === undefined ? this.#noName : this.#names.at(found.name)
  }

  close(): void {
    if (this.#isClosed) return
    this.#isClosed = true
    this.#discovery.close()
    this.#options.onClose()
  }
}
