// Questions between two threads: each end asks and answers, follows and tells. Knows not what is asked.
import { NamingError } from '../../naming/errors.ts'
import type { Unwatch } from '../../watch/cell.ts'
import { errorFromSent, type SentError, sentErrorOf } from './port-messages.ts'

/** Every value is one that can be cloned. */
export type LineMessage =
  | { readonly kind: 'tell'; readonly what: string; readonly value: unknown }
  | { readonly kind: 'ask' | 'follow'; readonly id: number; readonly what: string; readonly value: unknown }
  /** Nobody wants the answer, or what follows, any more. */
  | { readonly kind: 'leave'; readonly id: number }
  | { readonly kind: 'answer' | 'heard'; readonly id: number; readonly value: unknown }
  /** There is no answer, or no more to hear. */
  | { readonly kind: 'fail'; readonly id: number; readonly error: SentError }

/** Nothing is called after `lost`, or after the following was ended. */
export interface LineListener {
  heard(value: unknown): void
  lost(error: Error): void
}

/** What an end does for the other. The two ends are one program, so each knows what the other sends. */
export interface LineService {
  readonly tell?: Readonly<Record<string, (value: unknown) => void>>
  readonly ask?: Readonly<Record<string, (value: unknown, signal: AbortSignal) => Promise<unknown>>>
  readonly follow?: Readonly<Record<string, (value: unknown, listener: LineListener) => Unwatch>>
}

export class Line {
  readonly #post: (message: LineMessage) => void
  #service: LineService = {}
  /** Who waits for an answer, or listens, from the other end. */
  readonly #waiting = new Map<number, LineListener>()
  /** How each question of the other end is ended from there. */
  readonly #serving = new Map<number, () => void>()
  #lastId = 0
  #over: Error | undefined

  constructor(post: (message: LineMessage) => void) {
    this.#post = post
  }

  /** What this end does; to be said before anything is received. */
  serve(service: LineService): void {
    this.#service = service
  }

  tell(what: string, value: unknown): void {
    this.#send({ kind: 'tell', what, value })
  }

  /** Rejects with what the other end fails with, when the signal aborts, and when the line ends. */
  ask(what: string, value: unknown, signal?: AbortSignal): Promise<unknown> {
    return new Promise((resolve, reject) => {
      const leave = this.#open('ask', what, value, { heard: resolve, lost: reject })
      const giveUp = (): void => {
        leave()
        reject(new NamingError('timeout', 'Nobody waits for the answer any more.'))
      }
      if (signal?.aborted) giveUp()
      else signal?.addEventListener('abort', giveUp, { once: true })
    })
  }

  follow(what: string, value: unknown, listener: LineListener): Unwatch {
    return this.#open('follow', what, value, listener)
  }

  /** Takes what the other end has sent. */
  receive(message: LineMessage): void {
    if (message.kind === 'tell') this.#service.tell?.[message.what]?.(message.value)
    else if (message.kind === 'ask') this.#answer(message.id, message.what, message.value)
    else if (message.kind === 'follow') this.#report(message.id, message.what, message.value)
    else if (message.kind === 'leave') this.#stopServing(message.id)
    else if (message.kind === 'fail') this.#settle(message.id)?.lost(errorFromSent(message.error))
    else if (message.kind === 'answer') this.#settle(message.id)?.heard(message.value)
    else this.#waiting.get(message.id)?.heard(message.value)
  }

  /** The other end is gone: whoever waits is told so, and nothing is done for it any more. */
  end(reason: Error): void {
    this.#over = reason
    for (const id of [...this.#serving.keys()]) this.#stopServing(id)
    for (const id of [...this.#waiting.keys()]) this.#settle(id)?.lost(reason)
  }

  #open(kind: 'ask' | 'follow', what: string, value: unknown, listener: LineListener): Unwatch {
    if (this.#over !== undefined) {
      listener.lost(this.#over)
      return () => {}
    }
    const id = ++this.#lastId
    this.#waiting.set(id, listener)
    this.#send({ kind, id, what, value })
    return () => {
      if (this.#settle(id) !== undefined) this.#send({ kind: 'leave', id })
    }
  }

  #settle(id: number): LineListener | undefined {
    const listener = this.#waiting.get(id)
    this.#waiting.delete(id)
    return listener
  }

  #answer(id: number, what: string, value: unknown): void {
    const left = new AbortController()
    this.#serving.set(id, () => left.abort())
    const answered = this.#service.ask?.[what]?.(value, left.signal) ?? Promise.reject(unknownQuestion(what))
    answered.then(
      answer => this.#finish({ kind: 'answer', id, value: answer }),
      error => this.#finish({ kind: 'fail', id, error: sentErrorOf(NamingError.from(error)) }),
    )
  }

  #report(id: number, what: string, value: unknown): void {
    let isOver = false
    const lost = (error: Error): void => this.#finish({ kind: 'fail', id, error: sentErrorOf(error) })
    const heard = (news: unknown): void => {
      if (!isOver) this.#send({ kind: 'heard', id, value: news })
    }
    this.#serving.set(id, () => {
      isOver = true
    })
    const end = this.#service.follow?.[what]?.(value, { heard, lost })
    if (end === undefined) lost(unknownQuestion(what))
    else if (this.#serving.has(id))
      this.#serving.set(id, () => {
        isOver = true
        end()
      })
  }

  #finish(message: LineMessage & { readonly id: number }): void {
    if (this.#serving.delete(message.id)) this.#send(message)
  }

  #stopServing(id: number): void {
    const stop = this.#serving.get(id)
    this.#serving.delete(id)
    stop?.()
  }

  #send(message: LineMessage): void {
    if (this.#over === undefined) this.#post(message)
  }
}

function unknownQuestion(what: string): NamingError {
  return new NamingError('internal', `Nobody answers ${what} at the other end.`)
}
