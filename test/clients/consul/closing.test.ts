// After close nothing is left: no timer, no connection, no word to anyone.
import { expect, it } from 'vitest'
import { Ear, startConsulTrial, web } from './consul.fixture.ts'

it('ends requests that are held, answered in part, queued, waiting to be asked again', async () => {
  const { consul, agent, clock, until, advanceUntil } = await startConsulTrial({ maxConnections: 3 })
  consul.register({ service: 'web', port: 1 })
  consul.fault = ({ path }) => {
    if (path.endsWith('drips')) return { kind: 'drip', everyMs: 1000 }
    if (path.endsWith('hangs')) return { kind: 'hang' }
    return path.endsWith('fails') ? { kind: 'status', status: 500 } : undefined
  }
  const names = ['web', 'drips', 'hangs', 'fails', 'web2', 'web3']
  const ears = names.map(() => new Ear())
  for (const [i, name] of names.entries())
    agent.follow({ path: `/catalog/service/${name}`, parameters: {} }, ears[i] ?? new Ear())
  await advanceUntil(() => agent.load().waiting > 0 && consul.parked >= 2, 1)
  const heard = ears.map(ear => ear.log.length)
  agent.close()
  agent.close()
  await until(() => consul.connections === 0)
  await until(() => consul.parked === 0)
  clock.advance(10_000)
  expect(ears.map(ear => ear.log.length)).toEqual(heard)
  expect(clock.waiting).toBe(0)
  expect(agent.load()).toMatchObject({ followed: 0, inUse: 0, waiting: 0 })
  agent.follow(web, new Ear())()
  expect(agent.load().followed).toBe(0)
})

it('tells nothing after a follow was ended from within a call', async () => {
  const { consul, agent, advance, until } = await startConsulTrial()
  consul.register({ service: 'web', port: 1 })
  const ear = new Ear()
  const stop = agent.follow(web, {
    changed: answer => {
      ear.changed(answer)
      stop()
    },
    same: () => ear.same(),
    failed: (error, retryAt) => ear.failed(error, retryAt),
  })
  await until(() => ear.log.length === 1)
  consul.register({ service: 'web', port: 2 })
  await advance(10_000, 1000)
  expect(ear.log).toEqual(['1'])
})
