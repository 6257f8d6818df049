import { describe, expect, it } from 'vitest'
import { Mailbox } from '../../api/push/mailbox.ts'
import { Pace } from '../../api/push/pace.ts'
import { type Task, WorkQueue } from '../../api/push/work-queue.ts'
import { WordEntry } from '../api/push/entries.fixture.ts'
import { FakeClock } from '../fakes/clock.fake.ts'

/** A thread whose streams take so many ms for each state they send, all of which follow the same names. */
class BusyThread {
  readonly clock = new FakeClock(1_000_000)
  readonly queue = new WorkQueue(this.clock)
  readonly pace = new Pace({ clock: this.clock, load: () => this.queue.load })
  readonly #entries: WordEntry[][] = []
  /** How late each state went out, by name. */
  readonly lags = new Map<string, number[]>()
  longestTurn = 0

  constructor(streams: number, names: readonly string[], costMs: number) {
    for (let i = 0; i < streams; i++) this.#addStream(names, costMs)
    this.change(names.keys())
    this.clock.advance(2_000)
    this.lags.clear()
    this.longestTurn = 0
  }

  /** Names change now, by their place. */
  change(names: Iterable<number>, at = this.clock.monotonic()): void {
    for (const name of names) for (const entries of this.#entries) entries[name]?.change(String(at))
  }

  /** One change after the other, each at its time; late when the thread was busy then. */
  play(changes: readonly { readonly atMs: number; readonly name: number }[]): void {
    const startedAt = this.clock.monotonic()
    for (const { atMs, name } of changes) {
      const at = startedAt + atMs
      while (this.clock.monotonic() < at) this.#turn(at)
      this.change([name], at)
    }
    this.clock.advance(1_000)
  }

  #turn(until: number): void {
    const before = this.clock.monotonic()
    this.clock.turn()
    const spent = this.clock.monotonic() - before
    this.longestTurn = Math.max(this.longestTurn, spent)
    if (spent === 0) this.clock.advance(Math.min(1, until - before))
  }

  #addStream(names: readonly string[], costMs: number): void {
    const task: Task = { work: () => this.#send(mailbox, costMs) }
    const mailbox = new Mailbox({
      pace: this.pace,
      onMail: () => this.queue.add(task),
      onConflated: () => {},
      changedAt: this.clock.monotonic,
    })
    this.#entries.push(names.map(name => new WordEntry(mailbox, name)))
  }

  #send(mailbox: Mailbox, costMs: number): boolean {
    const entry = mailbox.next()
    if (!(entry instanceof WordEntry)) return false
    this.clock.pass(costMs)
    const now = this.clock.monotonic()
    entry.noteSent(now)
    const lags = this.lags.get(entry.name) ?? []
    lags.push(now - Number(entry.newest))
    this.lags.set(entry.name, lags)
    return mailbox.readyCount > 0
  }
}

describe('P14: constant change', () => {
  it('of one name every 101 ms leaves another that changes once alone', () => {
    const thread = new BusyThread(100, ['hot', 'quiet'], 0.2)
    const hot = Array.from({ length: 40 }, (_, i) => ({ atMs: i * 101, name: 0 }))
    // The worst moment: when the change before has just filled the queue.
    const quiet = { atMs: 20 * 101 + 1, name: 1 }
    thread.play([...hot, quiet].toSorted((a, b) => a.atMs - b.atMs))
    expect(thread.lags.get('quiet')).toHaveLength(100)
    expect(Math.max(...(thread.lags.get('quiet') ?? []))).toBeLessThan(50)
    expect(thread.lags.get('hot')?.length).toBeLessThanOrEqual(40 * 100)
  })

  it('of 10,000 events a second is sent as often as the spacing allows, in short turns, and never late', () => {
    const [streams, names, seconds, costMs] = [5, 50, 2, 0.2]
    const thread = new BusyThread(
      streams,
      Array.from({ length: names }, (_, i) => `name-${i}`),
      costMs,
    )
    const events = Array.from({ length: 10_000 * seconds }, (_, i) => ({ atMs: i / 10, name: i % names }))
    thread.play(events)
    const lags = [...thread.lags.values()].flat()
    // Unspaced the thread would do nothing else: that is what it can send.
    const most = (seconds * 1_000) / costMs
    expect(lags.length).toBeLessThan(most * 0.85)
    expect(lags.toSorted((a, b) => a - b)[Math.floor(lags.length * 0.99)]).toBeLessThan(500)
    expect(thread.longestTurn).toBeLessThan(6)
    for (const each of thread.lags.values()) expect(each.length).toBeGreaterThanOrEqual(streams * seconds * 4)
  })
})
