// E6: clients that go away before they have their explanation leave no place taken: the next one is served.
import { expect, it } from 'vitest'
import { ExplanationDesk } from '../../api/mesh/explanation-desk.ts'
import { until } from '../api/grpc/grpc-api.fixture.ts'
import { MeshClient, startMesh, wirePath } from '../api/mesh/mesh.fixture.ts'

it('E6: after 10,000 explanations that were asked for and given up the next is begun', () => {
  let queued = 0
  const desk = new ExplanationDesk({ add: () => queued++ })
  for (let i = 0; i < 10_000; i++) {
    const asked = desk.ask('10.0.0.1', () => {
      throw new Error('begun for nobody')
    })
    if (!asked.ok) throw asked.error
    asked.value()
    asked.value()
  }
  let begun = 0
  const last = desk.ask('10.0.0.1', () => begun++)
  expect(last.ok && desk.work()).toBe(false)
  expect({ begun, open: desk.open, queued }).toEqual({ begun: 1, open: 1, queued: 10_001 })
})

it('E6: one client has 100 explanations under way at most, and others theirs beside it', () => {
  const desk = new ExplanationDesk({ add: () => {} })
  const asked = Array.from({ length: 101 }, () => desk.ask('10.0.0.1', () => {}))
  expect(asked.map(({ ok }) => ok).indexOf(false)).toBe(100)
  const refused = asked[100]
  expect(refused?.ok === false && refused.error).toMatchObject({ code: 'resource-exhausted' })
  expect(desk.ask('10.0.0.2', () => {}).ok).toBe(true)
  const [first] = asked
  if (first?.ok) first.value()
  expect(desk.ask('10.0.0.1', () => {}).ok).toBe(true)
})

it('E6: streams of explanations that nobody waits for are given up, and the one after them is answered', async () => {
  const server = await startMesh()
  await server.put('default', '/svc => /#/test')
  const client = new MeshClient(server.address)
  const tree = { leaf: { id: wirePath('/svc/web') } }
  const explain = () => client.stream('Delegator/StreamDelegateTree', { root: wirePath('/default'), tree })
  for (let i = 0; i < 110; i++) {
    const stream = explain()
    await stream.opened()
    stream.cancel()
  }
  await until(() => server.api.connections().highestStreams === 0)
  server.namer.exists('web').set(true)
  const answered = explain()
  await expect(answered.ended).resolves.toMatchObject({ code: 0 })
  expect(answered.messages).toHaveLength(1)
  client.close()
  await server.close()
})
