// One query, asked again and again: when, with which index, and what of the answers is told. Knows nothing of sockets.
import { hash } from 'node:crypto'
import type { Clock, Random } from '../../watch/clock.ts'
import { nextTurn, pause } from '../../watch/pause.ts'
import { runSourceLoop } from '../../watch/source-loop.ts'
import type { ConsulFollower, ConsulQuery } from './agent.ts'
import type { AgentReach } from './agent-reach.ts'
import { asError, ConsulError, statusError } from './consul-error.ts'
import { type HttpAnswer, type HttpRequests, headerText } from './http-requests.ts'
import { IndexHint } from './index-hint.ts'
import type { ConsistencyMode, ConsulEvents } from './options.ts'
import { type IdleAnswers, PollPace } from './poll-pace.ts'
import { type PollSlots, type Slot, settleMs } from './poll-slots.ts'
import { answerWithinMs } from './poll-wait.ts'

const backoff = { minMs: 10, maxMs: 5000 }
/** After so long, at random up to a fifth more or less, the query is asked once without an index. */
const rereadMs = 300_000
/** Of a larger answer, hash, JSON and content take milliseconds each: each has a turn of its own. */
const largeBytes = 1024 * 1024
/** What a re-read finds so soon after an answer, that answer should have told. */
const driftWithinMs = 1000

export interface FollowContext {
  readonly http: HttpRequests
  readonly slots: PollSlots
  readonly reach: AgentReach
  readonly idle: IdleAnswers
  readonly mode: ConsistencyMode
  readonly maxStaleMs: number
  readonly clock: Clock
  readonly random: Random
  readonly events: ConsulEvents
}

/** One way to ask: held until news with an index, at once without. */
interface Read {
  readonly index: string | undefined
  readonly waitMs: number
  readonly isReread: boolean
  /** Follows an answer that is not believed alone; it takes nothing from the bucket. */
  readonly confirms: boolean
  /** Whether the leader answers and nobody's index is compared with: such an answer needs no other to confirm it. */
  readonly isFinal: boolean
  readonly mode: ConsistencyMode
}

const yielded = Symbol('yielded')

/** Follows until the signal aborts. */
export function followQuery(
  query: ConsulQuery,
  follower: ConsulFollower,
  context: FollowContext,
  signal: AbortSignal,
): void {
  const followed = new FollowedQuery(query, follower, context)
  signal.addEventListener('abort', () => followed.close(), { once: true })
  runSourceLoop({
    clock: context.clock,
    random: context.random,
    signal,
    attempt: (ended, succeeded) => followed.attempt(ended, succeeded),
    backoff,
    askedWaitMs,
    onError: (error, retryAt) => followed.failed(error, retryAt),
  })
}

/** Who was one too many does not try again before the others have settled. */
function askedWaitMs(error: unknown): number | undefined {
  if (!(error instanceof ConsulError)) return undefined
  return error.reason === 'refused' ? Math.max(settleMs, error.retryAfterMs ?? 0) : error.retryAfterMs
}

class FollowedQuery {
  readonly #query: ConsulQuery
  readonly #follower: ConsulFollower
  readonly #context: FollowContext
  readonly #index = new IndexHint()
  readonly #pace: PollPace
  /** What the follower knows; undefined before the first answer. */
  #contentHash: string | undefined
  /** The follower heard of a failure since it heard of content. */
  #isFailing = false
  /**
   * Consul may have started again: then a leader answers from a state that lacks its latest writes, and says nothing of that,
   * until it has read its log to the end. Only a consistent read waits for that.
   */
  #mayBeBehind: boolean
  /** The agent has not said anything of it yet, good or bad. */
  #isUnheard = true
  /** The last answer is not believed before the leader has said the same. */
  #mustAskLeader = false
  #rereadAt: number
  #sentAt = 0
  /** The connections lost before the last request. */
  #losses = 0
  #answeredAt = Number.NEGATIVE_INFINITY

  constructor(query: ConsulQuery, follower: ConsulFollower, context: FollowContext) {
    this.#query = query
    this.#follower = follower
    this.#context = context
    this.#mayBeBehind = query.beginsConsistent === true
    this.#pace = new PollPace(context.clock, context.idle)
    this.#rereadAt = this.#nextReread()
  }

  close(): void {
    this.#pace.close()
  }

