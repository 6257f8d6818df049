// Requests to several hosts of a proxy, one after the other without end; what each was answered is kept in order.
import { ProxyClient } from '../e2e/request.fixture.ts'

/** Equal answers in a row: the body of a good one, `failed` for any other. */
interface Run {
  readonly answer: string
  count: number
  /** The proxy's own words on the first of them, when it failed. */
  readonly error?: string
}

/** Dispose ends it. */
export class Traffic implements AsyncDisposable {
  readonly #client: ProxyClient
  readonly #hosts: readonly string[]
  readonly #runs = new Map<string, Run[]>()
  readonly #waiting = new Set<() => void>()
  readonly #ended: Promise<void>
  #isEnding = false

  /** Begins at once. */
  constructor(proxyPort: number, hosts: readonly string[]) {
    this.#client = new ProxyClient(proxyPort)
    this.#hosts = hosts
    this.#ended = this.#send()
  }

  /** What each host was answered since the last call, without counts; the last answer is the first of the next. */
  take(): Readonly<Record<string, readonly string[]>> {
    const taken = this.#hosts.map(host => {
      const runs = this.#runs.get(host) ?? []
      this.#runs.set(host, runs.slice(-1))
      return [host, runs.map(({ answer }) => answer)]
    })
    return Object.fromEntries(taken)
  }

  /** Resolves once the newest answer to every host is this one. */
  async until(answer: string, limitMs = 60_000): Promise<void> {
    const isSo = (): boolean => this.#hosts.every(host => this.#runs.get(host)?.at(-1)?.answer === answer)
    await this.#when(isSo, `every host answers ${answer}`, limitMs)
  }

  /** Resolves once every host was asked so often more. */
  async rounds(count: number): Promise<void> {
    const total = (): number => [...this.#runs.values()].flat().reduce((sum, run) => sum + run.count, 0)
    const wanted = total() + count * this.#hosts.length
    await this.#when(() => total() >= wanted, `${count} rounds`, 60_000)
  }

  async #when(isSo: () => boolean, what: string, limitMs: number): Promise<void> {
    if (isSo()) return
    await new Promise<void>((resolve, reject) => {
      const look = (): void => {
        if (!isSo()) return
        clearTimeout(limit)
        this.#waiting.delete(look)
        resolve()
      }
      const limit = setTimeout(() => {
        this.#waiting.delete(look)
        reject(new Error(`not within ${limitMs} ms: ${what}: ${JSON.stringify([...this.#runs])}`))
      }, limitMs)
      this.#waiting.add(look)
    })
  }

  async #send(): Promise<void> {
    while (!this.#isEnding) {
      for (const host of this.#hosts) this.#keep(host, await this.#ask(host))
      for (const look of this.#waiting) look()
    }
  }

  async #ask(host: string): Promise<Run> {
    const { status, body, error } = await this.#client.get(host)
    return status === 200
      ? { answer: body, count: 1 }
      : { answer: 'failed', count: 1, error: error ?? `${status} ${body}` }
  }

  #keep(host: string, run: Run): void {
    const runs = this.#runs.get(host) ?? []
    this.#runs.set(host, runs)
    const last = runs.at(-1)
    if (last?.answer === run.answer) last.count++
    else runs.push(run)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#isEnding = true
    await this.#ended
    await this.#client[Symbol.asyncDispose]()
  }
}
