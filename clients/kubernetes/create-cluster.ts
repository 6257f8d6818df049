// One API server: its credentials, its connections and all collections that are followed there.
import type { Clock, Random } from '../../watch/clock.ts'
import { createAccess, type KubernetesAccess } from './access.ts'
import { readBody } from './answer.ts'
import type { ClusterLoad, Collection, CollectionFollower, KubernetesCluster, KubernetesObjects } from './cluster.ts'
import { CollectionFollow, type FollowCounts } from './collection-follow.ts'
import { createConnections } from './connections.ts'
import type { Wire } from './exchange.ts'
import { createObjects } from './objects.ts'
import { Requests } from './requests.ts'
import { TurnBudget } from './turn-budget.ts'
import { parseJson } from './watch-event.ts'

const getIdleMs = 30_000
const maxGetBytes = 32 << 20

export interface ClusterOptions {
  readonly access: KubernetesAccess
  readonly clock: Clock
  readonly random: Random
  /** The slow list that checks a watch failed in itself: nothing is wrong with what is held. */
  readonly onCheckFailed: (error: Error) => void
}

/** Opens nothing before the first follow or get. The caller closes it. */
export function createKubernetesCluster(
  options: ClusterOptions,
): KubernetesCluster & { readonly objects: KubernetesObjects } {
  return new Cluster(options)
}

class Cluster implements KubernetesCluster {
  readonly objects: KubernetesObjects
  readonly #options: ClusterOptions
  readonly #wire: Wire
  readonly #requests: Requests
  readonly #budget: TurnBudget
  readonly #follows = new Set<{ readonly objects: number; close(): void }>()
  readonly #counts: FollowCounts = { lists: 0, watches: 0, drift: 0 }
  readonly #closing = new AbortController()

  constructor(options: ClusterOptions) {
    const { access, clock } = options
    this.#options = options
    this.#wire = createConnections(clock)
    this.#requests = new Requests(createAccess(access, clock), this.#wire, clock)
    this.#budget = new TurnBudget(clock)
    this.objects = createObjects(this.#requests, this.#closing.signal)
  }

  follow<T>(collection: Collection<T>, follower: CollectionFollower<T>): () => void {
    const { random, onCheckFailed } = this.#options
    const requests = this.#requests
    const budget = this.#budget
    const counts = this.#counts
    const follow = new CollectionFollow({ collection, follower, requests, budget, counts, random, onCheckFailed })
    this.#follows.add(follow)
    follow.start()
    return () => {
      this.#follows.delete(follow)
      follow.close()
    }
  }

  async get(path: string): Promise<unknown> {
    return await this.#requests.ask({ path, signal: this.#closing.signal, idleMs: getIdleMs }, async answer =>
      parseJson(await readBody(answer, maxGetBytes, answer.alive)),
    )
  }

  load(): ClusterLoad {
    let objects = 0
    for (const follow of this.#follows) objects += follow.objects
    return { collections: this.#follows.size, objects, ...this.#counts }
  }

  close(): void {
    for (const follow of this.#follows) follow.close()
    this.#follows.clear()
    this.#closing.abort(new Error('the cluster was closed'))
    this.#wire.close()
  }
}
