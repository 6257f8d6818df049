// A ConsulKv over HTTP, on connections of its own. Knows nothing of what the keys mean.
import { pause } from '../../watch/pause.ts'
import { CallGate } from './call-gate.ts'
import { ConsulError, statusError } from './consul-error.ts'
import { type HttpAnswer, type HttpRequest, HttpRequests, headerText } from './http-requests.ts'
import type { ConsulKv, KvEntry, KvExpectation, KvOperation, KvOutcome } from './kv.ts'
import {
  decodeKeys,
  decodeSessionId,
  decodeTransaction,
  encodeCheck,
  encodeOperation,
  encodeRead,
  type TransactionAnswer,
} from './kv-json.ts'
import { type ConsulAgentOptions, defaultMaxBodyBytes } from './options.ts'

/** A call, with its wait for a connection; in milliseconds. */
const endsWithinMs = 10_000
/** Enough for fifty writers; an agent takes 200 connections from one address. */
const connections = 64
/** An agent that refuses a call is asked again after between half of this and this, doubled each time, up to the second; in milliseconds. */
const firstPauseMs = 40
const longestPauseMs = 640

export interface ConsulKvOptions
  extends Pick<ConsulAgentOptions, 'host' | 'port' | 'token' | 'tls' | 'maxBodyBytes' | 'clock' | 'random'> {
  /** Where the keys are; the agent's own when absent. */
  readonly datacenter?: string
}

/** Connects to nothing before it is asked. Whoever made it closes it. */
export function createConsulKv(options: ConsulKvOptions): ConsulKv {
  return new HttpConsulKv(options)
}

class HttpConsulKv implements ConsulKv {
  readonly #options: ConsulKvOptions
  readonly #http: HttpRequests
  readonly #gate = new CallGate(connections)
  readonly #calls = new Set<AbortController>()

