// What is asked once: the agent itself, the datacenters.
import { expect, it } from 'vitest'
import { startConsulTrial } from './consul.fixture.ts'

it('says the datacenter and the domain of the agent, and every datacenter, with the token', async () => {
  const { consul, agent } = await startConsulTrial({ token: 'secret' })
  consul.datacenters = ['dc1', 'dc2']
  expect(await agent.self()).toEqual({ datacenter: 'dc1', domain: 'consul' })
  expect(await agent.datacenters()).toEqual(['dc1', 'dc2'])
  expect(consul.requests.map(({ path, token }) => `${path} ${token}`)).toEqual([
    '/agent/self secret',
    '/catalog/datacenters secret',
  ])
})

it('rejects with a message that helps, and asks anew the next time', async () => {
  const { consul, agent } = await startConsulTrial()
  consul.fault = () => ({ kind: 'status', status: 403, text: 'Permission denied' })
  await expect(agent.self()).rejects.toThrow('403 "Permission denied": set a token')
  consul.fault = () => ({ kind: 'status', status: 200, text: '{"Config":{}}' })
  await expect(agent.self()).rejects.toThrow('does not say which datacenter')
  consul.fault = () => ({ kind: 'status', status: 200, text: '["dc1",7]' })
  await expect(agent.datacenters()).rejects.toThrow('not a list of names')
  consul.fault = () => undefined
  expect(await agent.datacenters()).toEqual(['dc1'])
})

it.each(['hang', 'headers-only'] as const)('ends at a deadline when the agent answers as in %s', async kind => {
  const { consul, agent, clock, until } = await startConsulTrial()
  consul.fault = () => ({ kind })
  const answer = expect(agent.self()).rejects.toThrow('did not answer within 5000 ms')
  await until(() => consul.parked === 1)
  clock.advance(5000)
  await answer
  expect(clock.waiting).toBe(0)
})

it('rejects when the agent is closed meanwhile', async () => {
  const { consul, agent, until } = await startConsulTrial()
  consul.fault = () => ({ kind: 'hang' })
  const answer = expect(agent.datacenters()).rejects.toThrow()
  await until(() => consul.parked === 1)
  agent.close()
  await answer
  await until(() => consul.connections === 0)
})
