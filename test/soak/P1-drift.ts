// Ten watch clients behind a link that loses, repeats or reorders one message in 1,000, in both directions, under churn: what
// a client does not have is repaired within 30 s, counted, and in the end every client has what the server has.
import { setTimeout as delay } from 'node:timers/promises'
import { createWatchClient, type WatchClient } from '../../proxy-client/watch/watch-client.ts'
import { silentLog } from '../../runtime/log.ts'
import { systemClock, systemRandom } from '../../watch/clock.ts'
import type { State } from '../../watch/state.ts'
import { startServer, type TestServer, testKernel } from '../api/grpc/grpc-api.fixture.ts'
import { startFaultyLink } from '../fakes/faulty-link.fixture.ts'
import { endpoints, path, treeTo } from '../fakes/interpreter.fake.ts'

const clients = 10
const rate = 0.001
const changesPerSecond = 200
const repairedWithinMs = 30_000
const lookMs = 250
/** Names and sets that change all the time, then as many that change once in a while. */
const busy = 20
const quiet = 80

function wantedSeconds(): number {
  const argument = process.argv.find(each => each.startsWith('--seconds='))
  return argument === undefined ? 600 : Number(argument.slice('--seconds='.length))
}

const nameOf = (index: number): string => `/svc/${index}`
const idOf = (index: number): string => `/#/fs/${index}`

/** Changes names and sets by turns, the busy ones nine times in ten. */
class Churn {
  readonly #server: TestServer
  #count = 0

  constructor(server: TestServer) {
    this.#server = server
    for (let index = 0; index < busy + quiet; index++) {
      this.#setTree(index, index)
      this.#setReplicas(index)
    }
  }

  change(): void {
    this.#count++
    const isQuiet = this.#count % 10 === 0
    const index = isQuiet ? busy + Math.floor(systemRandom() * quiet) : Math.floor(systemRandom() * busy)
    if (this.#count % 3 === 0) this.#setTree(index, Math.floor(systemRandom() * (busy + quiet)))
    else this.#setReplicas(index)
  }

  #setTree(index: number, leaf: number): void {
    this.#server.interpreter.tree(`default${nameOf(index)}`).set(treeTo(idOf(leaf), idOf(index)))
  }

  #setReplicas(index: number): void {
    const count = 1 + (this.#count % 3)
    const addresses = Array.from({ length: count }, (_, i) => `127.0.0.1:${1 + ((this.#count + i) % 60_000)}`)
    this.#server.interpreter.set(idOf(index)).set(endpoints(...addresses))
  }
}

/** What one client shows of one resource, beside what the server has. */
class Pair {
  readonly #text: string
  readonly #there: () => State<unknown>
  readonly #here: () => State<unknown>
  #wrong: string | undefined
  #wrongSince = 0

  constructor(text: string, there: () => State<unknown>, here: () => State<unknown>) {
    this.#text = text
    this.#there = there
    this.#here = here
  }

  /** For how long the client has lacked what the server has had all the while; 0 when it has it. */
  wrongMs(now: number): number {
    const there = JSON.stringify(this.#there())
    if (there === JSON.stringify(this.#here())) {
      this.#wrong = undefined
      return 0
    }
    if (this.#wrong !== there) this.#wrongSince = now
    this.#wrong = there
    return Math.max(1, now - this.#wrongSince)
  }

  toString(): string {
    return `${this.#text}: ${JSON.stringify(this.#there())}, shown ${JSON.stringify(this.#here())}`
  }
}

function follow(server: TestServer, client: WatchClient, clientIndex: number): readonly Pair[] {
  const indexes = Array.from({ length: busy + quiet }, (_, index) => index)
  return indexes.flatMap(index => {
    const tree = client.bind({ namespace: 'default', path: path(nameOf(index)) })
    const replicas = client.replicas(path(idOf(index)))
    tree.watch(() => {})
    replicas.watch(() => {})
    const { interpreter } = server
    return [
      new Pair(
        `${clientIndex} ${nameOf(index)}`,
        () => interpreter.tree(`default${nameOf(index)}`).peek(),
        () => tree.peek(),
      ),
      new Pair(
        `${clientIndex} ${idOf(index)}`,
        () => interpreter.set(idOf(index)).peek(),
        () => replicas.peek(),
      ),
    ]
  })
}

/** The longest that any pair has been wrong. Throws when that is too long. */
function longestWrong(pairs: readonly Pair[]): number {
  const now = performance.now()
  let longest = 0
  for (const pair of pairs) {
    const wrongMs = pair.wrongMs(now)
    if (wrongMs > repairedWithinMs) throw new Error(`not repaired in ${repairedWithinMs} ms: ${pair}`)
    longest = Math.max(longest, wrongMs)
  }
  return longest
}

async function counted(server: TestServer, name: string): Promise<number> {
  const { body } = await server.metrics.expose()
  return Number(new RegExp(`^nameplane_${name} (\\d+)`, 'm').exec(body)?.[1])
}

export async function soakP1(report: (line: string) => void): Promise<void> {
  const server = await startServer()
  const churn = new Churn(server)
  const link = await startFaultyLink({ target: server.address, random: systemRandom, rate: 0 })
  const open = Array.from({ length: clients }, (_, index) =>
    createWatchClient({
      addresses: [link.address],
      clientId: `client-${index}`,
      kernel: testKernel(),
      clock: systemClock,
      random: systemRandom,
      log: silentLog,
    }),
  )
  const pairs = open.flatMap((client, index) => follow(server, client, index))
  while (longestWrong(pairs) > 0) await delay(lookMs)
  link.rate = rate
  const endsAt = performance.now() + wantedSeconds() * 1000
  let longest = 0
  for (let turn = 0; performance.now() < endsAt; turn++) {
    for (let change = 0; change < (changesPerSecond * lookMs) / 1000; change++) {
      churn.change()
      await delay(1000 / changesPerSecond)
    }
    longest = Math.max(longest, longestWrong(pairs))
    if (turn % 40 === 0) report(`${link.faults} faults, longest without repair ${Math.round(longest)} ms`)
  }
  while (longestWrong(pairs) > 0) await delay(lookMs)
  const drift = await counted(server, 'watch_drift_total')
  const messages = await counted(server, 'push_messages_total')
  report(
    `${link.faults} faults in ${messages} messages, ${drift} repaired and counted, none left; ` +
      `the longest without repair ${Math.round(longest)} ms`,
  )
  if (link.faults > 20 && drift === 0) throw new Error('faults, and no drift was counted')
  for (const client of open) client.close()
  link.close()
  await server.close()
}
