import { describe, expect, it } from 'vitest'
import { createEtcdCluster } from '../../../clients/etcd/etcd-cluster.ts'
import { refuseEmpty } from '../../../storage/etcd/refuse-empty.ts'
import { FakeEtcd } from '../../fakes/etcd-server.fake.ts'
import { type LogLine, recordingLog } from '../../fakes/log.fake.ts'
import { SocketClock } from '../../fakes/socket-clock.fake.ts'

class Start implements Disposable {
  readonly clock = new SocketClock()
  readonly lines: LogLine[] = []
  readonly #startedAt = this.clock.monotonic()
  readonly #cluster

  constructor(endpoint: string) {
    const { clock } = this
    this.#cluster = createEtcdCluster({ endpoints: [endpoint], clock, random: () => 0.5, events: {} })
  }

  get passedMs(): number {
    return this.clock.monotonic() - this.#startedAt
  }

  run(): Promise<void> {
    return refuseEmpty(this.#cluster, '/namerd/dtabs', { clock: this.clock, log: recordingLog(this.lines) })
  }

  /** Lets the clock go on by small steps until it holds. */
  async until(holds: () => boolean, stepMs = 10): Promise<void> {
    for (const deadline = Date.now() + 5000; !holds() && Date.now() < deadline; this.clock.advance(stepMs))
      for (let i = 0; i < 20; i++) await new Promise(resolve => void setImmediate(resolve))
  }

  [Symbol.dispose](): void {
    this.#cluster.close()
  }
}

describe('io.l5d.etcd at its start', () => {
  it('refuses an etcd without a namespace and names the commands that bring them', async () => {
    await using etcd = await FakeEtcd.start()
    using start = new Start(etcd.endpoint)
    await expect(start.run()).rejects.toMatchObject({
      code: 'bad-config',
      message: expect.stringMatching(
        /namerctl export namerd\.ndjson --from NAMERD_URL.*namerctl import namerd\.ndjson/,
      ),
    })
    etcd.put('/namerd/dtabs/default', '/a=>/b')
    await start.run()
    expect([start.lines, start.clock.waiting]).toEqual([[], 0])
  })

  it('is held up by no etcd that does not answer, and logs what it says later', async () => {
    await using etcd = await FakeEtcd.start()
    let release: (() => void) | undefined
    etcd.rangeHold = new Promise<void>(resolve => {
      release = resolve
    })
    using start = new Start(etcd.endpoint)
    let isStarted = false
    const run = start.run().then(() => {
      isStarted = true
    })
    await start.until(() => isStarted)
    await run
    expect(start.passedMs).toBeLessThanOrEqual(600)
    expect(start.lines).toEqual([])
    release?.()
    await start.until(() => start.lines.length > 0, 0)
    expect(start.lines).toMatchObject([{ level: 'warn', facts: { error: expect.stringContaining('allowEmpty') } }])
  })

  it('is held up by no etcd that refuses connections', async () => {
    using start = new Start('127.0.0.1:1')
    let isStarted = false
    const run = start.run().then(() => {
      isStarted = true
    })
    await start.until(() => isStarted)
    await run
    expect(start.passedMs).toBeLessThanOrEqual(600)
  })
})