  failed(error: unknown, retryAt: number): void {
    if (!(error instanceof ConsulError) || error.reason !== 'refused') this.#isUnheard = false
    this.#context.events.onFailure?.(error instanceof ConsulError ? error.reason : 'malformed')
    this.#tellFailure(asError(error), retryAt)
  }

  /** One request, when its time and its turn have come. */
  async attempt(signal: AbortSignal, succeeded: () => void): Promise<void> {
    const { clock } = this.#context
    const delayMs = this.#mustAskLeader ? 0 : this.#pace.delayMs()
    if (delayMs > 0) await pause(clock, delayMs, signal)
    const slot = await this.#takeSlot(signal)
    if (slot === undefined) return
    try {
      if (signal.aborted) return
      const read = this.#nextRead()
      const answer = await this.#ask(read, slot, signal)
      if (answer !== yielded) slot.answered()
      slot.release()
      if (answer === yielded || signal.aborted) return
      await this.#take(read, answer, signal)
      succeeded()
    } catch (error) {
      if (error instanceof ConsulError) this.#noteFailure(error)
      throw error
    } finally {
      slot.release()
    }
  }

  /** Its turn, once the agent is there. */
  async #takeSlot(signal: AbortSignal): Promise<Slot | undefined> {
    const { reach, slots } = this.#context
    for (;;) {
      if (reach.isAway) await reach.wait((error, retryAt) => this.#tellFailure(error, retryAt), signal)
      const slot = await slots.take(this.#isUnheard || this.#mustAskLeader, signal)
      if (slot === undefined || !reach.isAway) return slot
      slot.release()
    }
  }

  /** A failure that concerns more than this query. */
  #noteFailure(error: ConsulError): void {
    const { reach, slots } = this.#context
    if (error.reason === 'refused') slots.refused(this.#sentAt)
    else if (error.reason === 'unreachable') reach.unreachable(error)
    else if (error.reason === 'connection') reach.broke(error)
  }

  #nextRead(): Read {
    const { mode, slots, clock, http } = this.#context
    if (this.#losses !== http.losses) {
      this.#index.forget()
      this.#mayBeBehind = true
    }
    this.#losses = http.losses
    const isReread = clock.monotonic() >= this.#rereadAt && !this.#mustAskLeader && this.#index.next !== undefined
    const confirms = this.#mustAskLeader
    const asksLeader = confirms || isReread || this.#mayBeBehind
    this.#mustAskLeader = false
    const index = asksLeader ? undefined : this.#index.next
    const mustBeSure = this.#mayBeBehind || (index === undefined && this.#query.beginsConsistent === true)
    return {
      index,
      waitMs: index === undefined ? 0 : slots.waitMs(),
      isReread,
      confirms,
      isFinal: index === undefined && (asksLeader || mode !== 'stale'),
      mode: mustBeSure ? 'consistent' : asksLeader && mode === 'stale' ? 'default' : mode,
    }
  }

