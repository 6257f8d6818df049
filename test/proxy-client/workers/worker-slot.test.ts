import cluster from 'node:cluster'
import { expect, it, onTestFinished, vi } from 'vitest'
import { proxyConfig } from '../../../proxy-client/config.ts'
import { MergedTelemetry } from '../../../proxy-client/telemetry/merged-telemetry.ts'
import { type OnExit, WorkerLink } from '../../../proxy-client/workers/worker-link.ts'
import { WorkerSlot } from '../../../proxy-client/workers/worker-slot.ts'
import { silentLog } from '../../../runtime/log.ts'
import { FakeClock } from '../../fakes/clock.fake.ts'

function linkOf(clock: FakeClock, worker: number, onExit: OnExit): WorkerLink {
  return new WorkerLink({ worker, config: proxyConfig.parse({}), clock, telemetry: new MergedTelemetry() }, onExit)
}

it('a process that could not be made counts as one that ended', async () => {
  const { cwd } = cluster.settings
  cluster.setupPrimary({ cwd: '/nowhere at all' })
  onTestFinished(() => cluster.setupPrimary({ cwd }))
  const ends: string[] = []
  const link = linkOf(new FakeClock(), 1, how => ends.push(how))
  await expect(link.started).rejects.toThrow(/worker 1 ended \(spawn .* ENOENT\)/)
  expect(ends).toEqual([expect.stringContaining('ENOENT')])
  expect(await link.ask('ready')).toBeUndefined()
})

it('a worker for which the machine has no room is tried again, later each time, and ends nobody else', async () => {
  const clock = new FakeClock()
  const exits: OnExit[] = []
  const fork = vi.fn((_: number, onExit: OnExit): WorkerLink => {
    exits.push(onExit)
    if (exits.length > 1) throw new Error('spawn ENOMEM')
    return { started: Promise.resolve({}), pid: 1 } as WorkerLink // as much of one as a slot asks for
  })
  const slot = new WorkerSlot({ worker: 1, clock, log: silentLog, fork })
  await slot.start()
  exits[0]?.('SIGKILL')
  clock.advance(100)
  expect([fork.mock.calls.length, slot.link]).toEqual([2, undefined])
  clock.advance(199)
  expect(fork).toHaveBeenCalledTimes(2)
  clock.advance(1)
  expect(fork).toHaveBeenCalledTimes(3)
})
