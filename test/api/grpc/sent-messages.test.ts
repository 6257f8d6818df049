import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { NamespaceUses } from '../../../api/grpc/namespace-uses.ts'
import { SentMessages } from '../../../api/grpc/sent-messages.ts'
import type { ProxyRecord } from '../../../api/push/proxy-registry.ts'
import { ContentDigest, noUpdate } from '../../../proto/content-digest.ts'

const seed = { seed: 20_260_104, numRuns: 200 }
const silent = { onLag: () => {}, onHadAll: () => {} }

/** Counts what each namespace is told is unsettled. */
class FakeRecord implements Pick<ProxyRecord, 'namespace'> {
  readonly unsettled = new Map<string, number>()
  readonly made: string[] = []

  namespace(namespace: string) {
    this.made.push(namespace)
    return {
      addNames: () => {},
      addUnsettled: (change: number) => {
        this.unsettled.set(namespace, (this.unsettled.get(namespace) ?? 0) + change)
      },
    }
  }
}

describe('messages that are not confirmed', () => {
  test('give back exactly what was in them, when they and all before them are in use', () => {
    const names = fc.array(fc.constantFrom('a', 'b'), { maxLength: 3 })
    const step = fc.oneof(fc.record({ names }), fc.record({ applied: fc.nat(12) }))
    fc.assert(
      fc.property(fc.array(step, { maxLength: 30 }), steps => {
        const record = new FakeRecord()
        const uses = new NamespaceUses(record as unknown as ProxyRecord) // of which it needs no more
        const sent = new SentMessages(silent)
        sent.isCounted = true
        const messages: (readonly string[])[] = []
        let confirmed = 0
        for (const step of steps) {
          if ('names' in step) {
            for (const name of step.names) {
              uses.at(name).addUnsettled(1)
              sent.nameWritten(uses.at(name))
            }
            sent.close(0, undefined, false)
            messages.push(step.names)
          } else {
            const applied = Math.min(step.applied, messages.length)
            confirmed = Math.max(confirmed, applied)
            expect(sent.confirm({ kind: 'ack', received: messages.length, applied, digest: 0 }, 0)).toBe('agrees')
          }
          for (const namespace of ['a', 'b']) {
            const left = messages
              .slice(confirmed)
              .flat()
              .filter(name => name === namespace).length
            expect(record.unsettled.get(namespace) ?? 0).toBe(left)
          }
        }
      }),
      seed,
    )
  })

  test('settle nothing when the digest differs, and count what a client without numbers was sent as taken', () => {
    const record = new FakeRecord()
    const uses = new NamespaceUses(record as unknown as ProxyRecord) // of which it needs no more
    const sent = new SentMessages(silent)
    const write = (): void => {
      uses.at('a').addUnsettled(1)
      sent.nameWritten(uses.at('a'))
      sent.changed(1, noUpdate, 7)
    }
    write()
    expect(sent.close(0, undefined, false)).toBe(0)
    expect(record.unsettled.get('a')).toBe(0)
    sent.isCounted = true
    write()
    expect(sent.close(0, undefined, false)).toBe(1)
    expect(sent.confirm({ kind: 'ack', received: 1, applied: 1, digest: 12 }, 0)).toBe('differs')
    expect(record.unsettled.get('a')).toBe(1)
  })

  test('are compared with what has been given up since, where that can be told', () => {
    const sent = new SentMessages(silent)
    sent.isCounted = true
    sent.changed(1, noUpdate, 7)
    sent.close(10, undefined, false)
    sent.changed(2, noUpdate, 8)
    sent.close(20, undefined, false)
    sent.close(30, undefined, false)
    sent.givenUp(1, 7, 10)
    // What a client says that has no 1 any more: nothing at first, then 2.
    const ack = (received: number, digest: number) => ({ kind: 'ack', received, applied: 0, digest }) as const
    expect(sent.confirm(ack(1, 0), 40)).toBe('unclear')
    const only2 = new ContentDigest()
    only2.change(2, noUpdate, 8)
    const digestOf2 = only2.value
    expect(sent.confirm(ack(2, digestOf2), 40)).toBe('agrees')
    expect(sent.confirm(ack(3, digestOf2), 40)).toBe('agrees')
    expect(sent.confirm(ack(3, 0), 40)).toBe('differs')
    expect(sent.confirm(ack(9, digestOf2), 40)).toBe('unclear')
  })

  test('are few: who confirms none gets no more', () => {
    const sent = new SentMessages(silent)
    sent.isCounted = true
    for (let message = 0; message < 1024; message++) {
      expect(sent.isFull).toBe(false)
      sent.close(0, undefined, false)
    }
    expect(sent.isFull).toBe(true)
    sent.confirm({ kind: 'ack', received: 1000, applied: 1000, digest: 0 }, 0)
    expect(sent.isFull).toBe(false)
    expect(sent.unreceivedSince).toBe(0)
  })

  test('are few also where they are received and not in use: who only waits for leaves gets more', () => {
    const record = new FakeRecord()
    const uses = new NamespaceUses(record as unknown as ProxyRecord) // of which it needs no more
    const lags: number[] = []
    let wasFull = false
    const sent = new SentMessages({ ...silent, onLag: ms => lags.push(ms) })
    sent.isCounted = true
    for (let message = 1; message <= 5_000; message++) {
      for (const namespace of ['a', 'b']) {
        uses.at(namespace).addUnsettled(1)
        sent.nameWritten(uses.at(namespace))
      }
      sent.close(message, message, false)
      sent.confirm({ kind: 'ack', received: message, applied: 1_000, digest: 0 }, 6_000)
      wasFull ||= sent.isFull
    }
    expect(wasFull).toBe(false)
    expect([...record.unsettled.values()]).toEqual([4_000, 4_000])
    lags.length = 0
    expect(sent.confirm({ kind: 'ack', received: 5_000, applied: 5_000, digest: 0 }, 6_000)).toBe('agrees')
    expect([...record.unsettled.values()]).toEqual([0, 0])
    expect(lags.length).toBeLessThanOrEqual(1_024)
    expect(lags[0]).toBe(5_000 - 1)
  })
})
