// A name with a balancer over its endpoints: draws a leaf of its tree by weight, then an endpoint of that leaf.
import type { BoundName, BoundTree } from '../../naming/bound-tree.ts'
import { NamingError } from '../../naming/errors.ts'
import { foldNameTree } from '../../naming/fold.ts'
import { alt, leaf, type NameTree, union } from '../../naming/name-tree.ts'
import type { Path } from '../../naming/path.ts'
import type { Endpoint } from '../../naming/replica-set.ts'
import type { Cell, Unwatch } from '../../watch/cell.ts'
import type { Random } from '../../watch/clock.ts'
import type { State } from '../../watch/state.ts'
import type { Outcome } from '../balancer/balancer.ts'
import { createLottery, type Drawn, type Lottery } from '../binding/draw.ts'
import { Waiters } from '../cache/waiters.ts'
import type { LeafBalancer, LeafBalancers } from './leaf-balancers.ts'
import type { ClientInside } from './naming-client.ts'

/** An endpoint lent to one request. */
export interface PickedEndpoint<T> {
  readonly endpoint: Endpoint
  readonly target: T
  /** The bound id. */
  readonly id: string
  /** What is left of the name beyond the bound id. */
  readonly residual: Path
  /** The answer has begun: the balancer measures latency by it. Who does not call it is judged by `release`. */
  answered(outcome: 'success' | 'failure'): void
  /** Ends the loan; to be called once, for a balancer learns from it. */
  release(outcome: Outcome): void
}

interface Destination<T> {
  readonly leaf: LeafBalancer<T>
  readonly residual: Path
}

interface Plan<T> {
  readonly tree: BoundTree
  readonly lottery: Lottery<Destination<T>>
  readonly leaves: ReadonlySet<LeafBalancer<T>>
}

export interface NameBalancerParts<T> {
  /** For messages. */
  readonly name: string
  readonly tree: Cell<BoundTree>
  readonly leaves: LeafBalancers<T>
  readonly naming: Pick<ClientInside, 'clock' | 'problem' | 'onClose'>
  readonly random: Random
}

/** What a pick gives: an endpoint, or why there is none now. */
export type PickResult<T> =
  | { readonly kind: 'picked'; readonly picked: PickedEndpoint<T> }
  /** pending: it may be known in a moment. */
  | { readonly kind: 'none'; readonly error: NamingError; readonly isPending: boolean }

export class NameBalancer<T> {
  readonly #parts: NameBalancerParts<T>
  readonly #unwatch: Unwatch
  readonly #waiters: Waiters
  readonly #unlisten: () => void
  readonly #forgetClose: () => void
  #state: State<BoundTree> = { kind: 'pending' }
  #plan: Plan<T> | undefined
  /** Nothing becomes known any more. */
  #isNamingClosed = false

