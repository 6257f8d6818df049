// Somebody who follows a range of etcd, and what was heard.
import type { EtcdEntry, EtcdEvent, RangeFollower } from '../../../clients/etcd/cluster.ts'

/** What stands in the range as far as the follower knows, and how it came to know. */
export class SeenRange implements RangeFollower {
  readonly values = new Map<string, string>()
  readonly #reading = new Map<string, string>()
  readonly failures: Error[] = []
  resets = 0
  rewinds = 0
  revision = 0

  began(): void {
    this.#reading.clear()
  }

  read(entries: readonly EtcdEntry[]): void {
    for (const { key, value } of entries) this.#reading.set(key, value.toString())
  }

  reset(revision: number, isRewound: boolean): void {
    this.resets++
    if (isRewound) this.rewinds++
    this.values.clear()
    for (const [key, value] of this.#reading) this.values.set(key, value)
    this.revision = revision
  }

  changed(events: readonly EtcdEvent[]): void {
    for (const { kind, entry } of events) {
      if (kind === 'delete') this.values.delete(entry.key)
      else this.values.set(entry.key, entry.value.toString())
      this.revision = entry.modRevision
    }
  }

  contact(revision: number): void {
    this.revision = revision
  }

  failed(error: Error): void {
    this.failures.push(error)
  }
}
