// Many writers on one dtab, each counting up in an entry of its own by conditional edits, while servers and backends die.
// Afterwards the history is read as a whole: every acknowledged edit must be in it exactly once.
import { setTimeout as delay } from 'node:timers/promises'
import { Agent, request } from 'undici'
import { z } from 'zod'

export interface EditRace {
  readonly namespace: string
  readonly writers: number
  readonly editsEach: number
  /** The servers that run now; asked before every request. */
  readonly urls: () => readonly string[]
  /** Told of each acknowledged edit, so that something can be killed in the middle. */
  readonly onAcknowledged?: (total: number) => void
}

export interface RaceOutcome {
  readonly acknowledged: number
  /** Refused because another was faster. */
  readonly conflicts: number
  /** Repeated with their key, because no answer or a failure came. */
  readonly repeats: number
  /** What is wrong with the history, in words; empty when nothing is. */
  readonly faults: readonly string[]
}

/** How long a writer goes on without one acknowledged edit before the race counts as stuck. */
const stuckMs = 120_000
const answerWithinMs = 15_000
const pauseMs = 20
/** Who lost a race waits up to so long, as a client should: else most of the work is done for nothing. */
const mostPauseMs = 3_000

const dtabAnswer = z.object({ version: z.number(), dtab: z.array(z.object({ prefix: z.string(), dst: z.string() })) })
const writtenAnswer = z.object({ version: z.number() })
const pageAnswer = z.object({ versions: z.array(z.object({ version: z.number() })), next: z.number().optional() })

type Dtab = z.output<typeof dtabAnswer>['dtab']

interface Acknowledged {
  readonly writer: number
  readonly count: number
  readonly version: number
}

/** Runs the race to its end; rejects when a writer is stuck, or an answer is none that a writer could go by. */
export async function raceEdits(race: EditRace): Promise<RaceOutcome> {
  await using client = new RaceClient(race)
  await client.create()
  const tally = { acknowledged: [] as Acknowledged[], conflicts: 0, repeats: 0 }
  const writers = Array.from({ length: race.writers }, (_, writer) => runWriter(client, race, writer, tally))
  await Promise.all(writers)
  const faults = findFaults(race, tally.acknowledged, await client.history())
  return { acknowledged: tally.acknowledged.length, conflicts: tally.conflicts, repeats: tally.repeats, faults }
}

interface Tally {
  readonly acknowledged: Acknowledged[]
  conflicts: number
  repeats: number
}

async function runWriter(client: RaceClient, race: EditRace, writer: number, tally: Tally): Promise<void> {
  for (let count = 1; count <= race.editsEach; count++) {
    const version = await editOnce(client, writer, count, tally)
    tally.acknowledged.push({ writer, count, version })
    race.onAcknowledged?.(tally.acknowledged.length)
  }
}

const entryOf = (writer: number): string => `/writer/${writer}`

/** Reads, changes, writes on condition; a lost race begins again with a new key, a lost answer repeats the same one. */
async function editOnce(client: RaceClient, writer: number, count: number, tally: Tally): Promise<number> {
  const deadline = performance.now() + stuckMs
  for (let attempt = 0; performance.now() < deadline; attempt++) {
    const { version, dtab } = await client.read()
    const dentry = { prefix: entryOf(writer), dst: `/count/${count}` }
    const isKnown = dtab.some(({ prefix }) => prefix === dentry.prefix)
    const changed = isKnown ? dtab.map(each => (each.prefix === dentry.prefix ? dentry : each)) : [...dtab, dentry]
    const written = await client.write(version, changed, `${writer}-${count}-${attempt}`, () => tally.repeats++)
    if (written !== undefined) return written
    tally.conflicts++
    await delay(Math.random() * Math.min(mostPauseMs, pauseMs * 2 ** attempt))
  }
  throw new Error(`writer ${writer} did not get its edit ${count} through within ${stuckMs} ms`)
}

/** Asks the servers in turn; what fails is asked again elsewhere. */
class RaceClient implements AsyncDisposable {
  readonly #race: EditRace
  readonly #agent = new Agent({ connections: 64 })
  #turn = 0

  constructor(race: EditRace) {
    this.#race = race
  }

