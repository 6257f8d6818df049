import { expect, it } from 'vitest'
import { ThreadPlace } from '../../../server/workers/thread-place.ts'
import { FakeClock } from '../../fakes/clock.fake.ts'
import { type LogLine, recordingLog } from '../../fakes/log.fake.ts'

function startPlace(begin: () => Promise<void> = async () => {}) {
  const clock = new FakeClock()
  const lines: LogLine[] = []
  const exits: ((how: string) => void)[] = []
  let terminated = 0
  const place = new ThreadPlace({
    thread: 1,
    clock,
    log: recordingLog(lines),
    begin,
    create: (_, onExit) => {
      exits.push(onExit)
      return { terminate: async () => void terminated++ }
    },
    onGone: () => {},
  })
  const waits = (): unknown[] => lines.flatMap(({ facts }) => ('restartInMs' in facts ? [facts.restartInMs] : []))
  return { clock, place, exits, lines, waits, terminated: () => terminated }
}

it('gets another thread when its own ends, later each time it ends soon, and at once again after a good minute', async () => {
  const { clock, place, exits, waits } = startPlace()
  await place.start()
  for (const livedMs of [0, 0, 0, 60_000, 0]) {
    clock.advance(livedMs)
    exits.at(-1)?.('code 1')
    expect(place.thread).toBeUndefined()
    clock.advance(30_000)
  }
  expect(waits()).toEqual([100, 200, 400, 100, 200])
  expect([exits.length, place.restarts]).toEqual([6, 5])
})

it('ends a thread that took the place of another and cannot listen, and tries again', async () => {
  const { clock, place, exits, lines, terminated } = startPlace(async () => {
    if (exits.length === 2) throw new Error('the port is gone')
  })
  await place.start()
  exits.at(-1)?.('code 1')
  clock.advance(100)
  await Promise.resolve()
  await Promise.resolve()
  expect([lines.at(-1)?.message, terminated()]).toEqual(['a thread could not start', 1])
  exits.at(-1)?.('code 1')
  clock.advance(200)
  expect(exits.length).toBe(3)
})

it('gets none once it has stopped', async () => {
  const { clock, place, exits } = startPlace()
  await place.start()
  place.stop()
  exits.at(-1)?.('code 0')
  clock.advance(60_000)
  expect([exits.length, clock.waiting]).toEqual([1, 0])
})
