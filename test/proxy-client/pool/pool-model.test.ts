// Whatever order connections open, are refused, answer and break in, and whoever leaves or comes in the middle of a call: the
// accounts of a pool are right after each step.
import type { Socket } from 'node:net'
import fc from 'fast-check'
import { expect, it } from 'vitest'
import { defaultLimits } from '../../../proxy-client/http1/limits.ts'
import type { ResponseHead } from '../../../proxy-client/http1/message.ts'
import { EndpointPool } from '../../../proxy-client/pool/endpoint-pool.ts'
import { PoolTimeouts } from '../../../proxy-client/pool/pool-timeouts.ts'
import type { Sending, UpstreamFailure, UpstreamHandler } from '../../../proxy-client/pool/upstream.ts'
import type { OpenSocket } from '../../../proxy-client/pool/upstream-socket.ts'
import { FakeClock } from '../../fakes/clock.fake.ts'
import { FedBody, requestFor } from './recording-handler.fixture.ts'
import { ScriptedSocket } from './scripted-socket.fixture.ts'

const idleTimeMs = 1_000
const lifeTimeMs = 5_000

/** What a request does when it is told of something; `none` does nothing. */
const moments = ['none', 'response', 'data', 'flush', 'end', 'failure'] as const
type Moment = (typeof moments)[number]

interface Manner {
  readonly kind: 'plain' | 'body' | 'upgrade'
  readonly moment: Moment
  /** What it does then. */
  readonly deed: 'leave' | 'sendAnother'
}

interface Step {
  readonly what:
    | 'send'
    | 'leave'
    | 'open'
    | 'refuse'
    | 'answer'
    | 'answerAndClose'
    | 'head'
    | 'switch'
    | 'babble'
    | 'end'
    | 'reset'
    | 'wait'
  /** Which of those that it can happen to, as a share. */
  readonly which: number
  readonly manner: Manner
}

class World {
  readonly clock = new FakeClock()
  readonly sockets: ScriptedSocket[] = []
  readonly requests: Request[] = []
  readonly pool: EndpointPool
  readonly maxSize: number
  readonly maxWaiters: number

  constructor(minSize: number, maxSize: number, maxWaiters: number) {
    this.maxSize = maxSize
    this.maxWaiters = maxWaiters
    const { clock } = this
    const timeouts = new PoolTimeouts({ connectTimeoutMs: 700, idleTimeMs, lifeTimeMs }, { minSize }, clock)
    const open: OpenSocket = onread => {
      const socket = new ScriptedSocket(onread)
      this.sockets.push(socket)
      return socket.asSocket
    }
    const onCrash = (error: unknown): never => {
      throw error
    }
    const common = { open, limits: defaultLimits, timeouts, clock, onCrash }
    this.pool = new EndpointPool({ ...common, minSize, maxSize, maxWaiters })
  }

  send(manner: Manner): void {
    const request = new Request(this, this.requests.length, manner)
    this.requests.push(request)
    request.begin()
  }

  /** Those of the pool's sockets that stand open or are being opened. */
  get live(): ScriptedSocket[] {
    return this.sockets.filter(socket => !socket.destroyed && !this.requests.some(({ tunnel }) => tunnel === socket))
  }

  get running(): Request[] {
    return this.requests.filter(({ ends, hasLeft }) => ends.length === 0 && !hasLeft)
  }

  get refused(): number {
    return this.requests.filter(({ ends }) => ends.includes('refused')).length
  }

  /** The request that a socket carries. */
  carriedBy(socket: ScriptedSocket): Request | undefined {
    const request = this.requests[Number(lastId(socket))]
    return request !== undefined && this.running.includes(request) ? request : undefined
  }
}

class Request implements UpstreamHandler {
  readonly isDrained = true
  readonly ends: string[] = []
  readonly #world: World
  readonly #id: number
  readonly #manner: Manner
  #sending: Sending | undefined
  #isAnswered = false
  #hasActed = false
  body = ''
  hasLeft = false
  tunnel: unknown

  constructor(world: World, id: number, manner: Manner) {
    this.#world = world
    this.#id = id
    this.#manner = manner
  }