  async create(): Promise<void> {
    const sent = { method: 'PUT' as const, headers: this.#headers('create', { 'if-none-match': '*' }), body: '[]' }
    const { status, body } = await this.#ask('', sent, () => {})
    if (status !== 201) throw new Error(`the namespace could not be made: ${status} ${body}`)
  }

  async read(): Promise<z.output<typeof dtabAnswer>> {
    const { status, body } = await this.#ask('', { method: 'GET' }, () => {})
    if (status !== 200) throw new Error(`a read was answered ${status} ${body}`)
    return dtabAnswer.parse(JSON.parse(body))
  }

  /** The version written; undefined when another was faster. */
  async write(over: number, dtab: Dtab, key: string, onRepeat: () => void): Promise<number | undefined> {
    const headers = this.#headers(key, { 'if-match': `"${over}"` })
    const sent = { method: 'PUT' as const, headers, body: JSON.stringify(dtab) }
    const { status, body } = await this.#ask('', sent, onRepeat)
    if (status === 412) return undefined
    if (status !== 200) throw new Error(`an edit was answered ${status} ${body}`)
    return writtenAnswer.parse(JSON.parse(body)).version
  }

  /** Every version with its dtab, oldest first. */
  async history(): Promise<readonly z.output<typeof dtabAnswer>[]> {
    const numbers: number[] = []
    for (let before: number | undefined; ; ) {
      const page = await this.#json(`/versions?limit=100${before === undefined ? '' : `&before=${before}`}`, pageAnswer)
      numbers.push(...page.versions.map(({ version }) => version))
      before = page.next
      if (before === undefined) break
    }
    const versions: z.output<typeof dtabAnswer>[] = []
    for (const number of numbers.reverse()) versions.push(await this.#json(`?version=${number}`, dtabAnswer))
    return versions
  }

  async #json<T>(path: string, shape: z.ZodType<T>): Promise<T> {
    const { status, body } = await this.#ask(path, { method: 'GET' }, () => {})
    if (status !== 200) throw new Error(`${path} was answered ${status} ${body}`)
    return shape.parse(JSON.parse(body))
  }

  #headers(key: string, more: Readonly<Record<string, string>>): Record<string, string> {
    return { 'content-type': 'application/json', 'idempotency-key': key, 'nameplane-author': 'racer', ...more }
  }

  /** Until somebody answers with something else than a failure that may pass. */
  async #ask(
    path: string,
    sent: { method: 'GET' | 'PUT'; headers?: Record<string, string>; body?: string },
    onRepeat: () => void,
  ): Promise<{ readonly status: number; readonly body: string }> {
    const deadline = performance.now() + stuckMs
    for (let last: unknown; ; ) {
      const urls = this.#race.urls()
      const url = urls[this.#turn++ % Math.max(1, urls.length)]
      try {
        if (url === undefined) throw new Error('no server runs')
        const answer = await request(`${url}/api/dtabs/${this.#race.namespace}${path}`, {
          ...sent,
          signal: AbortSignal.timeout(answerWithinMs),
          dispatcher: this.#agent,
        })
        const body = await answer.body.text()
        if (answer.statusCode < 500) return { status: answer.statusCode, body }
        last = `${answer.statusCode} ${body}`
      } catch (error) {
        last = error
      }
      if (performance.now() > deadline) throw new Error(`nobody answered for ${stuckMs} ms`, { cause: last })
      onRepeat()
      await delay(pauseMs)
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#agent.destroy()
  }
}

/** Each version may raise one writer's count by one, and nothing else; what was acknowledged must be the version that did. */
function findFaults(
  race: EditRace,
  acknowledged: readonly Acknowledged[],
  history: readonly z.output<typeof dtabAnswer>[],
): readonly string[] {
  const faults: string[] = []
  const counts = new Map<string, number>()
  const madeBy = new Map<string, number>()
  for (const { version, dtab } of history) {
    const raised = dtab.filter(({ prefix, dst }) => dst !== `/count/${counts.get(prefix) ?? 0}`)
    const gone = [...counts.keys()].filter(prefix => !dtab.some(dentry => dentry.prefix === prefix))
    if (raised.length > 1 || gone.length > 0) faults.push(`version ${version} undoes the edits of others`)
    for (const { prefix, dst } of raised) {
      const count = (counts.get(prefix) ?? 0) + 1
      if (dst !== `/count/${count}`) faults.push(`version ${version} takes ${prefix} to ${dst} in place of ${count}`)
      counts.set(prefix, count)
      madeBy.set(`${prefix} ${count}`, version)
    }
  }
  for (const { writer, count, version } of acknowledged) {
    const made = madeBy.get(`${entryOf(writer)} ${count}`)
    if (made !== version) faults.push(`edit ${count} of writer ${writer}: said to be version ${version}, is ${made}`)
  }
  const wanted = race.writers * race.editsEach
  if (acknowledged.length !== wanted) faults.push(`${acknowledged.length} edits were acknowledged, not ${wanted}`)
  return faults
}
