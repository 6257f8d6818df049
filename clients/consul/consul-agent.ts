// A ConsulAgent over HTTP. Knows nothing of names or endpoints.
import type { ConsulAgent, ConsulFollower, ConsulLoad, ConsulQuery, ConsulSelf } from './agent.ts'
import { AgentReach } from './agent-reach.ts'
import { ConsulError } from './consul-error.ts'
import { type FollowContext, followQuery } from './followed-query.ts'
import { HttpRequests } from './http-requests.ts'
import { type ConsulAgentOptions, defaultMaxBodyBytes, defaultMaxConnections, defaultMaxStaleMs } from './options.ts'
import { PlainCalls } from './plain-calls.ts'
import { IdleAnswers } from './poll-pace.ts'
import { PollSlots } from './poll-slots.ts'

/** What an agent knows by itself, whatever became of its servers: so that any answer says that it is there, and silence that it is not. */
const probePath = '/v1/agent/self'
const probeWithinMs = 5000

/** Connects to nothing before it is asked. Whoever made it closes it. */
export function createConsulAgent(options: ConsulAgentOptions): ConsulAgent {
  return new HttpConsulAgent(options)
}

class HttpConsulAgent implements ConsulAgent {
  readonly #slots: PollSlots
  readonly #reach: AgentReach
  readonly #http: HttpRequests
  readonly #plain: PlainCalls
  readonly #context: FollowContext
  readonly #follows = new Set<AbortController>()
  #requests = 0
  #isClosed = false

  constructor(options: ConsulAgentOptions) {
    const { clock, random, events = {}, maxConnections: limit = defaultMaxConnections } = options
    const onLimit = events.onLimit
    this.#slots = new PollSlots({ limit, clock, random, ...(onLimit !== undefined && { onLimit }) })
    this.#http = new HttpRequests({
      ...options,
      maxBodyBytes: options.maxBodyBytes ?? defaultMaxBodyBytes,
      onRefused: openedAt => this.#slots.refused(openedAt),
      onAnswer: () => this.#reach.answered(),
    })
    this.#reach = new AgentReach({
      clock,
      random,
      probe: signal => this.#http.send({ target: probePath, answerWithinMs: probeWithinMs }, signal),
      onFailure: error => events.onFailure?.(error instanceof ConsulError ? error.reason : 'connection'),
    })
    this.#plain = new PlainCalls(options)
    this.#context = {
      http: this.#http,
      slots: this.#slots,
      reach: this.#reach,
      idle: new IdleAnswers(options.minSpacingMs, options.newsSpacingMs),
      mode: options.consistencyMode ?? 'default',
      maxStaleMs: options.maxStaleMs ?? defaultMaxStaleMs,
      clock,
      random,
      events: { ...events, onRequest: () => this.#sent(events.onRequest) },
    }
  }

  follow(query: ConsulQuery, follower: ConsulFollower): () => void {
    if (this.#isClosed) return () => {}
    const ending = new AbortController()
    this.#follows.add(ending)
    this.#slots.queries++
    followQuery(query, follower, this.#context, ending.signal)
    return () => this.#end(ending)
  }

  self(): Promise<ConsulSelf> {
    return this.#plain.self()
  }

  datacenters(): Promise<readonly string[]> {
    return this.#plain.datacenters()
  }

  load(): ConsulLoad {
    const { inUse, waiting, limit } = this.#slots
    const { isAway, isProbing } = this.#reach
    return {
      followed: this.#follows.size,
      isReachable: !isAway,
      inUse: isProbing ? inUse + 1 : inUse,
      waiting,
      limit,
      requests: this.#requests,
    }
  }

  close(): void {
    if (this.#isClosed) return
    this.#isClosed = true
    for (const ending of this.#follows) this.#end(ending)
    this.#slots.close()
    this.#reach.rest()
    this.#http.close()
    this.#plain.close()
  }

  #end(ending: AbortController): void {
    if (!this.#follows.delete(ending)) return
    this.#slots.queries--
    ending.abort()
    if (this.#follows.size === 0) this.#reach.rest()
  }

  #sent(tell: (() => void) | undefined): void {
    this.#requests++
    tell?.()
  }
}
