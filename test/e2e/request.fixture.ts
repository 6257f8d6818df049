// Requests with a Host of one's own, which fetch does not allow.
import { Pool } from 'undici'

export interface ProxyAnswer {
  readonly status: number
  readonly body: string
  /** The proxy's own error, decoded; absent when the backend answered. */
  readonly error?: string
}

/** A keep-alive client of one proxy; dispose closes its connections. */
export class ProxyClient implements AsyncDisposable {
  readonly #pool: Pool

  constructor(port: number, connections = 8) {
    this.#pool = new Pool(`http://127.0.0.1:${port}`, { connections })
  }

  async get(host: string, headers: Readonly<Record<string, string>> = {}): Promise<ProxyAnswer> {
    const response = await this.#pool.request({ path: '/', method: 'GET', headers: { host, ...headers } })
    const error = response.headers['l5d-err']
    const body = await response.body.text()
    return {
      status: response.statusCode,
      body,
      ...(error !== undefined && { error: decodeURIComponent(String(error)) }),
    }
  }

  /** Asks until the body is the wanted one; the test's own limit ends a wait in vain. Returns every answer on the way. */
  async untilBody(host: string, wanted: string): Promise<readonly ProxyAnswer[]> {
    const answers: ProxyAnswer[] = []
    for (;;) {
      const answer = await this.get(host)
      answers.push(answer)
      if (answer.body === wanted) return answers
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#pool.destroy()
  }
}