  async #ask(read: Read, slot: Slot, signal: AbortSignal): Promise<HttpAnswer | typeof yielded> {
    const { http, reach, events, clock } = this.#context
    const ending = new AbortController()
    const forward = (): void => ending.abort(signal.reason)
    signal.addEventListener('abort', forward, { once: true })
    if (read.index !== undefined) slot.hold(read.waitMs, () => ending.abort(yielded))
    const over = reach.began(reason => ending.abort(reason))
    if (!read.confirms) this.#pace.sent()
    this.#sentAt = clock.monotonic()
    events.onRequest?.()
    try {
      return await http.send(
        {
          target: formatTarget(this.#query, read),
          answerWithinMs: answerWithinMs(read.waitMs),
          ...(this.#query.absentIsEmpty === true && { alsoTakes: 404 }),
        },
        ending.signal,
      )
    } catch (error) {
      if (error === yielded) return yielded
      throw error
    } finally {
      over()
      signal.removeEventListener('abort', forward)
    }
  }

  async #take(read: Read, answer: HttpAnswer, signal: AbortSignal): Promise<void> {
    this.#refuseStale(read, answer)
    const version = headerText(answer.headers, 'x-consul-index') ?? ''
    const contentHash = hash('sha256', answer.bytes, 'base64')
    const isNew = contentHash !== this.#contentHash
    if (read.index === undefined) this.#index.forget()
    const fell = this.#index.learn(version) === 'fell'
    if (this.#wokeForNothing(read, answer, version)) this.#index.forget()
    this.#mayBeBehind = fell
    this.#notePace(read, answer, isNew)
    if (isNew && this.#contentHash !== undefined && !read.isFinal && (fell || read.mode === 'stale')) {
      this.#mustAskLeader = true
      return
    }
    this.#noteReread(read, answer, isNew)
    if (!isNew && !this.#isFailing) {
      this.#follower.same(version)
      return
    }
    const isLarge = answer.bytes.length > largeBytes
    if (isLarge) await nextTurn(this.#context.clock)
    const body = decodeJson(answer)
    if (isLarge) await nextTurn(this.#context.clock)
    if (signal.aborted) return
    await this.#tellChange(answer, body, version, contentHash)
    if (isNew) this.#pace.tookIn(this.#context.clock.monotonic() - answer.receivedAt)
  }

  /**
   * Answered before its time with the index it was asked with. Consul does so when it was restored from a snapshot, with what
   * was there before; the index may now be far below, and a query that waits for it would be held in vain.
   */
  #wokeForNothing(read: Read, answer: HttpAnswer, version: string): boolean {
    return read.index !== undefined && version === read.index && answer.receivedAt - this.#sentAt < read.waitMs
  }

  async #tellChange(answer: HttpAnswer, body: unknown, version: string, contentHash: string): Promise<void> {
    const isFiltered = headerText(answer.headers, 'x-consul-results-filtered-by-acls') === 'true'
    const told = this.#follower.changed({ body, version, isFiltered, receivedAt: answer.receivedAt })
    if (told !== undefined) await told
    this.#contentHash = contentHash
    this.#isFailing = this.#isUnheard = false
  }

  #tellFailure(error: Error, retryAt: number): void {
    this.#isFailing = true
    // An agent that refuses is there, and was.
    this.#mayBeBehind ||= !(error instanceof ConsulError && error.reason === 'refused')
    this.#index.forget()
    this.#follower.failed(error, retryAt)
  }

  #notePace(read: Read, answer: HttpAnswer, isNew: boolean): void {
    const heldMs = answer.receivedAt - this.#sentAt
    const asksOnce = read.index === undefined && this.#index.next !== undefined
    this.#pace.answered(!isNew && !asksOnce && heldMs < Math.max(read.waitMs, 500) / 2)
  }

  #noteReread(read: Read, answer: HttpAnswer, isNew: boolean): void {
    const { events, clock } = this.#context
    if (read.isReread && isNew && answer.receivedAt - this.#answeredAt < driftWithinMs) events.onDrift?.()
    if (read.isFinal) this.#rereadAt = this.#nextReread()
    this.#answeredAt = clock.monotonic()
  }

  /** With `stale` a server answers that may have lost its leader. A streamed answer does not say: its content is confirmed. */
  #refuseStale(read: Read, { headers }: HttpAnswer): void {
    if (read.mode !== 'stale' || headerText(headers, 'x-consul-query-backend') === 'streaming') return
    const { maxStaleMs } = this.#context
    const lastContactMs = Number(headerText(headers, 'x-consul-lastcontact') ?? '0')
    const hasLeader = headerText(headers, 'x-consul-knownleader') !== 'false'
    if (hasLeader && lastContactMs <= maxStaleMs) return
    this.#mustAskLeader = true
    const why = hasLeader
      ? `last heard from its leader ${lastContactMs} ms ago, over ${maxStaleMs} ms`
      : 'knows no leader'
    throw new ConsulError('stale', `the Consul server that answered ${why}`)
  }

  #nextReread(): number {
    const { clock, random } = this.#context
    return clock.monotonic() + rereadMs * (0.8 + 0.4 * random())
  }
}

function formatTarget(query: ConsulQuery, { index, waitMs, mode }: Read): string {
  const parameters = new URLSearchParams(query.parameters)
  if (mode !== 'default') parameters.set(mode, '')
  if (index !== undefined) {
    parameters.set('index', index)
    parameters.set('wait', `${waitMs}ms`)
  }
  const text = parameters.toString()
  return `/v1${query.path}${text === '' ? '' : `?${text}`}`
}

function decodeJson({ status, bytes, headers }: HttpAnswer): unknown {
  if (status === 404) {
    // Consul's 404 for keys bears an index; anything else with that status is no Consul agent.
    if (headerText(headers, 'x-consul-index') === undefined) throw statusError(status, '', undefined)
    return []
  }
  try {
    return JSON.parse(bytes.toString('utf8'))
  } catch (cause) {
    throw new ConsulError('malformed', "Consul's answer is not JSON", { cause })
  }
}
