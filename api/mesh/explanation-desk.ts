// Where explanations wait for their turn: one at a time between the pieces of what is pushed, and not too many of one client,
// for they are asked for most when most goes wrong. Knows no explanation.
import { NamingError } from '../../naming/errors.ts'
import { failure, type Result, success } from '../../naming/result.ts'
import type { Task, WorkQueue } from '../push/work-queue.ts'

/** Explanations that one client, and all, may have asked for and not got. */
const maxPerClient = 100
const maxInAll = 1_000

export class ExplanationDesk implements Task {
  readonly #queue: Pick<WorkQueue, 'add'>
  readonly #line = new Set<() => void>()
  readonly #clients = new Map<string, number>()
  #open = 0

  constructor(queue: Pick<WorkQueue, 'add'>) {
    this.#queue = queue
  }

  /** Explanations that were asked for and are not done. */
  get open(): number {
    return this.#open
  }

  /**
   * Calls `begin` when its turn comes, unless what this gives was called before; that must be called once the explanation
   * is done or nobody wants it any more, and is harmless a second time. resource-exhausted names the limit.
   */
  ask(client: string, begin: () => void): Result<() => void> {
    const held = this.#clients.get(client) ?? 0
    if (held >= maxPerClient) return failure(tooMany(`this client (${client})`, maxPerClient))
    if (this.#open >= maxInAll) return failure(tooMany('this server', maxInAll))
    this.#count(client, 1)
    this.#line.add(begin)
    this.#queue.add(this)
    let isDone = false
    return success(() => {
      if (isDone) return
      isDone = true
      this.#line.delete(begin)
      this.#count(client, -1)
    })
  }

  work(): boolean {
    for (const begin of this.#line) {
      this.#line.delete(begin)
      begin()
      break
    }
    return this.#line.size > 0
  }

  #count(client: string, change: number): void {
    this.#open += change
    const held = (this.#clients.get(client) ?? 0) + change
    if (held === 0) this.#clients.delete(client)
    else this.#clients.set(client, held)
  }
}

function tooMany(who: string, limit: number): NamingError {
  return new NamingError('resource-exhausted', `${limit} explanations are under way for ${who}, which is its limit.`)
}
