// While a write waits for proxies: how many of them have the newest version, asked of the server once a second.
import type { Cancel } from '../watch/clock.ts'
import { proxyList } from './answers.ts'
import { Progress } from './progress.ts'
import { countText } from './proxies-text.ts'
import type { Session } from './session.ts'

const firstMs = 2_000
const stepMs = 1_000

/** Shows nothing in its first two seconds, nor where nobody looks. */
export class ProxiesProgress {
  readonly #session: Session
  readonly #namespace: string
  readonly #progress: Progress
  readonly #startedAt: number
  readonly #over = new AbortController()
  #cancel: Cancel | undefined

  constructor(session: Session, namespace: string) {
    this.#session = session
    this.#namespace = namespace
    this.#progress = new Progress(session.io)
    this.#startedAt = session.io.clock.monotonic()
    if (session.io.isTerminal.stderr) this.#schedule(firstMs)
  }

  /** Takes the line away. */
  end(): void {
    this.#cancel?.()
    this.#over.abort()
    this.#progress.end()
  }

  #schedule(ms: number): void {
    this.#cancel = this.#session.io.clock.after(ms, () => void this.#ask())
  }

  async #ask(): Promise<void> {
    const { client, io } = this.#session
    const query = { namespace: this.#namespace, limit: 1 }
    const { signal } = this.#over
    try {
      const { total, behind } = await client.json(proxyList, { path: ['api', 'proxies'], query, signal })
      if (signal.aborted) return
      const seconds = Math.floor((io.clock.monotonic() - this.#startedAt) / 1_000)
      const having = `${countText(total - behind)} of ${countText(total)}`
      this.#progress.show(() => `waiting: ${having} proxies have the newest version (${seconds} s)`)
      this.#schedule(stepMs)
    } catch {
      // The write itself will say what is wrong with the server.
      if (!signal.aborted) this.#schedule(stepMs)
    }
  }
}
