// C10: A scanner asks for very many names, each once. What a single call asked for stays open for a while only, and within a
// cap of its client.
import { describe, expect, it } from 'vitest'
import { resolveName } from '../../api/grpc/resolve.ts'
import { WarmCells } from '../../api/warm-cells.ts'
import { neg } from '../../naming/name-tree.ts'
import { createKernel } from '../../watch/kernel.ts'
import { ok } from '../../watch/state.ts'
import { FakeClock } from '../fakes/clock.fake.ts'

const asked = 2_000
const cap = 256

describe('C10: names that are asked for once', () => {
  it('leave no more watches open than the cap of their client, and none after the time without a call', async () => {
    const clock = new FakeClock()
    const kernel = createKernel({ clock, onError: error => expect.unreachable(String(error)) })
    let opens = 0
    const bind = ({ path }: { readonly path: readonly string[] }) =>
      kernel.source<typeof neg>(`bind ${path}`, sink => {
        opens++
        sink.set(neg)
        return () => {}
      })
    const interpreter = { bind, replicas: () => expect.unreachable('a neg has no replicas') }
    const warm = new WarmCells({ clock, lingerMs: 10_000, maxCells: 4 * cap, maxCellsPerClient: cap })
    const signal = new AbortController().signal
    const resolve = async (name: string, client: string): Promise<void> => {
      const request = { name: { namespace: 'default', path: [name], dtab: '' }, waitMs: 0 }
      const { tree } = await resolveName({ interpreter, kernel, clock }, request, { warm, client, signal })
      expect(tree).toEqual(ok(neg))
    }
    await resolve('web', '10.0.0.1')
    for (let i = 0; i < asked; i++) {
      await resolve(`random ${i}`, '10.0.0.2')
      if (i % 500 === 0) clock.settle()
    }
    clock.settle()
    expect(kernel.counts().openSources).toBe(cap + 1)
    await resolve('web', '10.0.0.1')
    expect(opens).toBe(asked + 1)
    clock.advance(30_000)
    const { openSources, watchers, cells } = kernel.counts()
    expect({ openSources, watchers, cells, timers: clock.waiting, kept: warm.size }).toEqual({
      openSources: 0,
      watchers: 0,
      cells: 0,
      timers: 0,
      kept: 0,
    })
  })
})
