// Queues operations for the write worker: what gathers while a group is on its way to the disk is the next group.
// Replaces a worker that died. Knows nothing of what the operations mean.
import { NamingError } from '../../naming/errors.ts'
import { dtabBytes } from '../write-rules.ts'
import { type BusyWait, lockedTooLong, pause } from './busy-wait.ts'
import { errorFromPlain, plainError } from './plain-error.ts'
import { turnOfTheLoop } from './real-turn.ts'
import { withSentText } from './sent-text.ts'
import { WriteThread } from './write-thread.ts'
import type { WorkerAnswer } from './write-worker.ts'
import type { Checkpoint, Operation, Outcome } from './writer.ts'

/** A group ends at this many operations or bytes of text. */
const groupOperations = 256
const groupBytes = 32 * 1024 * 1024
/** More than this waiting is refused, so that a stuck disk does not fill the memory. */
const queueOperations = 20_000
const queueBytes = 256 * 1024 * 1024
/** A text of more than this is answered in another turn than the one that tells the watchers. */
const turnBytes = 4 * 1024 * 1024

export interface WriteQueueOptions {
  readonly path: string
  readonly wait: BusyWait
  /** Told of each group that is on the disk, before its operations are answered. */
  readonly onCommit: (outcomes: readonly Outcome[]) => void
  readonly onBusy: () => void
  readonly onThreadLost: (error: NamingError) => void
}

interface Job {
  readonly operation: Operation
  readonly bytes: number
  readonly deadline: number
  readonly resolve: (outcome: Outcome) => void
  readonly reject: (error: NamingError) => void
}

/** Opens the file in a worker of its own; rejects with the reason when that fails. `close` ends it. */
export async function openWriteQueue(options: WriteQueueOptions): Promise<WriteQueue> {
  const queue = new WriteQueue(options, new WriteThread())
  await queue.open()
  return queue
}

export class WriteQueue {
  readonly #options: WriteQueueOptions
  #thread: WriteThread
  #jobs: Job[] = []
  #bytes = 0
  #running: Promise<void> | undefined
  #checkpoint: ((checkpoint: Checkpoint) => void) | undefined
  #isClosed = false

  constructor(options: WriteQueueOptions, thread: WriteThread) {
    this.#options = options
    this.#thread = thread
  }

  /** Waits for a locked file as long as a write would. */
  async open(): Promise<void> {
    const { path, wait } = this.#options
    const deadline = wait.clock.monotonic() + wait.limitMs
    for (;;) {
      const answer = await this.#thread.ask({ kind: 'open', path, now: wait.clock.now() })
      if (answer.kind === 'opened') return
      const canWait = answer.kind === 'not-opened' && answer.isBusy && wait.clock.monotonic() < deadline
      if (!canWait) {
        await this.#thread.stop()
        throw errorFromAnswer(answer)
      }
      await pause(wait)
    }
  }

  /** Settles once the operation is durable or refused. Rejects with store-busy, store-unavailable. */
  run(operation: Operation): Promise<Outcome> {
    const bytes = textBytes(operation)
    const refusal = this.#refusal(bytes)
    if (refusal !== undefined) return Promise.reject(refusal)
    this.#bytes += bytes
    const { clock, limitMs } = this.#options.wait
    const outcome = new Promise<Outcome>((resolve, reject) => {
      this.#jobs.push({ operation, bytes, deadline: clock.monotonic() + limitMs, resolve, reject })
    })
    this.#running ??= this.#work()
    return outcome
  }

  /** Between two groups, as soon as may be. Never rejects. At most one at a time. */
  checkpoint(): Promise<Checkpoint> {
    return new Promise(resolve => {
      this.#checkpoint = resolve
      this.#running ??= this.#work()
    })
  }

