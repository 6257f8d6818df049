// Waits until enough proxies of all servers have applied a version. Knows no transport.
import type {
  EnoughProxies,
  ProxiesApplied,
  ProxiesReport,
  ProxiesWait,
  ProxySource,
  SilentServer,
} from '../../api/proxies.ts'
import type { ServerState } from '../../api/servers.ts'
import type { Cell, Unwatch } from '../../watch/cell.ts'
import type { Cancel, Clock } from '../../watch/clock.ts'

export interface WaitPorts {
  readonly clock: Clock
  /** Changes whenever `states` may. */
  readonly servers: Cell<unknown>
  readonly states: () => readonly ServerState[]
  /** False while there may be other servers than those. */
  readonly isEveryoneKnown: () => boolean
  /** What to ask of a server, or why it cannot be asked. */
  readonly sourceOf: (state: ServerState) => ProxySource | string
}

/** After a server was lost that is there, it is asked again. */
const askAgainMs = 500

/** The report at the moment in which enough have it, the time is over or the signal aborts. */
export function waitForProxies(wanted: ProxiesWait, ports: WaitPorts): Promise<ProxiesReport> {
  return new AppliedWait(wanted, ports).report
}

/** What one server has said, or why it has not. */
interface Asked {
  /** Whether it is listened to, or will be again shortly. */
  readonly isFollowed: boolean
  counts?: ProxiesApplied
  error?: string
  /** Ends the listening, or the pause before the next. */
  end: () => void
}

class AppliedWait {
  readonly report: Promise<ProxiesReport>
  readonly #wanted: ProxiesWait
  readonly #ports: WaitPorts
  readonly #asked = new Map<string, Asked>()
  readonly #resolve: (report: ProxiesReport) => void
  readonly #cancel: Cancel
  #unwatch: Unwatch | undefined
  #isOver = false
  /** While servers are being gone through, for not all that there are were asked yet. */
  #isMeeting = false

  constructor(wanted: ProxiesWait, ports: WaitPorts) {
    this.#wanted = wanted
    this.#ports = ports
    const { promise, resolve } = Promise.withResolvers<ProxiesReport>()
    this.report = promise
    this.#resolve = resolve
    this.#cancel = ports.clock.after(wanted.timeoutMs, this.#giveUp)
    wanted.signal.addEventListener('abort', this.#giveUp, { once: true })
    const unwatch = ports.servers.watch(() => this.#meet())
    if (this.#isOver) unwatch()
    else this.#unwatch = unwatch
    if (wanted.signal.aborted || wanted.timeoutMs <= 0) this.#giveUp()
  }

  #meet(): void {
    if (this.#isOver) return
    this.#isMeeting = true
    const present = new Map(this.#ports.states().map(state => [state.id, state]))
    for (const [id, asked] of [...this.#asked]) {
      if (present.has(id)) continue
      asked.end()
      this.#asked.delete(id)
    }
    for (const state of present.values()) this.#meetOne(state)
    this.#isMeeting = false
    this.#decide()
  }

  /** Who is listened to already goes on; who cannot be asked counts no more, whatever it said before. */
  #meetOne(state: ServerState): void {
    const known = this.#asked.get(state.id)
    const source = this.#ports.sourceOf(state)
    if (typeof source === 'string') {
      known?.end()
      this.#asked.set(state.id, { isFollowed: false, error: source, end: () => {} })
    } else if (known?.isFollowed !== true) this.#listen(state.id, source)
  }

  /** It may have another address by now, or be gone. */
  #listenAgain(id: string): void {
    this.#asked.delete(id)
    this.#meet()
  }

  #listen(id: string, source: ProxySource): void {
    const asked: Asked = { isFollowed: true, end: () => {} }
    this.#asked.set(id, asked)
    const unfollow = source.followApplied(this.#wanted, {
      heard: counts => {
        asked.counts = counts
        this.#decide()
      },
      lost: reason => {
        delete asked.counts
        asked.error = reason
        asked.end = this.#ports.clock.after(askAgainMs, () => this.#listenAgain(id))
      },
    })
    if (this.#isOver) unfollow()
    else if (asked.error === undefined) asked.end = unfollow
  }

  #decide(): void {
    if (this.#isOver || this.#isMeeting) return
    const report = this.#reportNow()
    if (report.isReached) this.#finish(report)
  }

  #reportNow(): ProxiesReport {
    let total = 0
    let applied = 0
    const silent: SilentServer[] = []
    for (const [id, { counts, error }] of this.#asked) {
      if (counts === undefined) silent.push({ id, error: error ?? 'it has not answered in time' })
      else {
        total += counts.total
        applied += counts.applied
      }
    }
    const areAllKnown = silent.length === 0 && this.#ports.isEveryoneKnown()
    const isReached = isEnough(this.#wanted.enough, { total, applied }, areAllKnown)
    return { total, applied, silent, isReached }
  }

  readonly #giveUp = (): void => {
    if (!this.#isOver) this.#finish(this.#reportNow())
  }

  #finish(report: ProxiesReport): void {
    this.#isOver = true
    this.#cancel()
    this.#wanted.signal.removeEventListener('abort', this.#giveUp)
    this.#unwatch?.()
    for (const { end } of this.#asked.values()) end()
    this.#resolve(report)
  }
}

function isEnough(enough: EnoughProxies, { total, applied }: ProxiesApplied, areAllKnown: boolean): boolean {
  if ('count' in enough) return applied >= enough.count
  // Equal fractions are equal doubles; a product would be rounded.
  return areAllKnown && (total === 0 || applied / total >= enough.share)
}
