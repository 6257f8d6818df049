import { expect, it } from 'vitest'
import { ClientBody } from '../../../proxy-client/exchange/client-body.ts'

/** What a taker is given that has room for so many slices at a time. */
function taking(room: number) {
  const taken: string[] = []
  const sink = {
    isDrained: true,
    onData: (slice: Buffer) => taken.push(slice.toString('latin1')) % room !== 0,
    onEnd: () => taken.push('END'),
    onCut: () => {},
    onFlush: () => {},
  }
  return { taken, sink }
}

const nobody = { bodyWanted: () => {}, bodyDiscarded: () => {} }
const letters = (count: number): string[] => Array.from({ length: count }, (_, i) => String.fromCharCode(97 + (i % 26)))

it('a body in tiny slices that nobody takes yet is kept in few, in order', () => {
  const body = new ClientBody(undefined, nobody)
  const parts = [...letters(5_000), '-'.repeat(1_024), '+'.repeat(1_025), ...letters(30_000)]
  for (const part of parts) body.push(Buffer.from(part))
  body.finish(undefined)
  const { taken, sink } = taking(Number.POSITIVE_INFINITY)
  body.open(sink)
  expect(taken.pop()).toBe('END')
  expect(taken.length).toBeLessThan(25)
  expect(taken.join('')).toBe(parts.join(''))
})

it('what was handed over stays as it is when more comes while the taker pauses', () => {
  const body = new ClientBody(undefined, nobody)
  const kept: Buffer[] = []
  const sink = { ...taking(1).sink, onData: (slice: Buffer) => kept.push(slice) % 18 !== 0 }
  const [before, after] = [letters(40), letters(60)]
  for (const part of before) body.push(Buffer.from(part))
  body.open(sink)
  for (const part of after) body.push(Buffer.from(part))
  for (let i = 0; i < 10; i++) body.resume()
  expect(kept.join('')).toBe([...before, ...after].join(''))
})
