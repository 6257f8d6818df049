// A fake API server, a cluster that reads it and a follower, on a clock that the test moves.
import type { KubernetesAccess } from '../../../clients/kubernetes/access.ts'
import type { Collection, KubernetesCluster, KubernetesObjects } from '../../../clients/kubernetes/cluster.ts'
import { createKubernetesCluster } from '../../../clients/kubernetes/create-cluster.ts'
import { type FakeApiOptions, FakeKubernetesApi } from '../../fakes/kubernetes-api.fake.ts'
import { SocketClock } from '../../fakes/socket-clock.fake.ts'
import { Followed, slices, slicesPath } from './followed.fixture.ts'

export interface RigOptions extends FakeApiOptions {
  /** Plain HTTP to the fake when absent. */
  readonly access?: (api: FakeKubernetesApi) => KubernetesAccess
}

/** Well within the deadline of a probe. */
const quietStepMs = 4_000

export class Rig implements AsyncDisposable {
  readonly clock = new SocketClock()
  readonly api: FakeKubernetesApi
  readonly cluster: KubernetesCluster & { readonly objects: KubernetesObjects }
  readonly checkFailures: Error[] = []
  /** Where the server listens, or did. */
  readonly port: number

  private constructor(api: FakeKubernetesApi, access: KubernetesAccess) {
    this.api = api
    this.port = api.port
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

  /** The cluster is reached by another way than straight. */
  static async startBehind(access: (api: FakeKubernetesApi) => Promise<KubernetesAccess>): Promise<Rig> {
    const api = await FakeKubernetesApi.start()
    return new Rig(api, await access(api))
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

  /** Waits for these objects without a failure; time moves on only to the next try after one. */
  async untilObjects(followed: Followed, wanted: Readonly<Record<string, number>>): Promise<void> {
    const isRight = (): boolean => !followed.isFailing && followed.holds(wanted)
    while (!isRight()) {
      const failures = followed.failures.length
      if (followed.isFailing) this.toNextTry(followed)
      await followed.until(() => isRight() || followed.failures.length > failures)
    }
  }

  /** Moves time on by steps, with a turn after each, until the condition holds; nothing that is sent need be answered. */
  async advanceUntil(condition: () => boolean, stepMs: number): Promise<void> {
    while (!condition()) {
      this.clock.advance(stepMs)
      await new Promise<void>(resolve => this.clock.defer(resolve))
    }
  }

  /** Stays with a failure for so long, one try after the other; each must fail too. */
  async failingFor(followed: Followed, ms: number): Promise<void> {
    await followed.until(() => followed.isFailing)
    const until = this.clock.now() + ms
    while (this.clock.now() < until) {
      const failures = followed.failures.length
      this.toNextTry(followed)
      await followed.until(() => followed.failures.length > failures)
    }
  }

  /** Moves time on to when the failed follow said that it would try again. */
  toNextTry(followed: Followed): void {
    this.clock.advance((followed.failures.at(-1)?.retryAt ?? 0) - this.clock.now())
  }

  /** Lets time pass in which what is sent is answered; a bookmark comes every minute, or not at all. */
  async quietly(ms: number, hasBookmarks = true): Promise<void> {
    for (let passed = 0; passed < ms; passed += quietStepMs) {
      this.clock.advance(quietStepMs)
      if (hasBookmarks && passed % 60_000 === 0) this.api.bookmark()
      await this.cluster.get('/version')
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.cluster.close()
    await this.api[Symbol.asyncDispose]()
  }
}
