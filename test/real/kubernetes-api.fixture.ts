// Plain HTTPS to an API server as its administrator: create, patch, delete, list, and a bare watch.
import { Pool } from 'undici'

/** One line of a watch. */
export interface WatchLine {
  readonly type: string
  readonly object: unknown
}

/** Every call rejects on a status that is not 2xx, and on no answer. Dispose closes its connections. */
export class KubernetesApi implements AsyncDisposable {
  readonly #pool: Pool
  readonly #token: string

  constructor(port: number, ca: string, token: string) {
    this.#token = token
    this.#pool = new Pool(`https://127.0.0.1:${port}`, {
      connections: 16,
      connect: { ca },
      bodyTimeout: 0,
      headersTimeout: 0,
    })
  }

  async isReady(): Promise<boolean> {
    return await this.request('GET', '/readyz').then(
      () => true,
      () => false,
    )
  }

  async get(path: string): Promise<unknown> {
    return JSON.parse(await this.request('GET', path))
  }

  /** `collection` is the path of the collection. Resolves to the object as it was stored. */
  async create(collection: string, object: object): Promise<unknown> {
    return JSON.parse(await this.request('POST', collection, object, 'application/json'))
  }

  /** A merge patch of the object at `path`; `/status` behind it for its status. */
  async patch(path: string, change: object): Promise<unknown> {
    return JSON.parse(await this.request('PATCH', path, change, 'application/merge-patch+json'))
  }

  /** At once, without a grace period. */
  async delete(path: string): Promise<void> {
    await this.request('DELETE', `${path}?gracePeriodSeconds=0`)
  }

  /** Creates all of them, 16 at a time. */
  async createAll(collection: string, objects: Iterable<object>): Promise<void> {
    const left = objects[Symbol.iterator]()
    const worker = async (): Promise<void> => {
      for (let next = left.next(); next.done !== true; next = left.next()) await this.create(collection, next.value)
    }
    await Promise.all(Array.from({ length: 16 }, worker))
  }

  /** The collection's resourceVersion now. */
  async version(collection: string): Promise<string> {
    const { metadata } = (await this.get(`${collection}?limit=1`)) as { metadata: { resourceVersion: string } } // a list's
    return metadata.resourceVersion
  }

  /** Calls `seen` with each event after `version` as its line is complete, until `signal` ends it. Resolves then. */
  async watch(
    collection: string,
    version: string,
    seen: (line: WatchLine) => void,
    signal: AbortSignal,
  ): Promise<void> {
    const path = `${collection}${collection.includes('?') ? '&' : '?'}watch=true&resourceVersion=${version}`
    const response = await this.#send('GET', path, undefined, undefined, signal)
    let rest = ''
    try {
      response.body.setEncoding('utf8')
      for await (const chunk of response.body) {
        const lines = (rest + String(chunk)).split('\n')
        rest = lines.pop() ?? ''
        for (const line of lines) seen(JSON.parse(line))
      }
    } catch (error) {
      if (!signal.aborted) throw error
    }
  }

  /** Resolves to the text of the answer. */
  async request(method: Method, path: string, body?: object, contentType?: string): Promise<string> {
    const response = await this.#send(method, path, body, contentType)
    const text = await response.body.text()
    if (response.statusCode >= 300) throw new Error(`${method} ${path} answered ${response.statusCode}: ${text}`)
    return text
  }

  #send(method: Method, path: string, body?: object, contentType?: string, signal?: AbortSignal) {
    return this.#pool.request({
      method,
      path,
      headers: {
        authorization: `Bearer ${this.#token}`,
        ...(contentType !== undefined && { 'content-type': contentType }),
      },
      ...(body !== undefined && { body: JSON.stringify(body) }),
      ...(signal !== undefined && { signal }),
    })
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#pool.destroy()
  }
}

type Method = 'GET' | 'POST' | 'PATCH' | 'PUT' | 'DELETE'
