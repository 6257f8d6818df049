// One server that is killed again and again while writers go on over HTTP, each repeating a write with its key until it is
// answered. After each kill every new version is read: what was answered must be there, whole, and once.
import { setTimeout as delay } from 'node:timers/promises'
import { Agent, request } from 'undici'
import { z } from 'zod'
import { contentHash } from '../../../naming/content-hash.ts'
import { ServerFleet, type StorageFor } from './server-fleet.fixture.ts'

export interface CrashRunOptions {
  readonly storageFor: StorageFor
  readonly rounds: number
  /** When to kill, from 0 to 1; the same moments each time when absent. */
  readonly random?: () => number
  /** Of each round, after its check. */
  readonly report?: (round: number, acknowledged: number) => void
}

export interface CrashRunOutcome {
  readonly acknowledged: number
  /** Writes sent again with their key, because the server died under them. */
  readonly repeats: number
  /** What is wrong with what is stored, in words; empty when nothing is. */
  readonly faults: readonly string[]
}

const writers = 8
const namespaces = ['crash-a', 'crash-b', 'crash-c']
/** A kill comes after at most this many more answers, and up to this much later. */
const mostAnswers = 60
const mostDelayMs = 15
/** Its multiples' fractions are spread evenly, whatever their number. */
const goldenRatio = (Math.sqrt(5) - 1) / 2
const pauseMs = 10
const stuckMs = 60_000

const writtenAnswer = z.object({ version: z.number() })
const pageAnswer = z.object({
  versions: z.array(z.object({ version: z.number(), parent: z.number() })),
  next: z.number().optional(),
})

interface Acknowledged {
  readonly namespace: string
  readonly version: number
  readonly text: string
}

/** Stops at the first round with a fault. */
export async function crashServer({ storageFor, rounds, random, report }: CrashRunOptions): Promise<CrashRunOutcome> {
  await using fleet = await ServerFleet.start(1, storageFor)
  const [server] = fleet.servers
  if (server === undefined) throw new Error('no server was started')
  await using load = new WriteLoad(() => fleet.urls[0])
  const check = new StoredVersions(() => server.url)
  for (let round = 1; round <= rounds; round++) {
    const draw = random ?? (() => (round * goldenRatio) % 1)
    load.isHeld = false
    await load.acknowledge(1 + Math.floor(draw() * mostAnswers))
    await delay(draw() * mostDelayMs)
    await server.kill()
    load.isHeld = true
    await server.start()
    const faults = await check.faultsAfter(load.takeAcknowledged())
    report?.(round, load.total)
    if (faults.length > 0) return { acknowledged: load.total, repeats: load.repeats, faults }
  }
  await load.stop()
  const faults = await check.faultsAfter(load.takeAcknowledged())
  return { acknowledged: load.total, repeats: load.repeats, faults }
}

/** Its first line proves the rest; from a few bytes to several pages. Every writer's every write has another. */
function provenText(writer: number, count: number): string {
  const body = `/w${writer}/n${count} => /x${' | /y'.repeat((count * 37) % 3_000)} ;\n`
  return `# ${contentHash(body)}\n${body}`
}

function isWhole(text: string): boolean {
  const newline = text.indexOf('\n')
  return text.slice(0, newline) === `# ${contentHash(text.slice(newline + 1))}`
}

/** Writers that each wait for the answer alone before they go on. Dispose ends them. */
class WriteLoad implements AsyncDisposable {
  total = 0
  repeats = 0
  /** While true no new write begins; what was begun is repeated until it is answered. */
  isHeld = false
  readonly #url: () => string | undefined
  readonly #agent = new Agent({ connections: writers })
  readonly #loops: Promise<void>[]
  #isOver = false
  #isCutOff = false
  #acknowledged: Acknowledged[] = []
  #waiting: { readonly total: number; readonly resolve: () => void } | undefined
  #failure: unknown

