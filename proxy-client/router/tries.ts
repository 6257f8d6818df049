// What became of the tries of one request that failed, and whether another may follow at once: where nothing was sent, or
// where the request does no harm when it is sent twice. Knows no budget.
import type { Pick } from '../balancer/balancer.ts'
import { showEndpoint } from '../endpoint-address.ts'
import type { RequestBody } from '../exchange/inbound.ts'
import type { Upstream, UpstreamFailure } from '../pool/upstream.ts'

/** Endpoints that one request tries at most when they refuse connections. */
const maxEndpoints = 10

/** Methods that mean the same when they are received twice (RFC 9110, 9.2.2). */
const idempotent: ReadonlySet<string> = new Set(['GET', 'HEAD', 'OPTIONS', 'TRACE', 'PUT', 'DELETE'])

export class Tries {
  /** Endpoints that failed in any way: another is better. */
  failed: Upstream[] = []
  /** Those of them that took nothing: not to be tried again. */
  refusing: Upstream[] = []
  /** What became of the last try that nothing was sent in. */
  lastUnsent: 'refused' | 'crowded' = 'refused'
  /** Each try that failed, for people. */
  readonly problems: string[] = []
  readonly #isHarmless: boolean
  #requeues = 0
  #unansweredFresh = 0

  constructor(method: string, body: RequestBody | undefined) {
    this.#isHarmless = body === undefined && idempotent.has(method)
  }

  /** Notes a failure. Gives why another try may follow on the same client; undefined when none may. */
  note(
    { target, endpoint }: Pick<Upstream>,
    { kind, error, isFresh }: UpstreamFailure,
  ): 'unsent' | 'harmless' | undefined {
    this.problems.push(`${showEndpoint(endpoint)} (${error.message})`)
    this.failed.push(target)
    if (++this.#requeues > maxEndpoints) return undefined
    if (kind === 'refused' || kind === 'crowded') {
      this.refusing.push(target)
      this.lastUnsent = kind
      return 'unsent'
    }
    if (kind !== 'unanswered' || !this.#isHarmless) return undefined
    // A kept connection may be closed just as it is used, several of them too; a fresh one that is closed has its reason.
    if (isFresh) this.#unansweredFresh++
    return this.#unansweredFresh > 1 ? undefined : 'harmless'
  }

  /** Every endpoint may be tried again, for some time has passed. */
  beginAnew(): void {
    this.failed = []
    this.refusing = []
    this.#requeues = 0
    this.#unansweredFresh = 0
  }

  /** An attempt that took too long. */
  noteTimeout({ endpoint }: Pick<Upstream>): void {
    this.problems.push(`${showEndpoint(endpoint)} (no answer in time)`)
  }
}
