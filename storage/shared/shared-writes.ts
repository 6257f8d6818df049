// A write to a shared backend: what it expects is checked anew against each head it finds, and it happens once, whatever
// becomes of the answers. Knows no observers: what was written is shown by SettledHeads.
import { NamingError } from '../../naming/errors.ts'
import type { Env } from '../../runtime/env.ts'
import { pause } from '../../watch/pause.ts'
import type { LinePerKey } from '../line-per-key.ts'
import { sameVersion } from '../same-heads.ts'
import type { Idempotency, Version, WriteRequest, WriteResult } from '../store.ts'
import { keyOutlivedVersion, nextVersion, recallKey, refuseHead, refuseText } from '../write-rules.ts'
import type { SettledHead, SettledHeads } from './settled-heads.ts'
import type { HeadSighting, SharedBackend } from './shared-backend.ts'

export interface SharedWritesOptions {
  readonly backend: SharedBackend
  readonly env: Env
  readonly settled: SettledHeads
  readonly line: LinePerKey
}

/** From the request on: a write that is not begun by then is refused, one that always loses or gets no answer is given up. */
const patienceMs = 10_000
const minPauseMs = 5
const maxPauseMs = 500

export class SharedWrites {
  readonly #options: SharedWritesOptions

  constructor(options: SharedWritesOptions) {
    this.#options = options
  }

