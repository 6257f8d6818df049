// Entries whose states are words, and a mailbox for them on a clock that a test moves.
import { Entry, type EntryKind } from '../../../api/push/entry.ts'
import { Mailbox } from '../../../api/push/mailbox.ts'
import { Pace } from '../../../api/push/pace.ts'
import { ok } from '../../../watch/state.ts'
import { FakeClock } from '../../fakes/clock.fake.ts'

/** A state that is `gone` takes away what was there. */
export class WordEntry extends Entry<string> {
  readonly kind: EntryKind
  readonly name: string

  constructor(mailbox: Mailbox, name: string, kind: EntryKind = 'replicas') {
    super(mailbox)
    this.name = name
    this.kind = kind
  }

  get isRemoval(): boolean {
    return this.word(this.sent) !== undefined && this.word(this.state) === 'gone'
  }

  change(word: string): void {
    this.deliver(ok(word))
  }

  get newest(): string | undefined {
    return this.word(this.state)
  }

  word(state: Entry<string>['sent']): string | undefined {
    return state?.kind === 'ok' ? state.value : undefined
  }
}

/** A stream that sends when it is told to. */
export class WordMail {
  readonly clock = new FakeClock(5_000_000)
  readonly pace: Pace
  readonly mailbox: Mailbox
  /** How busy the thread is said to be. */
  load = 0
  conflated = 0
  /** Calls of onMail. */
  calls = 0

  constructor() {
    this.pace = new Pace({ clock: this.clock, load: () => this.load })
    this.mailbox = new Mailbox({
      pace: this.pace,
      onMail: () => this.calls++,
      onConflated: () => this.conflated++,
      changedAt: this.clock.monotonic,
    })
  }

  entry(name: string, kind?: EntryKind): WordEntry {
    return new WordEntry(this.mailbox, name, kind)
  }

  /** Sends all that can be sent: `web=one`. */
  send(): readonly string[] {
    const sent: string[] = []
    for (let entry = this.mailbox.next(); entry !== undefined; entry = this.mailbox.next()) {
      if (!(entry instanceof WordEntry)) continue
      entry.noteSent(this.clock.monotonic())
      sent.push(`${entry.name}=${entry.newest}`)
    }
    return sent
  }
}
