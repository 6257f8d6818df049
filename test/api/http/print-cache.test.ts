import { expect, it } from 'vitest'
import type { Coded } from '../../../api/http/codec.ts'
import { PrintCache } from '../../../api/http/print-cache.ts'
import { NamingError } from '../../../naming/errors.ts'
import { failure, type Result, success } from '../../../naming/result.ts'

function spiedPrint(result: Result<Coded> = success({ text: 'printed', hash: 'h' })) {
  const spy = { prints: 0, print: async () => result }
  return {
    spy,
    print: async () => {
      spy.prints++
      return spy.print()
    },
  }
}

/** The same text in another string, as a store reads it again. */
const again = (text: string): string => Buffer.from(text).toString()

it('a text that many ask for is printed once, also while it is being printed', async () => {
  const cache = new PrintCache()
  const { spy, print } = spiedPrint()
  const results = await Promise.all([1, 2, 3].map(() => cache.print(again('/a => /b'), 'json', print)))
  expect(results.map(result => result.ok && result.value.text)).toEqual(['printed', 'printed', 'printed'])
  await cache.print(again('/a => /b'), 'json', print)
  expect(spy.prints).toBe(1)
  await cache.print('/a => /b', 'shown-json', print)
  await cache.print('/a => /c', 'json', print)
  expect(spy.prints).toBe(3)
})

it('what could not be printed is tried again', async () => {
  const cache = new PrintCache()
  const { spy, print } = spiedPrint(failure(new NamingError('unavailable', 'stopping')))
  await cache.print('/a => /b', 'json', print)
  await cache.print('/a => /b', 'json', print)
  expect(spy.prints).toBe(2)
})

it('only a few texts are kept, those that were asked for last', async () => {
  const cache = new PrintCache()
  const { spy, print } = spiedPrint()
  for (let i = 0; i < 20; i++) {
    await cache.print(`/a => /${i}`, 'json', print)
    await cache.print('/often => /b', 'json', print)
  }
  expect(spy.prints).toBe(21)
  await cache.print('/a => /0', 'json', print)
  expect(spy.prints).toBe(22)
})

it('a text too large to be kept is printed each time', async () => {
  const cache = new PrintCache()
  const huge = 'x'.repeat(40 * 1024 * 1024)
  const { spy, print } = spiedPrint(success({ text: huge, hash: 'h' }))
  await cache.print(huge, 'json', print)
  await cache.print(huge, 'json', print)
  expect(spy.prints).toBe(2)
})
