import { status } from '@grpc/grpc-js'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { endpoints, treeTo } from '../../fakes/interpreter.fake.ts'
import { SocketClock } from '../../fakes/socket-clock.fake.ts'
import { CountingStream } from './counting-stream.fixture.ts'
import { startServer, type TestServer, until } from './grpc-api.fixture.ts'

describe('a Watch stream whose client has gone astray', () => {
  let clock: SocketClock
  let server: TestServer
  let stream: CountingStream

  beforeEach(async () => {
    clock = new SocketClock()
    server = await startServer({ clock })
    stream = new CountingStream(server.address)
    server.interpreter.set('/#/fs/a').set(endpoints('127.0.0.1:1'))
    server.interpreter.tree('default/svc/a').set(treeTo('/#/fs/a'))
    stream.subscribe('/svc/a')
    await until(() => stream.told.size === 2)
    await turns()
  })

  afterEach(async () => {
    stream.close()
    await server.close()
  })

  async function turns(): Promise<void> {
    for (let turn = 0; turn < 20; turn++) await new Promise(resolve => setImmediate(resolve))
  }

  /** Lets so many seconds pass, one after the other. */
  async function seconds(count: number): Promise<void> {
    for (let second = 0; second < count && stream.ended === undefined; second++) {
      clock.advance(1_000)
      await turns()
    }
  }

  async function questions(): Promise<number> {
    const { body } = await server.metrics.expose()
    return Number(/^nameplane_watch_questions_total (\d+)/m.exec(body)?.[1])
  }

  test('ends when questions bring no agreement, which come ever more rarely: another stream begins anew', async () => {
    stream.confirms = false
    let answered = 0
    for (let second = 0; second < 60 && stream.ended === undefined; second++) {
      stream.confirm(7)
      await turns()
      const asked = stream.messages.filter(({ wantsHeld }) => wantsHeld).length
      if (asked > answered) stream.tellHeld()
      answered = asked
      await seconds(1)
    }
    expect(stream.ended?.code).toBe(status.UNAVAILABLE)
    expect(stream.ended?.details).toContain('confirm')
    expect(await questions()).toBe(5)
    const { body } = await server.metrics.expose()
    expect(body).toContain('nameplane_push_resets_total{reason="unconfirmed"} 1')
  })

  test('ends when nothing is confirmed and no question answered, and gives up what it held', async () => {
    stream.confirms = false
    server.interpreter.tree('default/svc/a').set(treeTo('/#/fs/b'))
    await seconds(60)
    expect(stream.ended?.code).toBe(status.UNAVAILABLE)
    await until(() => server.kernel.counts().watchers === 0)
  })

  test('goes on when the client agrees in the end', async () => {
    stream.confirms = false
    stream.confirm(7)
    await turns()
    stream.confirm(7)
    await turns()
    stream.tellHeld()
    await seconds(2)
    stream.confirms = true
    stream.confirm()
    await seconds(60)
    expect(stream.ended).toBeUndefined()
  })
})