  constructor(parts: NameBalancerParts<T>) {
    this.#parts = parts
    this.#waiters = new Waiters(parts.naming.clock)
    this.#unlisten = parts.leaves.listen(() => this.#waiters.wake())
    this.#forgetClose = parts.naming.onClose(() => {
      this.#isNamingClosed = true
      this.#waiters.wake()
    })
    this.#unwatch = parts.tree.watch(state => this.#take(state))
  }

  /** Whether somebody waits for it to be known. */
  get isAwaited(): boolean {
    return this.#waiters.size > 0
  }

  /** An endpoint whose target is not in `avoid`. */
  tryPick(avoid: readonly T[] = []): PickResult<T> {
    const drawn: Drawn<Destination<T>> | undefined = this.#plan?.lottery.draw(this.#parts.random)
    if (drawn === undefined) return this.#unbound()
    if (drawn.kind !== 'leaf') return none(`${this.#parts.name} is bound to nothing (${drawn.kind})`)
    const { leaf: drawnLeaf, residual } = drawn.value
    const pick = drawnLeaf.balancer.pick(avoid)
    if (pick === undefined) return this.#unresolved(drawnLeaf)
    const { endpoint, target } = pick
    const answered = (outcome: 'success' | 'failure'): void => pick.answered(outcome)
    const release = (outcome: Outcome): void => pick.release(outcome)
    return { kind: 'picked', picked: { endpoint, target, id: drawnLeaf.idText, residual, answered, release } }
  }

  /** Waits while the answer is pending, at most `ms` milliseconds. Rejects with the NamingError of tryPick, or as the signal says. */
  async pick(ms: number, signal?: AbortSignal): Promise<PickedEndpoint<T>> {
    const { clock } = this.#parts.naming
    const until = clock.monotonic() + ms
    for (;;) {
      signal?.throwIfAborted()
      const result = this.tryPick()
      if (result.kind === 'picked') return result.picked
      const leftMs = until - clock.monotonic()
      if (!result.isPending || leftMs <= 0) throw result.error
      await this.#change(leftMs, signal)
    }
  }

  /** Gives the leaves back; picks that are out stay valid. */
  close(): void {
    this.#unwatch()
    this.#unlisten()
    this.#forgetClose()
    this.#release(this.#plan)
    this.#plan = undefined
    this.#state = { kind: 'failed', error: new NamingError('unavailable', 'The balancer is closed.') }
    this.#waiters.wake()
  }

  #take(state: State<BoundTree>): void {
    this.#state = state
    if (state.kind === 'ok' && state.value !== this.#plan?.tree) {
      const before = this.#plan
      this.#plan = this.#planOf(state.value)
      this.#release(before)
    }
    this.#waiters.wake()
  }

  #planOf(tree: BoundTree): Plan<T> {
    const leaves = new Set<LeafBalancer<T>>()
    const destinations = foldNameTree<BoundName, NameTree<Destination<T>>>(tree, {
      leaf: ({ id, residual }) => leaf({ leaf: this.#hold(id, leaves), residual }),
      mark: kind => ({ kind }),
      alt,
      union: (trees, weights) => union(trees.map((kid, i) => ({ tree: kid, weight: weights[i] ?? 0 }))),
    })
    return { tree, lottery: createLottery(destinations), leaves }
  }

  /** Two leaves may share an id; one hold per tree is enough. */
  #hold(id: Path, held: Set<LeafBalancer<T>>): LeafBalancer<T> {
    const { leaves } = this.#parts
    const acquired = leaves.acquire(id)
    if (held.has(acquired)) leaves.release(acquired)
    held.add(acquired)
    return acquired
  }

  #release(plan: Plan<T> | undefined): void {
    for (const held of plan?.leaves ?? []) this.#parts.leaves.release(held)
  }

  #unbound(): PickResult<T> {
    const { name } = this.#parts
    if (this.#state.kind === 'failed') return none(`${name} cannot be bound: ${this.#state.error.message}`)
    return this.#notYet(`${name} is not bound yet`)
  }

  #unresolved({ idText, state }: LeafBalancer<T>): PickResult<T> {
    if (state.kind === 'pending') return this.#notYet(`the endpoints of ${idText} are not known yet`)
    if (state.kind === 'failed') return none(`the endpoints of ${idText} are not known: ${state.error.message}`)
    return none(state.value.kind === 'bound' ? `${idText} has no endpoint left to try` : `${idText} does not exist`)
  }

  #notYet(what: string): PickResult<T> {
    if (this.#isNamingClosed) return none(`${what}, and the naming client is closed`)
    const problem = this.#parts.naming.problem()
    return none(problem === undefined ? what : `${what}. ${problem}`, true)
  }

  /** Resolves at the next change, when time is up or when the signal aborts. */
  #change(ms: number, signal: AbortSignal | undefined): Promise<void> {
    return new Promise(resolve => {
      const end = (): void => {
        cancel()
        signal?.removeEventListener('abort', end)
        resolve()
      }
      const cancel = this.#waiters.wait(ms, end)
      signal?.addEventListener('abort', end, { once: true })
    })
  }
}

function none(message: string, isPending = false): { kind: 'none'; error: NamingError; isPending: boolean } {
  return { kind: 'none', error: new NamingError('unavailable', message), isPending }
}
