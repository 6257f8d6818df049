// Who may ask now: the queue before the connections.
import { expect, it } from 'vitest'
import { PollSlots, type Slot } from '../../../clients/consul/poll-slots.ts'
import { waitMsFor } from '../../../clients/consul/poll-wait.ts'
import { FakeClock } from '../../fakes/clock.fake.ts'
import { runMicrotasks } from '../../watch/source-loop.fixture.ts'

function createSlots(limit: number) {
  const clock = new FakeClock()
  const slots = new PollSlots({ limit, clock, random: () => 0.5 })
  const order: string[] = []
  const granted: Slot[] = []
  const take = (name: string, isFirst = false, signal = new AbortController().signal): void => {
    slots.take(isFirst, signal).then(slot => {
      order.push(slot === undefined ? `${name} left` : name)
      if (slot !== undefined) granted.push(slot)
    }, String)
  }
  const next = async (): Promise<void> => {
    await runMicrotasks()
    granted.shift()?.release()
    await runMicrotasks()
  }
  return { clock, slots, order, take, next, granted }
}

/** The agent has answered so much that the limit is the configured one. */
async function grow(slots: PollSlots, limit: number): Promise<void> {
  const taken: (Slot | undefined)[] = []
  while (slots.limit < limit) {
    while (slots.inUse < slots.limit) taken.push(await slots.take(false, new AbortController().signal))
    taken[0]?.answered()
  }
  for (const slot of taken) slot?.release()
}

it('begins with 16 requests, and allows one more for each answer that came while all were used', async () => {
  const { slots, take, granted } = createSlots(180)
  for (let i = 0; i < 100; i++) take(`first${i}`, true)
  await runMicrotasks()
  expect([slots.inUse, slots.limit, slots.waiting]).toEqual([16, 16, 84])
  for (const slot of granted.splice(0)) {
    slot.answered()
    slot.release()
  }
  await runMicrotasks()
  expect([slots.inUse, slots.limit, slots.waiting]).toEqual([32, 32, 52])
})

it('does not feel on once it was refused, nor while it needs no more', async () => {
  const { clock, slots, take, granted } = createSlots(180)
  for (let i = 0; i < 10; i++) take(`few${i}`)
  await runMicrotasks()
  granted[0]?.answered()
  expect(slots.limit).toBe(16)
  for (let i = 0; i < 10; i++) take(`more${i}`)
  await runMicrotasks()
  slots.refused(clock.monotonic())
  granted[0]?.answered()
  expect(slots.limit).toBe(16)
  slots.close()
})

it('serves first reads before others, and one other after each four of them', async () => {
  const { order, take, next } = createSlots(1)
  take('begin')
  for (let i = 1; i <= 3; i++) take(`other${i}`)
  for (let i = 1; i <= 9; i++) take(`first${i}`, true)
  for (let i = 0; i < 13; i++) await next()
  expect(order.join(' ')).toBe(
    'begin first1 first2 first3 first4 other1 first5 first6 first7 first8 other2 first9 other3',
  )
})

it('lets one that waits go when its signal aborts, and passes the slot on', async () => {
  const { slots, order, take, next } = createSlots(1)
  const leaving = new AbortController()
  take('a')
  take('b', false, leaving.signal)
  take('c')
  leaving.abort()
  await next()
  await next()
  expect(order).toEqual(['a', 'b left', 'c'])
  expect([slots.inUse, slots.waiting]).toEqual([0, 0])
})

it('tells of a burst of refusals once, with the limit that came of it, and nothing after close', async () => {
  const clock = new FakeClock()
  const limits: number[] = []
  const slots = new PollSlots({ limit: 64, clock, random: () => 0.5, onLimit: limit => limits.push(limit) })
  await grow(slots, 64)
  const granted: Slot[] = []
  const forever = new AbortController().signal
  for (let i = 0; i < 64; i++) slots.take(false, forever).then(slot => slot !== undefined && granted.push(slot), String)
  await runMicrotasks()
  const refuse = (): void => {
    slots.refused(clock.monotonic())
    granted.pop()?.release()
  }
  for (let i = 0; i < 20; i++) refuse()
  clock.advance(1_000)
  expect(limits).toEqual([slots.limit])
  refuse()
  slots.close()
  clock.advance(1_000)
  expect([limits.length, clock.waiting]).toEqual([1, 0])
})

it('keeps the requests that the agent has taken, however many it refuses beside them while it is slow', async () => {
  const { clock, slots, take, granted } = createSlots(64)
  await grow(slots, 64)
  for (let i = 0; i < 64; i++) take(`held${i}`)
  await runMicrotasks()
  for (const slot of granted.slice(0, 40)) slot.hold(60_000, () => {})
  clock.advance(500)
  for (let i = 0; i < 100; i++) {
    slots.refused(clock.monotonic())
    granted.splice(40, 1)[0]?.release()
  }
  expect([slots.limit, slots.inUse]).toEqual([40, 40])
})

it('ends at most one held request for each first read that waits, an eighth of all at once', async () => {
  const { slots, take, granted } = createSlots(16)
  slots.queries = 40
  for (let i = 0; i < 16; i++) take(`held${i}`)
  await runMicrotasks()
  const ended: number[] = []
  for (const [i, slot] of granted.entries()) slot.hold(60_000, () => ended.push(i))
  for (let i = 0; i < 24; i++) take(`first${i}`, true)
  expect(ended).toEqual([0, 1])
  granted[0]?.release()
  await runMicrotasks()
  expect(ended).toEqual([0, 1])
})

it('ends requests that were held for a long turn once others wait and a short turn is over', async () => {
  const { clock, slots, take, granted } = createSlots(2)
  slots.queries = 4
  for (const name of ['a', 'b', 'c']) take(name)
  await runMicrotasks()
  const ended: number[] = []
  for (const [i, slot] of granted.entries()) slot.hold(60_000, () => ended.push(i))
  clock.advance(1699)
  expect(ended).toEqual([])
  clock.advance(1)
  expect(ended).toEqual([0])
  slots.close()
  expect(clock.waiting).toBe(0)
})

it('holds a query for half a minute to a minute, or for its share of a turn when there are too many', () => {
  expect([waitMsFor(180, 180, () => 0), waitMsFor(180, 180, () => 1)]).toEqual([30_000, 60_000])
  expect(waitMsFor(500, 180, () => 0)).toBe(1224)
  expect(waitMsFor(50_000, 180, () => 0)).toBe(250)
})

it('lowers its limit by one for each refused request of a burst, and not for their next tries before things have settled', async () => {
  const { clock, slots, take } = createSlots(180)
  await grow(slots, 180)
  for (let i = 0; i < 180; i++) take(`r${i}`)
  const sentAt = clock.monotonic()
  for (let i = 0; i < 7; i++) slots.refused(sentAt)
  expect(slots.limit).toBe(173)
  clock.advance(60)
  for (let round = 0; round < 20; round++) {
    clock.advance(20)
    slots.refused(clock.monotonic())
    slots.refused(sentAt)
    slots.refused(clock.monotonic())
  }
  expect(slots.limit).toBe(153)
  clock.advance(500)
  slots.refused(clock.monotonic() - 10)
  expect(slots.limit).toBe(152)
  slots.close()
  expect(clock.waiting).toBe(0)
})
