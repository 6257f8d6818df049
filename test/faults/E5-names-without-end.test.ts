// E5: names without end, from bad Host headers say. Who asks for them is refused with the limit that it has reached, holds no
// more upstream than that, and takes nothing from others.
import { describe, expect, it } from 'vitest'
import { RawStream, shortForm, startServer, until } from '../api/grpc/grpc-api.fixture.ts'
import { treeTo } from '../fakes/interpreter.fake.ts'

const names = (from: string, count: number): readonly string[] =>
  Array.from({ length: count }, (_, n) => `default/${from}/${n}`)

describe('E5: names without end', () => {
  it('are refused beyond the limit, with its size, while others go on; nothing stays of them', async () => {
    const server = await startServer({ limits: { perStream: 100, perServer: 150 } })
    const base = server.kernel.counts().watchers
    const greedy = new RawStream(server.address)
    greedy.subscribe(names('greedy', 2_000))
    await greedy.received(2_000)
    const refused = greedy.updates.filter(({ state }) => state.kind === 'failed')
    expect(refused).toHaveLength(1_900)
    const [first] = refused
    expect(first?.state.kind === 'failed' && first.state.error.message).toBe(
      'This stream holds 100 subscriptions, which is its limit.',
    )
    expect(server.api.counts().subscriptions).toBe(100)
    const other = new RawStream(server.address)
    const [key] = other.subscribe(['default/svc/web'])
    await other.received(1)
    server.interpreter.tree('default/svc/web').set(treeTo())
    await until(() => other.updates.some(update => shortForm(update) === `${key} ok`))
    greedy.close()
    other.close()
    await until(() => server.api.counts().subscriptions === 0)
    await until(() => server.kernel.counts().watchers === base)
    await server.close()
  })
})
