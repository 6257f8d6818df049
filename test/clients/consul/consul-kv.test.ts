// What a store asks once, over real HTTP: deadlines, how many at once, answers that are not what was asked for.
import { expect, it, onTestFinished } from 'vitest'
import type { ConsulError } from '../../../clients/consul/consul-error.ts'
import { createConsulKv } from '../../../clients/consul/consul-kv.ts'
import { FakeClock } from '../../fakes/clock.fake.ts'
import { FakeConsulAgent } from '../../fakes/consul-agent.fake.ts'

async function startKv() {
  const clock = new FakeClock()
  const consul = await FakeConsulAgent.start(clock)
  const kv = createConsulKv({
    host: '127.0.0.1',
    port: consul.port,
    clock,
    random: () => 1,
    token: 'secret',
    datacenter: 'dc2',
  })
  onTestFinished(async () => {
    kv.close()
    await consul.stop()
  })
  const answer = (body: unknown, status = 200): void => {
    consul.reply = () => ({ status, index: '7', headers: {}, body })
  }
  return { clock, consul, kv, answer }
}

const reasonOf = (outcome: Promise<unknown>): Promise<unknown> =>
  outcome.then(
    () => 'no failure',
    (error: ConsulError) => [error.reason, error.status],
  )

const entry = { Key: 'a', Flags: 3, Value: Buffer.from([0, 255]).toString('base64'), ModifyIndex: 5, LockIndex: 0 }

it('reads keys at one moment, with token and datacenter, whatever bytes they hold', async () => {
  const { consul, kv, answer } = await startKv()
  answer({ Results: [{ KV: entry }, { KV: { ...entry, Key: 'b', Value: null, ModifyIndex: 0 } }] })
  expect(await kv.read(['a', 'b'])).toEqual([
    { key: 'a', value: Buffer.from([0, 255]), flags: 3, modifyIndex: 5 },
    undefined,
  ])
  const [request] = consul.requests
  expect(request?.token).toBe('secret')
  expect(String(request?.parameters)).toBe('consistent=&dc=dc2')
})

it('asks nothing where there is nothing to ask', async () => {
  const { consul, kv } = await startKv()
  expect([await kv.read([]), await kv.compare([])]).toEqual([[], new Set()])
  expect(consul.requests).toEqual([])
})

it('takes what is left out of an answer for what the token may not read', async () => {
  const { kv, answer } = await startKv()
  answer({ Results: [{ KV: entry }] })
  expect(await reasonOf(kv.read(['a', 'secret']))).toEqual(['status', 403])
  const denied = 'Permission denied: token lacks permission'
  answer({ Results: null, Errors: [{ OpIndex: 0, What: denied }] }, 409)
  expect(await reasonOf(kv.transact([{ kind: 'delete', key: 'a' }]))).toEqual(['status', 403])
})

it('tells which operations of a transaction were refused', async () => {
  const { kv, answer } = await startKv()
  answer({ Results: null, Errors: [{ OpIndex: 1, What: 'failed to set key "a", index is stale' }] }, 409)
  const outcome = await kv.transact([
    { kind: 'check-absent', key: 'b' },
    { kind: 'cas', key: 'a', index: 3, value: new Uint8Array() },
  ])
  expect(outcome).toEqual({ kind: 'refused', operations: new Set([1]) })
})

it.each([
  ['no JSON', 'not at all'],
  ['no list', { Results: 7 }],
  ['an entry without a key', { Results: [{ KV: { ...entry, Key: 7 } }] }],
  ['a value that is no text', { Results: [{ KV: { ...entry, Value: 7 } }] }],
])('refuses %s as an answer', async (_what, body) => {
  const { kv, answer } = await startKv()
  answer(body)
  expect(await reasonOf(kv.read(['a']))).toEqual(['malformed', undefined])
})

it('has at most 64 calls under way, and ends all within ten seconds, those that wait too', async () => {
  const { clock, consul, kv } = await startKv()
  consul.fault = () => ({ kind: 'hang' })
  const calls = Array.from({ length: 70 }, () => reasonOf(kv.read(['a'])))
  await consul.until(() => consul.parked === 64)
  expect(kv.load()).toEqual({ inUse: 64, waiting: 6 })
  clock.advance(10_000)
  expect(new Set((await Promise.all(calls)).map(String))).toEqual(new Set(['deadline,']))
  expect(kv.load()).toEqual({ inUse: 0, waiting: 0 })
  expect(consul.requests).toHaveLength(64)
  expect(clock.waiting).toBe(0)
})

it('hands a place on to the next in line', async () => {
  const { consul, kv, answer } = await startKv()
  answer({ Results: [{ KV: entry }] })
  const calls = Array.from({ length: 200 }, () => kv.read(['a']))
  expect((await Promise.all(calls)).length).toBe(200)
  expect(consul.mostConnections).toBeLessThanOrEqual(64)
  expect(kv.load()).toEqual({ inUse: 0, waiting: 0 })
})

it('rejects what is under way when it is closed', async () => {
  const { consul, kv } = await startKv()
  consul.fault = () => ({ kind: 'hang' })
  const call = reasonOf(kv.read(['a']))
  await consul.until(() => consul.parked === 1)
  kv.close()
  expect(await call).toEqual(['connection', undefined])
})

it('asks an agent that refuses again, more and more slowly, until the time of the call is over', async () => {
  const { clock, consul, kv, answer } = await startKv()
  answer({ Results: null })
  const untilOver = (): Promise<void> =>
    consul.until(() => {
      clock.advance(5)
      return kv.load().inUse === 0
    })
  let refusals = 3
  consul.fault = () => (refusals-- > 0 ? { kind: 'status', status: 429 } : undefined)
  const outcome = kv.transact([{ kind: 'delete', key: 'a' }])
  await untilOver()
  expect(await outcome).toEqual({ kind: 'done', entries: [] })
  expect(consul.requests).toHaveLength(4)
  refusals = Number.POSITIVE_INFINITY
  const refused = reasonOf(kv.transact([{ kind: 'delete', key: 'a' }]))
  await untilOver()
  expect([['refused', 429].join(), 'deadline,']).toContain(String(await refused))
  expect(consul.requests.length).toBeLessThan(4 + 22)
  expect(clock.waiting).toBe(0)
})