  /** As Store.write. Writers of one process do not race: they stand in line for the namespace. */
  async write(request: WriteRequest): Promise<WriteResult> {
    const { backend, env, line } = this.#options
    const refusal = refuseText(request, backend.maxDtabBytes)
    if (refusal !== undefined) throw refusal
    const deadline = env.clock.monotonic() + patienceMs
    return line.run(request.namespace, async () => {
      if (env.clock.monotonic() >= deadline) throw waitedTooLong(request)
      return new Attempt(request, deadline, this, this.#options).run()
    })
  }

  /** As Store.recall; as of a head that was read just now where one is given. */
  async recall(namespace: string, idempotency: Idempotency, asOf?: HeadSighting): Promise<WriteResult | undefined> {
    const { backend, env } = this.#options
    const record = await backend.readKey(namespace, idempotency.key, asOf)
    const known = recallKey(namespace, idempotency, record, env.clock.now())
    if (known === undefined) return undefined
    if (known instanceof NamingError) throw known
    const written = await backend.readVersion(namespace, known)
    if (written === undefined) throw keyOutlivedVersion(namespace, idempotency, known)
    return { ...(await this.#withReplaced(written)), repeated: true }
  }

  async #withReplaced(written: Version): Promise<Pick<WriteResult, 'written' | 'replaced'>> {
    const { namespace, meta } = written
    const replaced = meta.parent === 0 ? undefined : await this.#options.backend.readVersion(namespace, meta.parent)
    return { written, ...(replaced && { replaced }) }
  }
}

/** A version that was sent and whose answer was lost. */
interface Doubt {
  readonly version: Version
  readonly replaced: Version | undefined
}

/** One write, from the first look at the head to its answer. */
class Attempt {
  readonly #request: WriteRequest
  readonly #deadline: number
  readonly #writes: SharedWrites
  readonly #options: SharedWritesOptions
  readonly #doubts: Doubt[] = []
  #tries = 0

  constructor(request: WriteRequest, deadline: number, writes: SharedWrites, options: SharedWritesOptions) {
    this.#request = request
    this.#deadline = deadline
    this.#writes = writes
    this.#options = options
  }

  async run(): Promise<WriteResult> {
    const unread = await this.#tryUnread()
    if (unread !== undefined) return unread
    for (;;) {
      const result = await this.#try(() => this.#options.settled.settle(this.#request.namespace))
      if (result !== undefined) return result
      this.#tries++
      if (this.#options.env.clock.monotonic() >= this.#deadline) throw this.#givenUp()
      await this.#pause()
    }
  }

  /** On the head of a moment ago, if it lets the write be; should that have moved, nothing is lost but this try. */
  async #tryUnread(): Promise<WriteResult | undefined> {
    const recent = this.#options.settled.recent(this.#request.namespace)
    if (recent === undefined || refuseHead(this.#request, recent.head) !== undefined) return undefined
    return this.#try(async () => recent)
  }

  /** Undefined: not yet, try again. */
  async #try(settle: () => Promise<SettledHead>): Promise<WriteResult | undefined> {
    try {
      const settled = await settle()
      return (await this.#madeBefore(settled)) ?? (await this.#commit(settled))
    } catch (error) {
      // Once an answer was lost, an error of another try says nothing of what became of the first.
      if (this.#doubts.length > 0 && NamingError.from(error).code === 'store-unavailable') return undefined
      throw error
    }
  }

  /**
   * What this write, or another with its key, has made already. The head was read before: a key that is written after we
   * have asked for it moves the head, and then our commit fails.
   */
  async #madeBefore({ over, head }: SettledHead): Promise<WriteResult | undefined> {
    for (const { version, replaced } of this.#doubts) {
      if (head === undefined || head.version < version.version) continue
      const found = await this.#versionOf(version, head)
      if (sameVersion(found, version)) return { written: version, ...(replaced && { replaced }), repeated: false }
    }
    const { namespace, idempotency } = this.#request
    return idempotency === undefined ? undefined : this.#writes.recall(namespace, idempotency, over)
  }

  #versionOf({ namespace, version }: Version, head: Version): Promise<Version | undefined> {
    return head.version === version ? Promise.resolve(head) : this.#options.backend.readVersion(namespace, version)
  }

  async #commit({ over, head, lost }: SettledHead): Promise<WriteResult | undefined> {
    const { settled, env } = this.#options
    const replaced = lost === undefined ? head : undefined
    const { idempotency } = this.#request
    const refusal = refuseHead(this.#request, head)
    if (refusal !== undefined) throw refusal
    const next = nextVersion(this.#request, head, env.clock.now())
    for (let { version } = next; ; ) {
      const written = { ...next, version }
      const fingerprint = idempotency === undefined ? {} : { fingerprint: idempotency.fingerprint }
      const outcome = await this.#send(written, replaced, () =>
        settled.commit({ over, version: written, ...fingerprint }),
      )
      if (outcome.kind === 'written') return { written, ...(replaced && { replaced }), repeated: false }
      if (outcome.kind === 'moved') return undefined
      version = outcome.next ?? version + 1
      if (env.clock.monotonic() >= this.#deadline) throw this.#givenUp()
    }
  }

  async #send<T>(version: Version, replaced: Version | undefined, send: () => Promise<T>): Promise<T> {
    try {
      return await send()
    } catch (error) {
      if (NamingError.from(error).code === 'store-unavailable') this.#doubts.push({ version, replaced })
      throw error
    }
  }

  #pause(): Promise<void> {
    const { clock, random } = this.#options.env
    const ceilingMs = Math.min(maxPauseMs, minPauseMs * 2 ** this.#tries)
    return pause(clock, random() * ceilingMs)
  }

  #givenUp(): NamingError {
    const { namespace } = this.#request
    if (this.#doubts.length > 0)
      return new NamingError(
        'store-unavailable',
        `The store has not said whether '${namespace}' was written: the outcome is unknown. Repeat the write with its Idempotency-Key.`,
        { detail: { namespace, outcome: 'unknown' } },
      )
    return new NamingError(
      'store-busy',
      `Others wrote '${namespace}' before this write each time for ${patienceMs / 1000} s; nothing was written.`,
      { detail: { namespace, tries: this.#tries } },
    )
  }
}

function waitedTooLong({ namespace }: WriteRequest): NamingError {
  return new NamingError(
    'store-busy',
    `The write of '${namespace}' stood in line for ${patienceMs / 1000} s behind others; nothing was written.`,
    { detail: { namespace, waitedMs: patienceMs } },
  )
}
