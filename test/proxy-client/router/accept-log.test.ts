import { expect, it } from 'vitest'
import { createAcceptLog } from '../../../proxy-client/router/accept-log.ts'
import { silentLog } from '../../../runtime/log.ts'
import { FakeClock } from '../../fakes/clock.fake.ts'

it('connections that are not accepted are told once in ten seconds, with how many were not told', () => {
  const clock = new FakeClock()
  const told: unknown[] = []
  const log = { ...silentLog, warn: (fields: object) => told.push(fields) }
  const tell = createAcceptLog(log, clock, '127.0.0.1:4140')
  const error = new Error('accept EMFILE')
  for (let i = 0; i < 100; i++) tell(error)
  expect(told).toEqual([{ err: error, server: '127.0.0.1:4140', untold: 0 }])
  clock.advance(10_000)
  tell(error)
  expect(told[1]).toEqual({ err: error, server: '127.0.0.1:4140', untold: 99 })
})
