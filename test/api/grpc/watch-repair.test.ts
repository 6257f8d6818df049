import { expect, test } from 'vitest'
import { SentMessages } from '../../../api/grpc/sent-messages.ts'
import { NameEntry } from '../../../api/grpc/watch-entries.ts'
import { WatchRepair } from '../../../api/grpc/watch-repair.ts'
import type { WatchSubscriptions } from '../../../api/grpc/watch-subscriptions.ts'
import { ok } from '../../../watch/state.ts'
import { treeTo } from '../../fakes/interpreter.fake.ts'
import { WordMail } from '../push/entries.fixture.ts'

test('what a client does not hold that says it holds nothing is given up a piece at a time', () => {
  const { mailbox } = new WordMail()
  const names = new Map<number, NameEntry>()
  for (let key = 0; key < 100; key++) {
    const entry = new NameEntry(mailbox, { key, held: '' })
    entry.deliver(ok(treeTo('/#/fs/a')))
    entry.noteSent(1)
    entry.mark = 1
    names.set(key, entry)
  }
  const subscriptions: Pick<WatchSubscriptions, 'names' | 'replicas' | 'holds' | 'unsubscribe'> = {
    names,
    replicas: new Map(),
    holds: entry => entry instanceof NameEntry && names.has(entry.key),
    unsubscribe: key => names.delete(key),
  }
  const repair = new WatchRepair({
    sent: new SentMessages({ onLag: () => {}, onHadAll: () => {} }),
    subscriptions: subscriptions as WatchSubscriptions, // of which it needs no more here
    onDrift: () => {},
  })
  repair.want()
  repair.asked(10)
  repair.heldIsWhole(20)
  expect(names.size).toBe(100)
  repair.look(64)
  expect(names.size).toBe(36)
  expect(repair.isLooking).toBe(true)
  repair.look(64)
  expect(names.size).toBe(0)
  expect(repair.isLooking).toBe(false)
  expect(repair.isDue(99_999)).toBe(false)
})
