// Which API tells the endpoints of one Kubernetes namespace: EndpointSlices, or Endpoints where those are absent or forbidden.
// Whoever follows a service is moved from one to the other without a gap.
import { type KubernetesCluster, KubernetesStatusError } from '../../clients/kubernetes/cluster.ts'
import type { Log } from '../../runtime/log.ts'
import type { Cancel, Clock } from '../../watch/clock.ts'
import { discoveryGroup, endpointsPath, slicesPath } from './collections.ts'
import type { EndpointRecord } from './endpoint-record.ts'
import type { ObjectsFollower } from './followed-service.ts'
import { listAt, objectFrom, textAt } from './json-fields.ts'
import { MovableFollower } from './movable-follower.ts'
import type { ServiceObjects } from './service-objects.ts'

export interface SlicesOrEndpointsOptions {
  readonly namespace: string
  readonly cluster: KubernetesCluster
  readonly clock: Clock
  readonly log: Log
  readonly slices: ServiceObjects<EndpointRecord>
  readonly endpoints: ServiceObjects<EndpointRecord>
}

/** How often a namespace that is read through Endpoints is asked for EndpointSlices again, in milliseconds. */
export const lookAgainMs = 60_000

/** The caller closes it after the last follower has left. */
export class SlicesOrEndpoints {
  readonly #options: SlicesOrEndpointsOptions
  readonly #followers = new Set<MovableFollower<EndpointRecord>>()
  #source: ServiceObjects<EndpointRecord>
  #isJudging = false
  #isClosed = false
  #cancelLook: Cancel | undefined

  constructor(options: SlicesOrEndpointsOptions) {
    this.#options = options
    this.#source = options.slices
  }

  get isFollowed(): boolean {
    return this.#followers.size > 0
  }

  get isFallback(): boolean {
    return this.#source === this.#options.endpoints
  }

  get isWide(): boolean {
    return this.#options.slices.isWide || this.#options.endpoints.isWide
  }

  /** As `ServiceObjects.follow`. */
  follow(service: string, follower: ObjectsFollower<EndpointRecord>): () => void {
    const movable = new MovableFollower<EndpointRecord>({
      service,
      follower,
      looksInto: (source, error) => this.#looksInto(source, error),
    })
    this.#followers.add(movable)
    movable.move(this.#source)
    return () => {
      this.#followers.delete(movable)
      movable.leave()
    }
  }

  close(): void {
    this.#isClosed = true
    this.#cancelLook?.()
  }

  /** Whether the failure says that EndpointSlices cannot be read, so that it is looked into before anyone is told. */
  #looksInto(source: ServiceObjects<EndpointRecord>, error: Error): boolean {
    if (source !== this.#options.slices || this.isFallback) return false
    const status = statusOf(error)
    if (status === undefined || !isRefusal(status)) return false
    if (!this.#isJudging) void this.#judge(status)
    return true
  }

  /** Never rejects. Slices are asked for once more at the end: an API server that has just begun refuses what it will allow. */
  async #judge(status: number): Promise<void> {
    const { log, namespace } = this.#options
    this.#isJudging = true
    const isUnreadable = status === 403 || (await this.#isGroupAbsent())
    const falls =
      isUnreadable &&
      (await this.#ask(endpointsPath(namespace))) === 200 &&
      isRefusal(await this.#ask(slicesPath(namespace)))
    this.#isJudging = false
    if (this.#isClosed) return
    if (!falls) {
      for (const follower of this.#followers) follower.tellWithheld()
      return
    }
    const reason = status === 403 ? 'forbidden' : 'absent'
    log.warn({ namespace, reason }, 'EndpointSlices cannot be read; Endpoints are, which hold at most 1,000 addresses')
    this.#moveAll(this.#options.endpoints)
    this.#lookAgainLater()
  }

  async #isGroupAbsent(): Promise<boolean> {
    try {
      return !listsSlices(await this.#options.cluster.get(discoveryGroup))
    } catch (error) {
      return statusOf(error) === 404
    }
  }

  /** The status with which one object of the collection is answered; undefined for want of an answer. */
  async #ask(path: string): Promise<number | undefined> {
    try {
      await this.#options.cluster.get(`${path}?limit=1`)
      return 200
    } catch (error) {
      this.#options.log.debug({ err: error, path }, 'the API server does not give what it was asked for')
      return statusOf(error)
    }
  }

  #lookAgainLater(): void {
    this.#cancelLook = this.#options.clock.after(lookAgainMs, () => void this.#lookAgain())
  }

  /** Never rejects. */
  async #lookAgain(): Promise<void> {
    const { log, namespace, slices } = this.#options
    const isBack = (await this.#ask(slicesPath(namespace))) === 200
    if (this.#isClosed) return
    if (!isBack) {
      this.#lookAgainLater()
      return
    }
    log.info({ namespace }, 'EndpointSlices can be read again')
    this.#moveAll(slices)
  }

  #moveAll(source: ServiceObjects<EndpointRecord>): void {
    this.#source = source
    for (const follower of this.#followers) follower.move(source)
  }
}

function statusOf(error: unknown): number | undefined {
  return error instanceof KubernetesStatusError ? error.status : undefined
}

function isRefusal(status: number | undefined): boolean {
  return status === 403 || status === 404
}

function listsSlices(group: unknown): boolean {
  const resources = listAt(objectFrom(group, 'an API group'), 'resources')
  return resources.some(resource => textAt(objectFrom(resource, 'a resource'), 'name') === 'endpointslices')
}
