import { describe, expect, it } from 'vitest'
import { GoodWriter } from '../../../proxy-client/last-good/good-writer.ts'
import { FakeClock } from '../../fakes/clock.fake.ts'
import { type LogLine, recordingLog } from '../../fakes/log.fake.ts'

function setUp() {
  const clock = new FakeClock()
  const lines: LogLine[] = []
  const disk = { writes: 0, isBroken: false }
  const write = async (): Promise<void> => {
    disk.writes++
    if (disk.isBroken) throw new Error('no space left')
  }
  const writer = new GoodWriter({ clock, log: recordingLog(lines), path: 'file', write })
  const pass = async (ms: number): Promise<void> => {
    clock.advance(ms)
    await new Promise(setImmediate)
  }
  const said = (level: LogLine['level']): number => lines.filter(line => line.level === level).length
  return { clock, disk, writer, pass, said }
}

describe('the writer of the last good state', () => {
  it('writes changes that come together once, and no more than once in 10 s', async () => {
    const { disk, writer, pass } = setUp()
    for (let i = 0; i < 100; i++) writer.changed()
    await pass(999)
    expect(disk.writes).toBe(0)
    await pass(1)
    expect(disk.writes).toBe(1)
    for (let second = 0; second < 9; second++) {
      writer.changed()
      await pass(1_000)
    }
    expect(disk.writes).toBe(1)
    await pass(1_000)
    expect(disk.writes).toBe(2)
  })

  it('confirms what does not change once an hour', async () => {
    const { disk, writer, pass } = setUp()
    writer.changed()
    await pass(1_000)
    await pass(3_600_000)
    expect(disk.writes).toBe(2)
  })

  it('warns once of a disk that fails, tries again, and says when it is well', async () => {
    const { disk, writer, pass, said } = setUp()
    disk.isBroken = true
    writer.changed()
    await pass(1_000)
    await pass(30_000)
    await pass(30_000)
    expect([disk.writes, said('warn'), said('info')]).toEqual([3, 1, 0])
    disk.isBroken = false
    await pass(30_000)
    expect(said('info')).toBe(1)
  })

  it('writes at the end what is not written yet, and nothing else', async () => {
    const { disk, writer, clock } = setUp()
    writer.changed()
    await writer.close()
    expect(disk.writes).toBe(1)
    writer.changed()
    expect(clock.waiting).toBe(0)
    const idle = setUp()
    await idle.writer.close()
    expect(idle.disk.writes).toBe(0)
  })
})
