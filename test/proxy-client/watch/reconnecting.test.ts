import { expect, test } from 'vitest'
import { createWatchClient } from '../../../proxy-client/watch/watch-client.ts'
import { createMetrics } from '../../../runtime/metrics.ts'
import { systemClock } from '../../../watch/clock.ts'
import { testKernel, until } from '../../api/grpc/grpc-api.fixture.ts'
import { FakeClock } from '../../fakes/clock.fake.ts'
import { type LogLine, recordingLog } from '../../fakes/log.fake.ts'
import { startScriptedServer } from './scripted-server.fixture.ts'

test('a server that takes each stream and ends it at once is left alone for longer and longer, in few words', async () => {
  const server = await startScriptedServer()
  const kernel = testKernel()
  const clock = new FakeClock()
  const lines: LogLine[] = []
  const client = createWatchClient({
    addresses: [server.address],
    clientId: 'test',
    kernel,
    clock: { now: clock.now, monotonic: clock.monotonic, after: clock.after, defer: systemClock.defer },
    random: () => 0.5,
    log: recordingLog(lines),
    metrics: createMetrics(),
  })
  const isAt = (kind: string): boolean => {
    const state = client.connection.peek()
    return state.kind === 'ok' && state.value.kind === kind
  }
  const waits: number[] = []
  const loseOne = async (): Promise<void> => {
    await until(() => isAt('connected') && server.streams() === waits.length + 1)
    server.end()
    await until(() => isAt('waiting'))
    const state = client.connection.peek()
    waits.push(state.kind === 'ok' && state.value.kind === 'waiting' ? state.value.retryAt - clock.now() : 0)
    clock.advance(waits.at(-1) ?? 0)
  }
  for (let losses = 0; losses < 8; losses++) await loseOne()
  expect(waits).toEqual([250, 500, 1000, 2000, 2500, 2500, 2500, 2500])
  const said = (): readonly string[] => lines.filter(({ level }) => level !== 'debug').map(({ level }) => level)
  await until(() => isAt('connected'))
  expect(said()).toEqual(['info', 'warn', 'info'])
  // One that stood for a while was a good one: its loss is news, and the next try comes soon.
  clock.advance(10_000)
  await loseOne()
  await until(() => isAt('connected'))
  expect(waits.at(-1)).toBe(250)
  expect(said()).toEqual(['info', 'warn', 'info', 'warn', 'info'])
  client.close()
  kernel.close()
  server.close()
})
