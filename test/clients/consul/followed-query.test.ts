// One followed query over real HTTP: what it asks and what it tells.
import { expect, it } from 'vitest'
import { Ear, startConsulTrial, web } from './consul.fixture.ts'

it('tells the present content, then each change as it comes, by one held request', async () => {
  const { consul, agent, until, advanceUntil, clock } = await startConsulTrial({ token: 'secret' })
  consul.register({ service: 'web', port: 1 })
  const ear = new Ear()
  const stop = agent.follow(web, ear)
  await until(() => consul.held === 1)
  expect(ear.log).toEqual(['1'])
  expect(agent.load()).toEqual({ followed: 1, isReachable: true, inUse: 1, waiting: 0, limit: 16, requests: 2 })
  consul.register({ service: 'web', port: 2 })
  await advanceUntil(() => consul.held === 1 && ear.answers.length === 2)
  expect(ear.log).toEqual(['1', '2'])
  expect(ear.answers.map(answer => answer.version)).toEqual(['2', '3'])
  const [first, second] = consul.requests
  expect([first?.index, first?.parameters.get('dc'), first?.token]).toEqual([undefined, 'dc1', 'secret'])
  expect(second?.index).toBe(2)
  expect(Number.parseInt(second?.parameters.get('wait') ?? '', 10)).toBeGreaterThanOrEqual(30_000)
  stop()
  stop()
  await until(() => consul.connections === 0)
  expect(consul.mostConnections).toBe(1)
  expect(agent.load()).toEqual({ followed: 0, isReachable: true, inUse: 0, waiting: 0, limit: 16, requests: 3 })
  expect(clock.waiting).toBe(0)
})

it('tells a large answer over several turns, and nothing of it when the follow ends meanwhile', async () => {
  const { consul, agent, until, clock } = await startConsulTrial()
  consul.register({ service: 'web', port: 1, meta: { note: 'x'.repeat(2 ** 20) } })
  const ear = new Ear()
  const stop = agent.follow(web, ear)
  await until(() => ear.answers.length === 1)
  stop()
  const late = new Ear()
  const stopEarly = agent.follow(web, late)
  const { defer } = clock
  let deferred = 0
  clock.defer = run => {
    deferred++
    stopEarly()
    return defer(run)
  }
  await until(() => deferred > 1 && agent.load().inUse === 0)
  expect([deferred, ear.log, late.log]).toEqual([2, ['1'], []])
})

it('asks without an index after an answer before its time that tells nothing, as a restored Consul gives it', async () => {
  const { consul, agent, until, advanceUntil } = await startConsulTrial()
  consul.register({ service: 'web', port: 1 })
  const ear = new Ear()
  const stop = agent.follow(web, ear)
  await until(() => consul.held === 1)
  let isEarly = true
  consul.fault = ({ index }) => {
    if (!isEarly || index === undefined) return undefined
    isEarly = false
    return { kind: 'early' }
  }
  consul.register({ service: 'web', port: 2 })
  await advanceUntil(() => consul.requests.length === 5)
  expect(consul.requests.map(({ index }) => index)).toEqual([undefined, 2, 3, undefined, 3])
  expect(ear.contents).toEqual(['1', '2'])
  stop()
})

it('takes 404 with an index for an empty list where the query says so, and for a failure without one', async () => {
  const { consul, agent, until } = await startConsulTrial()
  const ear = new Ear()
  const stop = agent.follow({ path: '/kv/none', parameters: { keys: '' }, absentIsEmpty: true }, ear)
  await until(() => ear.failures.length === 1)
  expect(ear.failures[0]?.message).toMatch(/404/)
  stop()
  consul.reply = (_, usual) => ({ ...usual, index: '5' })
  const other = new Ear()
  const stopOther = agent.follow({ path: '/kv/none', parameters: { keys: '' }, absentIsEmpty: true }, other)
  await until(() => other.answers.length === 1)
  expect(other.answers[0]?.body).toEqual([])
  stopOther()
})

it('asks consistently whenever it does not wait for an index, where the query says so', async () => {
  const { consul, agent, until, advance } = await startConsulTrial()
  consul.register({ service: 'web', port: 1 })
  const stop = agent.follow({ ...web, beginsConsistent: true }, new Ear())
  await until(() => consul.held === 1)
  await advance(400_000, 1000)
  const isConsistent = consul
    .requestsFor(web.path)
    .map(({ index, parameters }) => [index === undefined, parameters.has('consistent')])
  expect(isConsistent.filter(([isAtOnce]) => isAtOnce).length).toBeGreaterThan(1)
  expect(isConsistent.every(([isAtOnce, isSure]) => isAtOnce === isSure)).toBe(true)
  stop()
})