  constructor(options: ConsulKvOptions) {
    this.#options = options
    this.#http = new HttpRequests({
      ...options,
      maxBodyBytes: options.maxBodyBytes ?? defaultMaxBodyBytes,
      onRefused: ignore,
      onAnswer: ignore,
    })
  }

  async read(keys: readonly string[]): Promise<readonly (KvEntry | undefined)[]> {
    if (keys.length === 0) return []
    const { entries, errors } = await this.#transaction(keys.map(encodeRead), { consistent: '' })
    // Consul leaves out what the token may not read, and tells nobody who has none.
    if (entries.length !== keys.length) throw denied(errors[0]?.reason ?? `reading ${keys[0]} is not allowed`)
    return entries.map(entry => (entry.modifyIndex === 0 ? undefined : entry))
  }

  async compare(expected: readonly KvExpectation[]): Promise<ReadonlySet<number>> {
    if (expected.length === 0) return new Set()
    const checks = expected.map(({ key, index }) => encodeCheck(key, index))
    const { errors } = await this.#transaction(checks, { consistent: '' })
    return new Set(errors.map(({ place }) => place))
  }

  async transact(operations: readonly KvOperation[]): Promise<KvOutcome> {
    const { entries, errors } = await this.#transaction(operations.map(encodeOperation), {})
    if (errors.length === 0) return { kind: 'done', entries }
    return { kind: 'refused', operations: new Set(errors.map(({ place }) => place)) }
  }

  async keys(prefix: string, { folded = false }: { readonly folded?: boolean } = {}): Promise<readonly string[]> {
    const parameters = { keys: '', consistent: '', ...(folded && { separator: '/' }) }
    const answer = await this.#send(`/kv/${encodeKey(prefix)}`, parameters, { alsoTakes: 404 })
    return answer.status === 404 ? [] : decodeKeys(decodeJson(answer))
  }

  async lastIndex(absentKey: string): Promise<number | undefined> {
    const answer = await this.#send(`/kv/${encodeKey(absentKey)}`, { consistent: '' }, { alsoTakes: 404 })
    if (answer.status !== 404) return undefined
    const index = Number(headerText(answer.headers, 'x-consul-index'))
    if (Number.isSafeInteger(index) && index > 0) return index
    throw statusError(404, '', undefined)
  }

  async createSession(name: string, ttlMs: number): Promise<string> {
    const session = { Name: name, TTL: `${ttlMs}ms`, LockDelay: '0s', Behavior: 'delete', NodeChecks: [] }
    const body = JSON.stringify(session)
    return decodeSessionId(decodeJson(await this.#send('/session/create', {}, { method: 'PUT', body })))
  }

  async renewSession(id: string): Promise<boolean> {
    const path = `/session/renew/${encodeURIComponent(id)}`
    const { status } = await this.#send(path, {}, { method: 'PUT', alsoTakes: 404 })
    return status === 200
  }

  async destroySession(id: string): Promise<void> {
    await this.#send(`/session/destroy/${encodeURIComponent(id)}`, {}, { method: 'PUT' })
  }

  load(): { readonly inUse: number; readonly waiting: number } {
    return { inUse: this.#gate.inUse, waiting: this.#gate.waiting }
  }

  close(): void {
    for (const call of this.#calls) call.abort(new ConsulError('connection', 'the connections to Consul were closed'))
    this.#http.close()
  }

  async #transaction(steps: readonly unknown[], parameters: Record<string, string>): Promise<TransactionAnswer> {
    const body = JSON.stringify(steps)
    const answer = await this.#send('/txn', parameters, { method: 'PUT', body, alsoTakes: 409 })
    const decoded = decodeTransaction(decodeJson(answer))
    const refusal = decoded.errors.find(({ reason }) => /^permission denied/i.test(reason))
    if (refusal !== undefined) throw denied(refusal.reason)
    return decoded
  }

  async #send(
    path: string,
    parameters: Readonly<Record<string, string>>,
    how: Pick<HttpRequest, 'method' | 'body' | 'alsoTakes'>,
  ): Promise<HttpAnswer> {
    const { clock, datacenter, host, port } = this.#options
    const query = new URLSearchParams({ ...parameters, ...(datacenter !== undefined && { dc: datacenter }) }).toString()
    const target = `/v1${path}${query === '' ? '' : `?${query}`}`
    const ending = new AbortController()
    this.#calls.add(ending)
    const late = (): void =>
      ending.abort(
        new ConsulError('deadline', `the Consul agent at ${host}:${port} did not answer within ${endsWithinMs} ms`),
      )
    const cancel = clock.after(endsWithinMs, late)
    try {
      return await this.#gate.run(ending.signal, () =>
        this.#insist({ ...how, target, answerWithinMs: endsWithinMs }, ending.signal),
      )
    } finally {
      cancel()
      this.#calls.delete(ending)
    }
  }

  /** An agent that refuses (429) has done nothing of what was asked: others of this address have its connections. */
  async #insist(request: HttpRequest, signal: AbortSignal): Promise<HttpAnswer> {
    const { clock, random } = this.#options
    for (let mostMs = firstPauseMs; ; mostMs = Math.min(longestPauseMs, 2 * mostMs)) {
      try {
        return await this.#http.send(request, signal)
      } catch (error) {
        if (!(error instanceof ConsulError) || error.reason !== 'refused') throw error
        await pause(clock, error.retryAfterMs ?? mostMs * (0.5 + random() / 2), signal)
        if (signal.aborted) throw error
      }
    }
  }
}

/** Slashes stay: they are part of a key's path. */
function encodeKey(key: string): string {
  return key.split('/').map(encodeURIComponent).join('/')
}

function decodeJson({ bytes }: HttpAnswer): unknown {
  try {
    return JSON.parse(bytes.toString('utf8'))
  } catch (cause) {
    throw new ConsulError('malformed', "Consul's answer is not JSON", { cause })
  }
}

function denied(reason: string): ConsulError {
  return new ConsulError('status', `Consul answered "${reason}"`, { status: 403, said: reason })
}

function ignore(): void {}
