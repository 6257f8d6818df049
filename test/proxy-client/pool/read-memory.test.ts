// Where the next read goes.
import { expect, it } from 'vitest'
import { ReadMemory } from '../../../proxy-client/pool/read-memory.ts'

const full = 64 * 1024
const drained = { isDrained: true }
const keeping = { isDrained: false }

it('connections share one buffer while messages are small', () => {
  const [a, b] = [new ReadMemory(), new ReadMemory()]
  const shared = a.next()
  expect(b.next()).toBe(shared)
  a.settle(100, true, drained)
  expect(a.next()).toBe(shared)
  a.settle(full, false, drained)
  expect(a.next()).toBe(shared)
})

it('what is handed on out of the shared buffer is a copy', () => {
  const memory = new ReadMemory()
  const buffer = memory.next()
  buffer.write('hello')
  const slice = memory.lasting(memory.chunk(5))
  buffer.write('other')
  expect(slice.toString()).toBe('hello')
})

it('a body that fills a whole read has memory of its own, used again while nobody keeps a slice', () => {
  const memory = new ReadMemory()
  const shared = memory.next()
  memory.settle(full, true, drained)
  const own = memory.next()
  expect(own).not.toBe(shared)
  const chunk = memory.chunk(10)
  expect(memory.lasting(chunk)).toBe(chunk)
  memory.settle(full, true, drained)
  expect(memory.next()).toBe(own)
})

it('memory of which somebody keeps a slice is not read into again, by any connection', () => {
  const memory = new ReadMemory()
  const shared = memory.next()
  memory.settle(full, true, drained)
  const own = memory.next()
  memory.settle(full, true, keeping)
  expect(memory.next()).toBe(shared)
  const others = Array.from({ length: 20 }, () => {
    const other = new ReadMemory()
    other.next()
    other.settle(full, true, drained)
    return other.next()
  })
  expect(new Set(others).size).toBe(20)
  expect(others).not.toContain(own)
})

it('memory of its own goes back at the end of a body, and when an upstream slows down', () => {
  for (const [bytes, isInMessage] of [
    [full, false],
    [10, true],
  ] as const) {
    const memory = new ReadMemory()
    const shared = memory.next()
    memory.settle(full, true, drained)
    const own = memory.next()
    memory.settle(bytes, isInMessage, drained)
    expect(memory.next()).toBe(shared)
    const other = new ReadMemory()
    other.next()
    other.settle(full, true, drained)
    expect(other.next()).toBe(own)
  }
})

it('a receiver that does not keep up gets no memory of its own', () => {
  const memory = new ReadMemory()
  const shared = memory.next()
  memory.settle(full, true, keeping)
  expect(memory.next()).toBe(shared)
  memory.settle(full, true, undefined)
  expect(memory.next()).toBe(shared)
})
