// Namespaces for which servers go by different versions, and for how long: what is normal for a moment is an alarm after
// five seconds. Looks at the namespaces that it is told of, never at all of them.
import type { Disagreement } from '../../api/servers.ts'
import type { Log } from '../../runtime/log.ts'
import type { Cancel, Clock } from '../../watch/clock.ts'

/** A server that replies now, this one included. */
export interface Member {
  readonly id: string
  /** 0 where it knows of none. */
  of(namespace: string): number
}

export interface DifferencesOptions {
  readonly clock: Clock
  readonly log: Log
  /** Who is compared. */
  readonly members: () => readonly Member[]
  /** This server is behind: at once, and again each second while it is. */
  readonly onBehind: (namespace: string, version: number) => void
  /** `alarmed` gives something else from now on. */
  readonly onAlarms: () => void
  readonly self: Member
}

/** How long servers may differ. */
const alarmAfterMs = 5_000
/** The same where a server knows of no such namespace: it may have just begun, or be about to go. */
const absentAlarmAfterMs = 15_000
const tickMs = 1_000
/** Hints, and lines of log, of one tick. */
const maxHints = 1_000
const maxLines = 10

/** Since when servers differ, and the version that all had to reach since then. */
interface Difference {
  readonly since: number
  readonly startedAt: number
  readonly target: number
  isAlarmed: boolean
}

/** A version that was acknowledged here, and whether the log has it that it is late. */
interface Expected {
  readonly version: number
  /** The version of the write that the wait began with, and when, on the monotonic clock. */
  readonly target: number
  readonly since: number
  readonly isLogged: boolean
}

/** Holds one entry for each namespace that differs now; `close` ends its timer. */
export class Differences {
  readonly #options: DifferencesOptions
  readonly #differing = new Map<string, Difference>()
  /** Versions that were written through this server and that it does not go by yet. */
  readonly #expected = new Map<string, Expected>()
  readonly #alarmed = new Set<string>()
  #tick: Cancel | undefined

  constructor(options: DifferencesOptions) {
    this.#options = options
  }

  /** Namespaces that have differed for too long, sorted. */
  alarmed(): readonly Disagreement[] {
    const members = this.#options.members()
    return [...this.#alarmed].sort().flatMap(namespace => {
      const difference = this.#differing.get(namespace)
      if (difference === undefined) return []
      const versions = new Map(members.map(member => [member.id, member.of(namespace)]))
      return [{ namespace, since: difference.since, versions }]
    })
  }

  get alarms(): number {
    return this.#alarmed.size
  }

  /** Somebody goes by another version of these. */
  note(namespaces: Iterable<string>): void {
    const members = this.#options.members()
    for (const namespace of namespaces) this.#compare(namespace, members)
    this.#schedule()
  }

  /** Another set of servers is compared from now on; `all` are the namespaces that any of them knows. */
  noteMembers(all: Iterable<string>): void {
    this.note(new Set([...this.#differing.keys(), ...all]))
  }

  /** This version was acknowledged, so this server has to come to it. */
  expect(namespace: string, version: number): void {
    const { self, onBehind } = this.#options
    if (self.of(namespace) >= version) return
    const known = this.#expected.get(namespace)
    this.#expect(namespace, Math.max(version, known?.version ?? 0), known)
    onBehind(namespace, version)
    this.#schedule()
  }

  /** The wait goes on while the version that it began with is not there; else another one begins. */
  #expect(namespace: string, version: number, known: Expected | undefined): Expected {
    const isSame = known !== undefined && this.#options.self.of(namespace) < known.target
    const fresh = { target: version, since: this.#options.clock.monotonic(), isLogged: false }
    const expected = { ...(isSame ? known : fresh), version }
    this.#expected.set(namespace, expected)
    return expected
  }

  close(): void {
    this.#tick?.()
    this.#tick = undefined
    this.#differing.clear()
    this.#expected.clear()
  }

  #compare(namespace: string, members: readonly Member[]): void {
    const { self, onBehind, clock } = this.#options
    const { least, most } = rangeOf(namespace, members)
    const known = this.#differing.get(namespace)
    if (least === most) {
      this.#agreed(namespace, known)
      return
    }
    if (self.of(namespace) < most) onBehind(namespace, most)
    if (known !== undefined && least < known.target) return
    this.#agreed(namespace, known)
    this.#differing.set(namespace, {
      since: clock.now(),
      startedAt: clock.monotonic(),
      target: most,
      isAlarmed: false,
    })
  }

  /** All have come to what the furthest one had when they began to differ. */
  #agreed(namespace: string, known: Difference | undefined): void {
    if (known === undefined) return
    this.#differing.delete(namespace)
    if (!known.isAlarmed) return
    this.#alarmed.delete(namespace)
    this.#options.log.info({ namespace }, 'servers go by the same version again')
    this.#options.onAlarms()
  }

  #schedule(): void {
    if (this.#tick !== undefined || this.#differing.size + this.#expected.size === 0) return
    this.#tick = this.#options.clock.after(tickMs, () => {
      this.#tick = undefined
      this.#hint()
      this.#raise()
      this.#schedule()
    })
  }

  #hint(): void {
    const { self, onBehind, members } = this.#options
    const present = members()
    let hints = 0
    for (const [namespace, expected] of this.#expected) {
      if (self.of(namespace) >= expected.version) this.#expected.delete(namespace)
      else if (hints++ < maxHints) {
        onBehind(namespace, expected.version)
        this.#sayLate(namespace, this.#expect(namespace, expected.version, expected))
      }
    }
    for (const namespace of this.#differing.keys()) {
      if (hints >= maxHints) return
      const { most } = rangeOf(namespace, present)
      if (self.of(namespace) >= most) continue
      hints++
      onBehind(namespace, most)
    }
  }

  /** Alone or not: what was acknowledged here has to be gone by here. */
  #sayLate(namespace: string, expected: Expected): void {
    const { clock, log, self } = this.#options
    if (expected.isLogged || clock.monotonic() - expected.since <= alarmAfterMs) return
    this.#expected.set(namespace, { ...expected, isLogged: true })
    const facts = { namespace, version: expected.version, goesBy: self.of(namespace) }
    log.error(facts, 'this server does not go by a version that was written through it')
  }

  #raise(): void {
    const { clock, log, members, onAlarms } = this.#options
    const present = members()
    const now = clock.monotonic()
    const raised: string[] = []
    for (const [namespace, difference] of this.#differing) {
      const graceMs = rangeOf(namespace, present).least === 0 ? absentAlarmAfterMs : alarmAfterMs
      if (difference.isAlarmed || now - difference.startedAt <= graceMs) continue
      difference.isAlarmed = true
      this.#alarmed.add(namespace)
      raised.push(namespace)
    }
    for (const namespace of raised.slice(0, maxLines)) {
      const versions = Object.fromEntries(present.map(member => [member.id, member.of(namespace)]))
      log.error({ namespace, versions }, 'servers of this store go by different versions of a dtab')
    }
    if (raised.length > maxLines)
      log.error({ more: raised.length - maxLines }, 'servers of this store go by different versions of more dtabs')
    if (raised.length > 0) onAlarms()
  }
}

function rangeOf(namespace: string, members: readonly Member[]): { readonly least: number; readonly most: number } {
  let least = Number.POSITIVE_INFINITY
  let most = 0
  for (const member of members) {
    const version = member.of(namespace)
    least = Math.min(least, version)
    most = Math.max(most, version)
  }
  return { least: Math.min(least, most), most }
}
