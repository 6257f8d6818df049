// The names that lost their endpoints lately: first those whose loss was believed, then those whose loss waits for a
// judgement, each in the order of their losses. Every step takes constant time per name. Judges nothing.
import { append, type Chained, remove } from '../watch/chain.ts'

class Loss<N> implements Chained<Loss<N>> {
  readonly name: N
  /** Monotonic milliseconds. */
  readonly at: number
  isSettling: boolean
  previous: Loss<N> | undefined
  next: Loss<N> | undefined

  constructor(name: N, at: number, isSettling: boolean) {
    this.name = name
    this.at = at
    this.isSettling = isSettling
  }
}

/** Each name at most once. A first entry of a Map would be searched among those deleted, so the order is a chain. */
export class LossWindow<N> {
  readonly #losses = new Map<N, Loss<N>>()
  #passed: Loss<N> | undefined
  #settling: Loss<N> | undefined

  get size(): number {
    return this.#losses.size
  }

  /** When the oldest loss happened that waits. */
  get settlingSince(): number | undefined {
    return this.#settling?.at
  }

  isSettling(name: N): boolean {
    return this.#losses.get(name)?.isSettling ?? false
  }

  /** The newest loss, of a name that is not in the window. One that does not wait is added while none waits. */
  add(name: N, at: number, isSettling: boolean): void {
    const loss = new Loss(name, at, isSettling)
    this.#losses.set(name, loss)
    if (isSettling) this.#settling = append(this.#settling, loss)
    else this.#passed = append(this.#passed, loss)
  }

  /** Harmless for a name that is not in the window. */
  delete(name: N): void {
    const loss = this.#losses.get(name)
    if (loss === undefined) return
    this.#losses.delete(name)
    if (loss.isSettling) this.#settling = remove(this.#settling, loss)
    else this.#passed = remove(this.#passed, loss)
  }

  /** Believes the losses up to that time which wait, and tells of each. */
  passUntil(time: number, onPass: (name: N) => void): void {
    for (let loss = this.#settling; loss !== undefined && loss.at <= time; loss = this.#settling) {
      this.#settling = remove(this.#settling, loss)
      loss.isSettling = false
      this.#passed = append(this.#passed, loss)
      onPass(loss.name)
    }
  }

  /** Takes out the believed losses before that time, and tells of each. */
  expire(from: number, onExpired: (name: N) => void): void {
    for (let loss = this.#passed; loss !== undefined && loss.at < from; loss = this.#passed) {
      this.delete(loss.name)
      onExpired(loss.name)
    }
  }

  /** Takes everything out. */
  clear(): readonly N[] {
    const names = [...this.#losses.keys()]
    this.#losses.clear()
    this.#passed = this.#settling = undefined
    return names
  }
}
