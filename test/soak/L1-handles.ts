// L1 in its real length: a directory deleted and created 10,000 times under a followed file, watches counted.
import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Disk } from '../../interpreters/fs/disk.ts'
import { createFsNamer } from '../../interpreters/fs/fs-namer.ts'
import { nodeDisk } from '../../interpreters/fs/node-disk.ts'
import { settleMs } from '../../interpreters/fs/publishing-rule.ts'
import { silentLog } from '../../runtime/log.ts'
import { createMetrics } from '../../runtime/metrics.ts'
import { type Clock, systemClock, systemRandom } from '../../watch/clock.ts'
import { createKernel } from '../../watch/kernel.ts'

const rounds = 10_000
const prefix = ['#', 'fs']

/** What is on trial is believed after 1 ms, or the rounds would take ten minutes. */
const clock: Clock = { ...systemClock, after: (ms, run) => systemClock.after(ms === settleMs ? 1 : ms, run) }

/** Rejects when more than one watch per directory was ever open, or descriptors are left. */
export async function soakL1(report: (line: string) => void): Promise<void> {
  const root = mkdtempSync(join(tmpdir(), 'soak-L1-'))
  const counts = { open: 0, most: 0 }
  const kernel = createKernel({ clock, onError: error => report(`error: ${String(error)}`) })
  const env = { kernel, clock, random: systemRandom, log: silentLog, metrics: createMetrics() }
  const namer = createFsNamer({ rootDir: root, prefix, disk: countedDisk(counts) }, env)
  let port = 0
  let wake = (): void => {}
  namer.replicas([...prefix, 'team', 'web']).watch(state => {
    port = state.kind === 'ok' && state.value.kind === 'bound' ? (state.value.endpoints[0]?.port ?? 0) : 0
    wake()
  })
  const descriptorsBefore = readdirSync('/proc/self/fd').length
  try {
    for (let round = 1; round <= rounds; round++) {
      mkdirSync(join(root, 'team'))
      writeFileSync(join(root, 'team', 'web'), `10.0.0.1 ${round}\n`)
      await new Promise<void>(resolve => {
        wake = () => port === round && resolve()
        wake()
      })
      rmSync(join(root, 'team'), { recursive: true })
      if (round % 1000 === 0) report(`${round} rounds, ${counts.open} watches open, ${counts.most} at most`)
    }
    const left = readdirSync('/proc/self/fd').length - descriptorsBefore
    if (counts.most > 2) throw new Error(`${counts.most} watches were open at once for two directories`)
    if (left > 10) throw new Error(`${left} more descriptors are open than before`)
  } finally {
    namer.close()
    kernel.close()
    rmSync(root, { recursive: true, force: true })
  }
  if (counts.open !== 0) throw new Error(`${counts.open} watches are left after close`)
}

function countedDisk(counts: { open: number; most: number }): Disk {
  return {
    ...nodeDisk,
    watch: (...watched) => {
      const close = nodeDisk.watch(...watched)
      counts.open++
      counts.most = Math.max(counts.most, counts.open)
      return () => {
        counts.open--
        close()
      }
    },
  }
}
