import { createFsNamer } from '../../../interpreters/fs/fs-namer.ts'
import { settleMs } from '../../../interpreters/fs/publishing-rule.ts'
import { silentLog } from '../../../runtime/log.ts'
import { createMetrics } from '../../../runtime/metrics.ts'
import { createKernel } from '../../../watch/kernel.ts'
import { type NamerFixture, namerContract } from '../../contract/namer.contract.ts'
import { FakeClock } from '../../fakes/clock.fake.ts'
import { FakeDisk, fakeRoot, settle } from './disk.fake.ts'
import { prefix } from './fs.fixture.ts'

const text = '10.0.0.1 80\n'

async function make(): Promise<NamerFixture> {
  const clock = new FakeClock()
  const disk = new FakeDisk({ web: text })
  const kernel = createKernel({
    clock,
    onError: error => {
      throw error
    },
  })
  const env = { kernel, clock, random: () => 0, log: silentLog, metrics: createMetrics() }
  const namer = createFsNamer({ rootDir: fakeRoot, prefix, disk }, env)
  const passTime = async (ms: number): Promise<void> => {
    await settle(clock)
    clock.advance(ms)
    await settle(clock)
  }
  return {
    namer,
    kernel,
    known: ['web'],
    unknown: ['nope'],
    misshapen: ['..', 'web'],
    settle: () => settle(clock),
    setKnown: async exists => {
      if (exists) disk.files.set('web', text)
      else disk.files.delete('web')
      disk.tell('rename', 'web')
      await passTime(settleMs)
    },
    setFailing: async isFailing => {
      disk.isFailing = isFailing
      disk.tell('change', 'web')
      await settle(clock)
    },
    opened: () => disk.watchesOpened,
    passLinger: () => passTime(1000),
    dispose: async () => {
      namer.close()
      kernel.close()
    },
  }
}

namerContract('io.l5d.fs', make)