  begin(): void {
    const { kind } = this.#manner
    this.#sending = this.#world.pool.send(
      requestFor('GET', {
        headText: `GET /${this.#id} HTTP/1.1\r\nHost: web\r\n`,
        body: kind === 'body' ? new FedBody(4, 'part') : undefined,
        upgrade: kind === 'upgrade' ? 'other' : undefined,
      }),
      this,
    )
  }

  leave(): void {
    if (this.#sending === undefined) return
    if (this.ends.length === 0) this.hasLeft = true
    this.#sending.abort()
  }

  onInterim(): void {}

  onResponse(): void {
    this.#expectRunning()
    expect(this.#isAnswered).toBe(false)
    this.#isAnswered = true
    this.#act('response')
  }

  onData(slice: Buffer): boolean {
    this.#expectRunning()
    this.body += slice.toString('latin1')
    this.#act('data')
    return true
  }

  onFlush(): void {
    this.#expectRunning()
    this.#act('flush')
  }

  onEnd(): void {
    this.#over('end')
    expect(this.body).toBe(String(this.#id))
    this.#act('end')
  }

  onTunnel(_: ResponseHead, socket: Socket): void {
    this.#over('tunnel')
    expect(this.#manner.kind).toBe('upgrade')
    this.tunnel = socket
  }

  onFailure({ kind }: UpstreamFailure): void {
    this.#over(kind)
    this.#act('failure')
  }

  #over(how: string): void {
    this.#expectRunning()
    this.ends.push(how)
  }

  #expectRunning(): void {
    expect([this.ends, this.hasLeft]).toEqual([[], false])
  }

  #act(moment: Moment): void {
    if (this.#hasActed || this.#manner.moment !== moment) return
    this.#hasActed = true
    if (this.#manner.deed === 'leave') this.leave()
    else this.#world.send({ ...this.#manner, moment: 'none' })
  }
}

/** Of the request that was written last. */
function lastId({ written }: ScriptedSocket): string {
  return /^GET \/(\d+) /.exec(written.slice(written.lastIndexOf('GET /')))?.[1] ?? 'none'
}

function pickFrom<T>(items: readonly T[], which: number): T | undefined {
  return items[Math.floor(which * items.length)]
}

function apply(world: World, { what, which, manner }: Step): void {
  const live = world.live
  const opening = pickFrom(
    live.filter(({ isOpen }) => !isOpen),
    which,
  )
  const open = pickFrom(
    live.filter(({ isOpen }) => isOpen),
    which,
  )
  const busy = pickFrom(
    live.filter(socket => world.carriedBy(socket) !== undefined),
    which,
  )
  const idle = pickFrom(
    live.filter(socket => socket.isOpen && world.carriedBy(socket) === undefined),
    which,
  )
  const id = busy === undefined ? '' : lastId(busy)
  if (what === 'send') world.send(manner)
  else if (what === 'leave') pickFrom(world.running, which)?.leave()
  else if (what === 'open') opening?.open()
  else if (what === 'refuse') opening?.fail('refused')
  else if (what === 'wait') world.clock.advance(Math.ceil(which * idleTimeMs))
  else if (what === 'babble') idle?.receive('HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nbad')
  else if (what === 'end') open?.end()
  else if (what === 'reset') open?.fail('reset')
  else if (what === 'switch') busy?.receive('HTTP/1.1 101 Other\r\nConnection: upgrade\r\nUpgrade: other\r\n\r\nearly')
  else if (what === 'head') busy?.receive('HTTP/1.1 103 Early Hints\r\n\r\n')
  else {
    const closing = what === 'answer' ? '' : 'Connection: close\r\n'
    const text = `HTTP/1.1 200 OK\r\n${closing}Content-Length: ${id.length}\r\n\r\n${id}`
    // In two reads or in one.
    if (which < 0.5) busy?.receive(text)
    else {
      busy?.receive(text.slice(0, -1))
      if (busy?.destroyed === false) busy.receive(text.slice(-1))
    }
  }
}

function check(world: World): void {
  const { pool, live, running, maxSize } = world
  expect(pool.connections).toBe(live.length)
  expect(live.length).toBeLessThanOrEqual(maxSize)
  const opening = live.filter(({ isOpen }) => !isOpen).length
  const carried = live.filter(socket => world.carriedBy(socket) !== undefined).length
  const waiting = running.length - carried
  // Nobody waits while there is room and nothing is under way for him.
  if (live.length < maxSize) expect(waiting).toBeLessThanOrEqual(opening)
  // Nobody waits beside a connection that stands idle.
  if (waiting > opening) expect(carried + opening).toBe(live.length)
  expect(waiting - opening).toBeLessThanOrEqual(world.maxWaiters)
}

const manners = fc.record({
  kind: fc.constantFrom('plain' as const, 'plain' as const, 'body' as const, 'upgrade' as const),
  moment: fc.constantFrom('none' as const, ...moments),
  deed: fc.constantFrom('leave' as const, 'sendAnother' as const),
})

const steps = fc.record({
  what: fc.constantFrom<Step['what']>(
    ...(['send', 'send', 'send', 'leave', 'open', 'open', 'refuse', 'answer', 'answer', 'answerAndClose'] as const),
    ...(['head', 'switch', 'babble', 'end', 'reset', 'wait'] as const),
  ),
  which: fc.double({ min: 0, max: 0.999, noNaN: true }),
  manner: manners,
})

it('every request ends once with its own answer, no limit is passed, nobody waits for nothing, and nothing is left', async () => {
  const sizes = fc.record({ minSize: fc.nat(3), maxSize: fc.integer({ min: 1, max: 4 }), maxWaiters: fc.nat(5) })
  await fc.assert(
    fc.asyncProperty(
      sizes,
      fc.array(steps, { maxLength: 60, size: 'max' }),
      fc.boolean(),
      async (size, list, isCut) => {
        const world = new World(size.minSize, size.maxSize, size.maxWaiters)
        for (const step of list) {
          const refused = world.refused
          apply(world, step)
          // Who leaves, or an answer, costs nobody his turn.
          if (step.what !== 'refuse' && step.what !== 'wait') expect(world.refused).toBe(refused)
          // A head that has a body goes out at the end of the turn.
          await undefined
          check(world)
        }
        const closing = world.pool.close()
        world.send({ kind: 'plain', moment: 'none', deed: 'leave' })
        expect(world.requests.at(-1)?.ends).toEqual(['refused'])
        if (isCut) void world.pool.destroy(new Error('over'))
        for (let i = 0; world.live.length > 0; i++) {
          expect(i).toBeLessThan(1_000)
          for (const socket of world.live) {
            if (!socket.isOpen) socket.open()
            else apply(world, { what: 'answer', which: 0, manner: { kind: 'plain', moment: 'none', deed: 'leave' } })
          }
          await undefined
        }
        await closing
        expect(world.running).toEqual([])
        expect([world.pool.connections, world.clock.waiting]).toEqual([0, 0])
      },
    ),
    { seed: 20261121, numRuns: 150 },
  )
})