  constructor(url: () => string | undefined) {
    this.#url = url
    this.#loops = Array.from({ length: writers }, (_, writer) =>
      this.#write(writer).catch((error: unknown) => {
        this.#failure = error
        this.#waiting?.resolve()
      }),
    )
  }

  /** Resolves once so many more writes were answered. */
  async acknowledge(more: number): Promise<void> {
    await new Promise<void>(resolve => {
      this.#waiting = { total: this.total + more, resolve }
      if (this.#failure !== undefined) resolve()
    })
    if (this.#failure !== undefined) throw this.#failure
  }

  /** What was answered since the last call. */
  takeAcknowledged(): readonly Acknowledged[] {
    const taken = this.#acknowledged
    this.#acknowledged = []
    return taken
  }

  /** Resolves once every writer's last write was answered. */
  async stop(): Promise<void> {
    this.#isOver = true
    await Promise.all(this.#loops)
    if (this.#failure !== undefined) throw this.#failure
  }

  async #write(writer: number): Promise<void> {
    const namespace = namespaces[writer % namespaces.length] ?? ''
    for (let count = 0; !this.#isOver; count++) {
      while (this.isHeld && !this.#isOver) await delay(pauseMs)
      const text = provenText(writer, count)
      const version = await this.#put(namespace, text, `w${writer}-${count}`)
      this.#acknowledged.push({ namespace, version, text })
      this.total++
      if (this.#waiting !== undefined && this.total >= this.#waiting.total) this.#waiting.resolve()
    }
  }

  /** The same request with the same key, until it is answered. */
  async #put(namespace: string, text: string, key: string): Promise<number> {
    const headers = { 'content-type': 'application/dtab', 'idempotency-key': key, 'nameplane-author': 'writer' }
    const deadline = performance.now() + stuckMs
    let last: unknown
    for (; performance.now() < deadline && !this.#isCutOff; this.repeats++) {
      try {
        const url = this.#url()
        if (url === undefined) throw new Error('the server is down')
        const sent = { method: 'PUT' as const, headers, body: text, dispatcher: this.#agent }
        const answer = await request(`${url}/api/dtabs/${namespace}`, sent)
        const body = await answer.body.text()
        if (answer.statusCode < 300) return writtenAnswer.parse(JSON.parse(body)).version
        last = `${answer.statusCode} ${body}`
        if (answer.statusCode < 500) break
      } catch (error) {
        last = error
      }
      await delay(pauseMs)
    }
    throw new Error(`write ${key} was not answered well: ${last}`, { cause: last })
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#isOver = this.#isCutOff = true
    await this.#agent.destroy()
    await Promise.all(this.#loops)
  }
}

/** What the server shows, read once each: a version never changes. */
class StoredVersions {
  readonly #url: () => string
  readonly #texts = new Map<string, string>()
  readonly #places = new Map<string, string>()
  readonly #last = new Map<string, number>()

  constructor(url: () => string) {
    this.#url = url
  }

  /** What is wrong with what is there now, after these were answered. */
  async faultsAfter(acknowledged: readonly Acknowledged[]): Promise<readonly string[]> {
    const faults = await this.#readNew()
    const missing = acknowledged.filter(
      ({ namespace, version, text }) => this.#texts.get(`${namespace} ${version}`) !== text,
    )
    return [...faults, ...missing.map(({ namespace, version }) => `${namespace} ${version} was answered and is lost`)]
  }

  /** Reads every version that came since the last time; what is wrong with them. */
  async #readNew(): Promise<readonly string[]> {
    const faults: string[] = []
    for (const namespace of namespaces) {
      const found = await this.#newVersions(namespace)
      const texts = await Promise.all(found.map(({ version }) => this.#text(`${namespace}?version=${version}`)))
      for (const [index, { version, parent }] of found.entries()) {
        const place = `${namespace} ${version}`
        const last = this.#last.get(namespace) ?? 0
        if (parent !== last) faults.push(`${place} follows ${parent}, not ${last}`)
        this.#last.set(namespace, version)
        const text = texts[index] ?? ''
        if (!isWhole(text)) faults.push(`${place} is torn`)
        const twin = this.#places.get(text)
        if (twin !== undefined) faults.push(`${place} was written before, as ${twin}`)
        this.#places.set(text, place)
        this.#texts.set(place, text)
      }
    }
    return faults
  }

  /** Oldest first. */
  async #newVersions(namespace: string): Promise<z.output<typeof pageAnswer>['versions']> {
    const last = this.#last.get(namespace) ?? 0
    const found: z.output<typeof pageAnswer>['versions'] = []
    for (let before: number | undefined; ; ) {
      const query = `limit=100${before === undefined ? '' : `&before=${before}`}`
      const answer = await request(`${this.#url()}/api/dtabs/${namespace}/versions?${query}`)
      const body = await answer.body.text()
      if (answer.statusCode === 404) break
      const page = pageAnswer.parse(JSON.parse(body))
      found.push(...page.versions.filter(({ version }) => version > last))
      before = page.next
      if (before === undefined || before <= last) break
    }
    return found.reverse()
  }

  async #text(path: string): Promise<string> {
    const answer = await request(`${this.#url()}/api/dtabs/${path}`, { headers: { accept: 'application/dtab' } })
    return answer.body.text()
  }
}
