import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { CountingStream } from '../api/grpc/counting-stream.fixture.ts'
import { startServer, type TestServer, until } from '../api/grpc/grpc-api.fixture.ts'
import { endpoints, treeTo } from '../fakes/interpreter.fake.ts'
import { SocketClock } from '../fakes/socket-clock.fake.ts'

describe('P1: what a proxy does not have though it was sent', () => {
  let clock: SocketClock
  let server: TestServer
  let stream: CountingStream

  beforeEach(async () => {
    clock = new SocketClock()
    server = await startServer({ clock })
    stream = new CountingStream(server.address)
    for (const id of ['/#/fs/a', '/#/fs/b']) server.interpreter.set(id).set(endpoints('127.0.0.1:1'))
    server.interpreter.tree('default/svc/a').set(treeTo('/#/fs/a'))
    server.interpreter.tree('default/svc/b').set(treeTo('/#/fs/b'))
  })

  afterEach(async () => {
    stream.close()
    await server.close()
  })

  async function count(name: string): Promise<number> {
    const { body } = await server.metrics.expose()
    return Number(new RegExp(`^nameplane_${name} (\\d+)`, 'm').exec(body)?.[1])
  }

  /** Time passes in steps, with turns for what is on the wire, until it is so or 30 s are over; gives how long it took. */
  async function repairedIn(isRepaired: () => boolean): Promise<number> {
    for (let passed = 0; passed <= 30_000; passed += 500) {
      for (let turn = 0; turn < 12; turn++) await new Promise(resolve => setImmediate(resolve))
      if (isRepaired()) return passed
      clock.advance(500)
    }
    return Number.POSITIVE_INFINITY
  }

  const shows = (port: number): boolean => {
    const state = stream.state('/#/fs/a')
    return state?.kind === 'ok' && JSON.stringify(state.value).includes(`"port":${port}`)
  }

  /** Loses the next message with an update, and everything else passes. */
  function loseOne(): void {
    let isLost = false
    stream.losesMessage = ({ updates }) => {
      if (isLost || updates.length === 0) return false
      isLost = true
      return true
    }
  }

  /** Everything has come and is confirmed. */
  async function settle(): Promise<void> {
    stream.subscribe('/svc/a', '/svc/b')
    await until(() => stream.told.size === 4)
  }

  const sent = (): number => stream.messages.flatMap(({ updates }) => updates).length

  it('is found without another change, and it alone is sent again', async () => {
    await settle()
    loseOne()
    server.interpreter.set('/#/fs/a').set(endpoints('127.0.0.1:2'))
    expect(await repairedIn(() => shows(2))).toBeLessThanOrEqual(30_000)
    expect(sent()).toBe(4 + 1)
    expect(await count('watch_drift_total')).toBe(1)
    expect(await repairedIn(() => false)).toBe(Number.POSITIVE_INFINITY)
    expect(await count('watch_questions_total')).toBe(1)
  })

  it('is found when others change all the time', async () => {
    await settle()
    loseOne()
    server.interpreter.set('/#/fs/a').set(endpoints('127.0.0.1:2'))
    let port = 10
    const isRepaired = (): boolean => {
      server.interpreter.set('/#/fs/b').set(endpoints(`127.0.0.1:${port++}`))
      return shows(2)
    }
    expect(await repairedIn(isRepaired)).toBeLessThanOrEqual(5_000)
  })

  it('is a state that went stale, too', async () => {
    await settle()
    loseOne()
    server.interpreter.set('/#/fs/a').fail(new Error('backend away'))
    const isStale = (): boolean => stream.told.get('/#/fs/a')?.isStale === true
    expect(await repairedIn(isStale)).toBeLessThanOrEqual(30_000)
    expect(stream.state('/#/fs/a')).toMatchObject({ kind: 'same' })
  })

  it('is nothing when only the confirmation was lost: nothing is sent again', async () => {
    await settle()
    stream.losesRequest = () => true
    server.interpreter.set('/#/fs/a').set(endpoints('127.0.0.1:2'))
    await until(() => shows(2))
    stream.losesRequest = () => false
    expect(await repairedIn(() => false)).toBe(Number.POSITIVE_INFINITY)
    expect(sent()).toBe(4 + 1)
    expect(await count('watch_drift_total')).toBe(0)
  })

  it('is what a lost subscription asked for: it is asked for again', async () => {
    await settle()
    server.interpreter.tree('default/svc/c').set(treeTo('/#/fs/a'))
    stream.losesRequest = () => true
    const [key = 0] = stream.subscribe('/svc/c')
    stream.losesRequest = () => false
    server.interpreter.set('/#/fs/b').set(endpoints('127.0.0.1:2'))
    expect(await repairedIn(() => stream.state(key)?.kind === 'ok')).toBeLessThanOrEqual(30_000)
  })

  it('is what it has given up, when that was lost: the server gives it up too', async () => {
    await settle()
    const watchers = server.kernel.counts().watchers
    stream.losesRequest = () => true
    stream.unsubscribe(1)
    stream.losesRequest = () => false
    const isGivenUp = (): boolean => server.kernel.counts().watchers === watchers - 2
    expect(await repairedIn(isGivenUp)).toBeLessThanOrEqual(30_000)
    expect(server.api.counts().subscriptions).toBe(1)
  })

  it('is what it has given up, also when that changes all the time', async () => {
    await settle()
    stream.losesRequest = () => true
    stream.unsubscribe(1)
    stream.losesRequest = () => false
    let change = 0
    const isGivenUp = (): boolean => {
      server.interpreter.tree('default/svc/a').set(treeTo(change++ % 2 === 0 ? '/#/fs/b' : '/#/fs/a'))
      return server.api.counts().subscriptions === 1
    }
    // Each answer finds it sent a moment ago.
    const tellHeld = stream.tellHeld.bind(stream)
    stream.tellHeld = () => {
      isGivenUp()
      setImmediate(tellHeld)
    }
    expect(await repairedIn(isGivenUp)).toBeLessThanOrEqual(30_000)
  })

  it('is asked for with an empty message first when nothing at all is confirmed', async () => {
    await settle()
    stream.confirms = false
    server.interpreter.set('/#/fs/a').set(endpoints('127.0.0.1:2'))
    await until(() => shows(2))
    const before = stream.messages.length
    await repairedIn(() => stream.messages.length > before)
    expect(stream.messages.at(-1)).toMatchObject({ updates: [], wantsHeld: false })
    await repairedIn(() => stream.messages.length > before + 1)
    expect(stream.messages.at(-1)).toMatchObject({ updates: [], wantsHeld: true })
  })
})
