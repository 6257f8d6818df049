// Dtabs in bytes: large ones in steps between other work, each once for all who are sent it at about the same time. Knows no call.
import type { NamespaceSnapshot } from '../../interpreters/interpreter.ts'
import { encodeDtabRsp } from '../../proto/mesh-messages.ts'
import type { Task, WorkQueue } from '../push/work-queue.ts'
import { unsendable } from './mesh-frames.ts'

/** Takes a frame; an empty one cannot be sent. Must not throw. */
export type OnPrinted = (frame: Buffer) => void

interface Wait {
  readonly then: OnPrinted
}

interface Job {
  readonly steps: Generator<undefined, Buffer>
  readonly waiting: Set<Wait>
}

export class DtabPress implements Task {
  readonly #queue: Pick<WorkQueue, 'add'>
  readonly #jobs = new Map<NamespaceSnapshot, Job>()
  /** For as long as somebody still sends it. */
  readonly #printed = new WeakMap<NamespaceSnapshot, WeakRef<Buffer>>()

  constructor(queue: Pick<WorkQueue, 'add'>) {
    this.#queue = queue
  }

  /** Dtabs that are under way. */
  get open(): number {
    return this.#jobs.size
  }

  /** Calls `then` once, before it returns where that is quickly done. What this gives ends the wait, and is harmless later. */
  print(snapshot: NamespaceSnapshot, then: OnPrinted): () => void {
    const printed = this.#printed.get(snapshot)?.deref()
    const job = printed ?? this.#jobs.get(snapshot) ?? this.#begin(snapshot)
    if (Buffer.isBuffer(job)) {
      then(job)
      return () => {}
    }
    const wait: Wait = { then }
    job.waiting.add(wait)
    return () => {
      job.waiting.delete(wait)
      if (job.waiting.size === 0 && this.#jobs.get(snapshot) === job) this.#jobs.delete(snapshot)
    }
  }

  work(): boolean {
    for (const [snapshot, job] of this.#jobs) {
      const frame = this.#step(snapshot, job.steps)
      if (frame !== undefined) {
        this.#jobs.delete(snapshot)
        for (const { then } of job.waiting) then(frame)
      }
      break
    }
    return this.#jobs.size > 0
  }

  /** The frame where the first step is the last. */
  #begin(snapshot: NamespaceSnapshot): Buffer | Job {
    const { version, dtab } = snapshot
    const steps = encodeDtabRsp({ version: versionBytes(version), dtab })
    const frame = this.#step(snapshot, steps)
    if (frame !== undefined) return frame
    const job: Job = { steps, waiting: new Set() }
    this.#jobs.set(snapshot, job)
    this.#queue.add(this)
    return job
  }

  #step(snapshot: NamespaceSnapshot, steps: Job['steps']): Buffer | undefined {
    const frame = stepOf(steps)
    if (frame !== undefined) this.#printed.set(snapshot, new WeakRef(frame))
    return frame
  }
}

/** The frame, after the last step. */
function stepOf(steps: Job['steps']): Buffer | undefined {
  try {
    const { done, value } = steps.next()
    return done === true ? value : undefined
  } catch (error) {
    if (!(error instanceof RangeError)) throw error
    return unsendable
  }
}

/** As namerd's in-memory store has it: eight bytes, big-endian. */
function versionBytes(version: number): string {
  const id = Buffer.alloc(8)
  id.writeBigUInt64BE(BigInt(version))
  return id.toString('latin1')
}