  /** What is queued settles first. */
  async close(): Promise<void> {
    if (this.#isClosed) return
    this.#isClosed = true
    await this.#running
    if (!this.#thread.isDead) await this.#thread.ask({ kind: 'close' })
    await this.#thread.stop()
  }

  #refusal(bytes: number): NamingError | undefined {
    if (this.#isClosed) return new NamingError('store-unavailable', 'The store is closed.')
    if (this.#jobs.length < queueOperations && this.#bytes + bytes <= queueBytes) return undefined
    return new NamingError('store-busy', `${this.#jobs.length} writes wait for the disk already; try again later.`)
  }

  async #work(): Promise<void> {
    while (this.#jobs.length > 0 || this.#checkpoint !== undefined) {
      if (this.#checkpoint !== undefined) await this.#runCheckpoint(this.#checkpoint)
      const group = this.#takeGroup()
      try {
        await this.#runGroup(group)
      } catch (error) {
        for (const job of group) job.reject(NamingError.from(error))
      }
    }
    this.#running = undefined
  }

  async #runCheckpoint(resolve: (checkpoint: Checkpoint) => void): Promise<void> {
    this.#checkpoint = undefined
    try {
      await this.#reviveThread()
      const answer = await this.#thread.ask({ kind: 'checkpoint' })
      if (answer.kind !== 'checkpointed') throw errorFromAnswer(answer)
      resolve(answer.checkpoint)
    } catch (error) {
      resolve({ kind: 'failed', error: plainError(error) })
    }
  }

  #takeGroup(): readonly Job[] {
    let count = 0
    let bytes = 0
    for (const job of this.#jobs) {
      if (count === groupOperations || (count > 0 && bytes + job.bytes > groupBytes)) break
      count++
      bytes += job.bytes
    }
    this.#bytes -= bytes
    return this.#jobs.splice(0, count)
  }

  async #runGroup(group: readonly Job[]): Promise<void> {
    const { wait, onBusy, onCommit } = this.#options
    let jobs = group
    while (jobs.length > 0) {
      await this.#reviveThread()
      const operations = jobs.map(job => job.operation)
      const answer = await this.#thread.ask({ kind: 'run', operations, now: wait.clock.now() })
      if (answer.kind !== 'busy') {
        const outcomes = withSentTexts(outcomesOf(answer), operations)
        if (outcomes.some(({ kind }) => kind !== 'refused')) onCommit(outcomes)
        // The watchers of a large text have filled this turn with it.
        if (jobs.some(({ bytes }) => bytes > turnBytes)) await turnOfTheLoop()
        jobs.forEach((job, i) => {
          settle(job, outcomes[i])
        })
        return
      }
      onBusy()
      jobs = this.#dropLate(jobs)
      if (jobs.length > 0) await pause(wait)
    }
  }

  #dropLate(jobs: readonly Job[]): readonly Job[] {
    const { path, wait } = this.#options
    const now = wait.clock.monotonic()
    for (const job of jobs) if (job.deadline <= now) job.reject(lockedTooLong(path, wait.limitMs))
    return jobs.filter(job => job.deadline > now)
  }

  /** What the dead worker had in hand was rejected; the rest of the queue goes to a new one. */
  async #reviveThread(): Promise<void> {
    if (!this.#thread.isDead) return
    this.#options.onThreadLost(new NamingError('store-unavailable', 'The thread that writes the database was lost.'))
    this.#thread = new WriteThread()
    await this.open()
  }
}

function textBytes(operation: Operation): number {
  if (operation.kind === 'write') return dtabBytes(operation.request.text)
  if (operation.kind !== 'import') return 0
  return operation.part.versions.reduce((total, { text }) => total + dtabBytes(text), 0)
}

function settle(job: Job, outcome: Outcome | undefined): void {
  if (outcome !== undefined) job.resolve(outcome)
  else job.reject(new NamingError('internal', 'The write worker gave too few answers.'))
}

function withSentTexts(outcomes: readonly Outcome[], operations: readonly Operation[]): readonly Outcome[] {
  return outcomes.map((outcome, i) => {
    const operation = operations[i]
    return operation === undefined ? outcome : withSentText(outcome, operation)
  })
}

function outcomesOf(answer: WorkerAnswer): readonly Outcome[] {
  if (answer.kind === 'done') return answer.outcomes
  throw errorFromAnswer(answer)
}

function errorFromAnswer(answer: WorkerAnswer): NamingError {
  if (answer.kind === 'not-opened') return errorFromPlain(answer.error)
  return new NamingError('internal', `The write worker answered '${answer.kind}' out of turn.`)
}
