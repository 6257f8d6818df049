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
  /** Whether an upstream may have had the request. */
  wasSent = false
  /** What became of tries, with how often. */
  readonly #problems = new Map<string, number>()
  readonly #isHarmless: boolean
  #requeues = 0
  #unansweredFresh = 0

  constructor(method: string, body: RequestBody | undefined) {
    this.#isHarmless = body === undefined && idempotent.has(method)
  }

  /** What became of the tries that failed, for people; the same is told once. */
  get problems(): readonly string[] {
    return Array.from(this.#problems, ([problem, times]) => (times === 1 ? problem : `${problem} ${times} times`))
  }

  /**
   * Notes a failure. Gives why another try may follow on the same client; undefined when none may. unsent: nothing was sent;
   * stale: a kept connection was closed, most likely before the request was read; repeatable: it was sent, and may be again.
   */
  note(
    { target, endpoint }: Pick<Upstream>,
    { kind, error, isFresh }: UpstreamFailure,
  ): 'unsent' | 'stale' | 'repeatable' | undefined {
    this.#noteProblem(`${showEndpoint(endpoint)} (${error.message})`)
    this.failed.push(target)
    const isUnsent = kind === 'refused' || kind === 'crowded'
    this.wasSent ||= !isUnsent
    if (++this.#requeues > maxEndpoints) return undefined
    if (isUnsent) {
      this.refusing.push(target)
      this.lastUnsent = kind
      return 'unsent'
    }
    if (kind !== 'unanswered' || !this.#isHarmless) return undefined
    // A kept connection may be closed just as it is used, several of them too; a fresh one that is closed has its reason.
    if (!isFresh) return 'stale'
    return ++this.#unansweredFresh > 1 ? undefined : 'repeatable'
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
    this.wasSent = true
    this.#noteProblem(`${showEndpoint(endpoint)} (no answer in time)`)
  }

  #noteProblem(problem: string): void {
    this.#problems.set(problem, (this.#problems.get(problem) ?? 0) + 1)
  }
}
