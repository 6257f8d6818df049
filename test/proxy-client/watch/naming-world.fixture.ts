// A server whose answers change by hand, a link that is cut or loses messages, and a watch client that should show what the
// server has.
import { NamingError } from '../../../naming/errors.ts'
import { createWatchClient, type WatchClient } from '../../../proxy-client/watch/watch-client.ts'
import { silentLog } from '../../../runtime/log.ts'
import { createMetrics } from '../../../runtime/metrics.ts'
import type { Cell, Input, Kernel } from '../../../watch/cell.ts'
import { type Clock, systemClock } from '../../../watch/clock.ts'
import type { State } from '../../../watch/state.ts'
import { startServer, type TestServer, testKernel } from '../../api/grpc/grpc-api.fixture.ts'
import { FakeClock } from '../../fakes/clock.fake.ts'
import { type FaultyLink, startFaultyLink } from '../../fakes/faulty-link.fixture.ts'
import { path } from '../../fakes/interpreter.fake.ts'
import { type Relay, startRelay } from '../../fakes/relay.fixture.ts'

/** While what should come does not come, so much time passes per turn of the event loop, in ms. */
const msPerTurn = 25
/** Turns of the event loop after which what has not come never comes. */
const maxTurns = 1_000_000
/** An attempt to connect that a cut has left hanging is over after so many turns: the client's time limit passes. */
const maxTurnsToConnect = 1_000

/** What the parts of a world are made of. */
interface Parts {
  readonly clock: StandingClock
  readonly server: TestServer
  readonly relay: Relay
  readonly link?: FaultyLink
}

/** Time stands still until a test moves it; turns of the event loop are real, for there is a real network. */
class StandingClock implements Clock {
  readonly #fake = new FakeClock()
  now = this.#fake.now
  monotonic = this.#fake.monotonic
  after = this.#fake.after
  defer = systemClock.defer
  advance = (ms: number): void => this.#fake.advance(ms)
}

export class NamingWorld {
  readonly clock: StandingClock
  readonly kernel: Kernel = testKernel()
  readonly client: WatchClient
  readonly relay: Relay
  /** Between the relay and the server, in a world that has one. */
  readonly link: FaultyLink | undefined
  server: TestServer
  readonly #left = new Map<string, AbortController>()
  #turnsConnecting = 0

  private constructor({ clock, server, relay, link }: Parts, random: () => number) {
    this.clock = clock
    this.server = server
    this.relay = relay
    this.link = link
    this.client = createWatchClient({
      addresses: [relay.address],
      clientId: 'test',
      kernel: this.kernel,
      clock,
      random,
      log: silentLog,
      metrics: createMetrics(),
      lingerMs: 0,
    })
  }

  /** `faultRate`: the share of messages that the link loses, repeats or lets others overtake; absent for none. */
  static async open(random: () => number, faultRate?: number): Promise<NamingWorld> {
    const clock = new StandingClock()
    const server = await startServer({ drainMs: 0, clock })
    const link = faultRate && (await startFaultyLink({ target: server.address, random, rate: faultRate }))
    if (!link) return new NamingWorld({ clock, server, relay: await startRelay(server.port) }, random)
    const relay = await startRelay(Number(link.address.split(':')[1]))
    return new NamingWorld({ clock, server, relay, link }, random)
  }

  async close(): Promise<void> {
    this.client.close()
    this.kernel.close()
    this.relay.close()
    this.link?.close()
    await this.server.close()
    this.server.kernel.close()
  }

  /** Starts to watch a name such as `/svc/web` or an id such as `/#/fs/web`, or ceases to. */
  toggle(text: string): void {
    const left = this.#left.get(text)
    this.#left.delete(text)
    if (left !== undefined) {
      left.abort()
      return
    }
    const controller = new AbortController()
    this.#left.set(text, controller)
    this.#cell(text).watch(() => {}, controller.signal)
  }

  isWatched(text: string): boolean {
    return this.#left.has(text)
  }

  /** The same server again, or one that knows nothing yet. */
  async restart(isCold: boolean): Promise<void> {
    const { server } = this
    await server.close()
    const { clock } = this
    this.server = await startServer({ port: server.port, drainMs: 0, clock, ...(!isCold && { like: server }) })
    if (isCold) server.kernel.close()
  }

  /** Turns of the event loop; a client that waits for its next attempt, or for an answer to this one, is given the time. */
  async turns(count: number): Promise<void> {
    for (let turn = 0; turn < count; turn++) {
      await new Promise(resolve => setImmediate(resolve))
      const state = this.client.connection.peek()
      const connection = state.kind === 'ok' ? state.value : undefined
      this.#turnsConnecting = connection?.kind === 'connecting' ? this.#turnsConnecting + 1 : 0
      if (connection?.kind === 'waiting') this.clock.advance(Math.max(0, connection.retryAt - this.clock.now()))
      else if (this.#turnsConnecting > maxTurnsToConnect) this.clock.advance(5_000)
    }
  }

  /** Resolves once `differences` is empty, while time passes; throws with them when it never is. */
  async until(differences: () => readonly string[]): Promise<void> {
    for (let turn = 0; differences().length > 0; turn++) {
      if (turn === maxTurns) throw new Error(`it never came to that: ${differences().join('; ')}`)
      await this.turns(1)
      this.clock.advance(msPerTurn)
    }
  }

  /** What is watched and shown otherwise than the server has it. */
  drift(): readonly string[] {
    const { interpreter } = this.server
    return [...this.#left.keys()].flatMap(text => {
      const input: Input<unknown> = text.startsWith('/#') ? interpreter.set(text) : interpreter.tree(`default${text}`)
      const difference = differenceOf(input.peek(), this.#cell(text).peek())
      return difference === undefined ? [] : [`${text} ${difference}`]
    })
  }

  /** What is left though nothing is watched. */
  leftovers(): readonly string[] {
    const { names, replicas } = this.client.counts()
    const left = { names, replicas, subscriptions: this.server.api.counts().subscriptions }
    return Object.entries({ ...left, watchers: this.server.kernel.counts().watchers }).flatMap(([what, count]) =>
      count === 0 ? [] : [`${count} ${what}`],
    )
  }

  #cell(text: string): Cell<unknown> {
    if (text.startsWith('/#')) return this.client.replicas(path(text))
    return this.client.bind({ namespace: 'default', path: path(text) })
  }
}

/** A state of the server, and what a client that knows it, and perhaps held something before, may show. */
function differenceOf(there: State<unknown>, here: State<unknown>): string | undefined {
  if (showState(there) === showState(here)) return undefined
  const isPassing = there.kind === 'pending' || (there.kind === 'failed' && NamingError.from(there.error).retryable)
  if (isPassing && here.kind === 'ok' && here.stale !== undefined) return undefined
  return `is ${showState(there)} and shown as ${showState(here)}`
}

function showState(state: State<unknown>): string {
  if (state.kind === 'ok') return `ok ${JSON.stringify(state.value)} ${state.stale?.reason.message ?? ''}`
  return state.kind === 'failed' ? `failed ${NamingError.from(state.error).code}` : 'pending'
}
