// All proxies of this thread that follow names of one namespace: the version whose delivery has ended, and how many of them
// have something unconfirmed. Knows no stream.
import type { Cell, Kernel, Unwatch } from '../../watch/cell.ts'
import type { Clock } from '../../watch/clock.ts'
import type { State } from '../../watch/state.ts'
import type { ProxiesApplied } from '../proxies.ts'
import type { Progress } from './connected-proxy.ts'

export interface NamespaceFleetOptions {
  readonly clock: Clock
  readonly kernel: Pick<Kernel, 'afterDelivery'>
  /** The rules by which names of the namespace are evaluated here. */
  readonly rules: Cell<{ readonly version: number }>
  /** Something that is told of the fleet has changed. */
  readonly onChange: () => void
}

/** A version that was settled, and from when on. */
interface Settling {
  readonly version: number
  readonly at: number
}

/** Earlier versions that are remembered, for proxies that confirm only what was sent long ago. */
const maxRemembered = 64

export class NamespaceFleet {
  readonly members = new Set<Progress>()
  /** Members with something unconfirmed. */
  behind = 0
  readonly #options: NamespaceFleetOptions
  readonly #unwatch: Unwatch
  /** Oldest first; the last is the present one. */
  readonly #settled: Settling[] = []
  #told = 0
  #isClosed = false

  /** Follows the rules until close. */
  constructor(options: NamespaceFleetOptions) {
    this.#options = options
    this.#unwatch = options.rules.watch(state => this.#take(state))
  }

  /** The version whose states have been handed to every stream that follows one of them; 0 before any. */
  get settledVersion(): number {
    return this.#settled.at(-1)?.version ?? 0
  }

  /** What that was before a moment on the monotonic clock; 0 where it is not known any more. */
  settledBefore(moment: number): number {
    return this.#settled.findLast(({ at }) => at < moment)?.version ?? 0
  }

  /** How many members there are, and how many have applied the version or a later one. */
  applied(version: number): ProxiesApplied {
    const total = this.members.size
    if (this.behind === 0) return { total, applied: this.settledVersion >= version ? total : 0 }
    let applied = 0
    for (const member of this.members) if (member.version >= version) applied++
    return { total, applied }
  }

  close(): void {
    this.#isClosed = true
    this.#unwatch()
  }

  /** Every change of the rules is queued for its streams before we are told of it, so it is delivered when we are next. */
  #take(state: State<{ readonly version: number }>): void {
    if (state.kind !== 'ok' || state.value.version === this.#told) return
    const { version } = state.value
    this.#told = version
    this.#options.kernel.afterDelivery(() => this.#settle(version))
  }

  #settle(version: number): void {
    if (this.#isClosed) return
    this.#settled.push({ version, at: this.#options.clock.monotonic() })
    if (this.#settled.length > maxRemembered) this.#settled.shift()
    this.#options.onChange()
  }
}
