// The last few requests, drawn by chance, for a person who looks. Every text is cut: what clients send may be long.
import type { Random } from '../../watch/clock.ts'
import type { RequestRecord } from './stats.ts'
import type { RecentRequestsConfig } from './telemetry-config.ts'

export interface RecentRequest extends RequestRecord {
  readonly router: string
}

const maxChars = 500

/** Shared by all routers of a process. */
export class RecentRequests {
  readonly #sampleRate: number
  readonly #capacity: number
  readonly #random: Random
  readonly #kept: RecentRequest[] = []
  #next = 0

  constructor({ sampleRate, capacity }: RecentRequestsConfig, random: Random) {
    this.#sampleRate = sampleRate
    this.#capacity = capacity
    this.#random = random
  }

  /** Whether the request that is asked about is to be kept. */
  draws(): boolean {
    return this.#sampleRate >= 1 || this.#random() < this.#sampleRate
  }

  /** Takes the place of the oldest when there are enough. */
  add(router: string, record: RequestRecord): void {
    this.#kept[this.#next] = { ...shortened(record), router }
    this.#next = (this.#next + 1) % this.#capacity
  }

  /** Newest first. */
  list(): readonly RecentRequest[] {
    return [...this.#kept.slice(this.#next), ...this.#kept.slice(0, this.#next)].reverse()
  }
}

/** Its texts are parts of a whole head, or of a read, which would be kept for the sake of a part: they are copied. */
function shortened(record: RequestRecord): RequestRecord {
  const { method, target, host, requestId, userAgent, referer } = record
  return {
    ...record,
    method: short(method),
    target: short(target),
    host: host === undefined ? undefined : short(host),
    ...(requestId !== undefined && { requestId: short(requestId) }),
    ...(userAgent !== undefined && { userAgent: short(userAgent) }),
    ...(referer !== undefined && { referer: short(referer) }),
  }
}

function short(text: string): string {
  const kept = Buffer.from(text.slice(0, maxChars), 'latin1').toString('latin1')
  return text.length > maxChars ? `${kept}...` : kept
}
