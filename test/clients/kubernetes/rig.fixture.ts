// A fake API server, a cluster that reads it and a follower, on a clock that the test moves.
import type { KubernetesAccess } from '../../../clients/kubernetes/access.ts'
import type { Collection, KubernetesCluster } from '../../../clients/kubernetes/cluster.ts'
import { createKubernetesCluster } from '../../../clients/kubernetes/create-cluster.ts'
import { type FakeApiOptions, FakeKubernetesApi } from '../../fakes/kubernetes-api.fake.ts'
import { SocketClock } from '../../fakes/socket-clock.fake.ts'
import { Followed, slices, slicesPath } from './followed.fixture.ts'

export interface RigOptions extends FakeApiOptions {
  /** Plain HTTP to the fake when absent. */
  readonly access?: (api: FakeKubernetesApi) => KubernetesAccess
}

/** Well within the deadline of a probe. */
const quietStepMs = 2_000

export class Rig implements AsyncDisposable {
  readonly clock = new SocketClock()
  readonly api: FakeKubernetesApi
  readonly cluster: KubernetesCluster
  readonly checkFailures: Error[] = []

  private constructor(api: FakeKubernetesApi, access: KubernetesAccess) {
    this.api = api
    this.cluster = createKubernetesCluster({
      access,
      clock: this.clock,
      random: () => 0.5,
      onCheckFailed: error => this.checkFailures.push(error),
    })
  }

  static async start({ access, ...options }: RigOptions = {}): Promise<Rig> {
    const api = await FakeKubernetesApi.start(options)
    return new Rig(api, access?.(api) ?? { host: '127.0.0.1', port: api.port })
  }

  follow(changes: Partial<Collection<number>> = {}): Followed {
    const followed = new Followed()
    this.cluster.follow({ ...slices, ...changes }, followed)
    return followed
  }

  /** A follow that has listed, and whose watch is open. */
  async followOpen(changes: Partial<Collection<number>> = {}): Promise<Followed> {
    const open = this.api.openWatches
    const followed = this.follow(changes)
    await this.api.until(() => this.api.openWatches > open)
    return followed
  }

  put(name: string, size: number): string {
    return this.api.put(slicesPath, { metadata: { name }, size })
  }

  remove(name: string): void {
    this.api.remove(slicesPath, name)
  }

  /** Ends every watch, and makes the change before the next one can begin. */
  apart(change: () => void): void {
    this.api.endWatches()
    change()
  }

  /** Waits for these objects; time moves on only to the next try after a failure. */
  async untilObjects(followed: Followed, wanted: Readonly<Record<string, number>>): Promise<void> {
    for (;;) {
      const failures = followed.failures.length
      await Promise.race([followed.untilObjects(wanted), followed.until(() => followed.failures.length > failures)])
      const retryAt = followed.failures.at(-1)?.retryAt ?? 0
      if (!followed.isFailing) return
      this.clock.advance(retryAt - this.clock.now())
    }
  }

  /** Lets time pass in which nothing goes wrong: what is sent is answered, and a bookmark comes every minute. */
  async quietly(ms: number): Promise<void> {
    for (let passed = 0; passed < ms; passed += quietStepMs) {
      this.clock.advance(quietStepMs)
      if (passed % 60_000 === 0) this.api.bookmark()
      await this.cluster.get('/version')
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.cluster.close()
    await this.api[Symbol.asyncDispose]()
  }
}
