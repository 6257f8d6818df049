// Answers that do not serve: each is a failure with a message that helps, and nothing else.
import { expect, it } from 'vitest'
import type { FakeFault } from '../../fakes/consul-agent.fake.ts'
import { followAsSource, startConsulTrial, web } from './consul.fixture.ts'

const status = (status: number, text: string): FakeFault => ({ kind: 'status', status, text })
const long = 'x'.repeat(1000)

it.each<[string, FakeFault, string]>([
  [
    '400',
    status(400, 'Bad index'),
    'Consul answered 400 "Bad index": the agent does not understand the query; its version may be too old',
  ],
  [
    '403',
    status(403, 'Permission denied'),
    'Consul answered 403 "Permission denied": set a token whose policy allows service:read, node:read and agent:read',
  ],
  ['404', status(404, ''), 'Consul answered 404: is this a Consul agent?'],
  ['500 without a leader', status(500, 'No cluster leader'), 'Consul answered 500 "No cluster leader"'],
  ['500 without a path', status(500, 'No path to datacenter'), 'Consul answered 500 "No path to datacenter"'],
  ['500 with control characters', status(500, 'a\r\n\u001b[31mb'), 'Consul answered 500 "a [31mb"'],
  ['502 with a long text', status(502, long), `Consul answered 502 "${long.slice(0, 200)}..."`],
  ['204', status(204, ''), 'Consul answered 204'],
  ['a redirect', { kind: 'status', status: 301, headers: { location: '/v1/agent/self' } }, 'Consul answered 301'],
  ['no JSON', status(200, '[{"ServicePort":'), "Consul's answer is not JSON"],
  ['nothing at all', status(200, ''), "Consul's answer is not JSON"],
  ['too much', status(200, `["${long}"]`), "Consul's answer is longer than 900 bytes"],
  ['the wrong shape', status(200, '{"web":1}'), 'not what was asked for'],
])('keeps the last content when the agent answers %s', async (_what, fault, message) => {
  const trial = await startConsulTrial({ maxBodyBytes: 900 })
  const { consul, clock, advanceUntil } = trial
  consul.register({ service: 'web', port: 1 })
  const source = followAsSource(trial, web)
  await advanceUntil(() => consul.held === 1)
  consul.fault = () => fault
  consul.churn('web')
  await advanceUntil(() => source.report?.state === 'stale')
  expect(source.report?.lastError).toBe(message)
  expect(source.report?.retryAt).toBeGreaterThanOrEqual(clock.now())
  await advanceUntil(() => trial.counts.failures.length === 5, 500)
  consul.fault = () => undefined
  await advanceUntil(() => source.report?.state === 'ok')
  expect(source.values).toEqual(['1'])
})

it('fails with the reason when the connection is cut', async () => {
  const trial = await startConsulTrial()
  const { consul, advanceUntil } = trial
  consul.fault = () => ({ kind: 'cut' })
  const source = followAsSource(trial, web)
  await advanceUntil(() => source.report?.state === 'failed')
  expect(source.report?.lastError).toMatch(/closed the connection before its answer was whole/)
  expect(trial.counts.failures[0]).toBe('connection')
})
