// The push streams of all gRPC interfaces of the process as one: how many there are, and which of them go elsewhere. Knows no
// stream.
import type { ConnectionsReport, PushStreams, StreamCounts } from '../api/push-streams.ts'
import { shedStreams } from './shed-streams.ts'

export class GrpcStreams {
  readonly #apis = new Set<PushStreams>()
  readonly #shutdown: AbortSignal
  #isServing = false

  /** `shutdown`: aborted when no client may come any more. */
  constructor(shutdown: AbortSignal) {
    this.#shutdown = shutdown
  }

  add(api: PushStreams): void {
    this.#apis.add(api)
  }

  /** Clients may come from now on. */
  setServing(): void {
    this.#isServing = true
  }

  /** Undefined while no client may come. */
  counts(): StreamCounts | undefined {
    if (!this.#isServing || this.#shutdown.aborted || this.#apis.size === 0) return undefined
    let open = 0
    let leaving = 0
    for (const api of this.#apis) {
      const counts = api.streams()
      open += counts.open
      leaving += counts.leaving
    }
    return { open, leaving }
  }

  /** Sends so many to other servers, of each interface its share. */
  shed(count: number): void {
    shedStreams(this.#apis, count)
  }

  /** For /state. */
  reports(): readonly ConnectionsReport[] {
    return [...this.#apis].map(api => api.connections())
  }
}
