// One request to the server and its answer, checked. Knows URLs and headers, nothing of what is printed.
import { Readable } from 'node:stream'
import type { z } from 'zod'
import { type Problem, problem } from './answers.ts'
import type { BaseUrl } from './base-url.ts'
import { CliError, reasonOf } from './cli-error.ts'

/** The server refused; the problem says why. */
export class RefusedError extends Error {
  readonly problem: Problem

  constructor(refused: Problem) {
    super(refused.detail ?? refused.title ?? `status ${refused.status}`)
    this.problem = refused
  }
}

export interface Request {
  readonly method?: 'GET' | 'PUT' | 'POST' | 'DELETE'
  /** Path segments after the base URL; each is percent-encoded. */
  readonly path: readonly string[]
  readonly query?: Readonly<Record<string, string | number | boolean | readonly string[] | undefined>>
  readonly headers?: Readonly<Record<string, string>>
  readonly body?: string
  /** A body in place of `body` that is read while it is sent. */
  readonly stream?: AsyncIterable<Uint8Array>
  readonly signal?: AbortSignal
}

/** What is asked, in words for people. */
export interface Asked {
  readonly noun: string
  /** The command that starts it. */
  readonly command: string
  /** The option that says where it is. */
  readonly option: string
}

const server: Asked = { noun: 'server', command: 'nameplane serve', option: '--base-url' }

export interface ApiClientOptions {
  /** A server unless it is given. */
  readonly asked?: Asked
  readonly baseUrl: BaseUrl
  readonly fetch: typeof fetch
  /** Sent with each write. */
  readonly author: string
}

export class ApiClient {
  readonly #options: ApiClientOptions
  readonly #asked: Asked

  constructor(options: ApiClientOptions) {
    this.#options = options
    this.#asked = options.asked ?? server
  }

  get url(): string {
    return this.#options.baseUrl.url
  }

  /** The answer when it is a success. Throws RefusedError, or CliError when the server cannot be reached. */
  async send(request: Request): Promise<Response> {
    const { method = 'GET', stream, signal } = request
    const body = stream === undefined ? request.body : Readable.toWeb(Readable.from(stream))
    const author = method === 'GET' ? {} : { 'nameplane-author': headerText(this.#options.author) }
    const headers = { accept: 'application/json', ...author, ...request.headers }
    const init: RequestInit = {
      method,
      headers,
      ...(body !== undefined && { body, duplex: 'half' }),
      ...(signal && { signal }),
    }
    const response = await this.#fetch(this.#urlOf(request), init)
    if (!response.ok) throw new RefusedError(await readProblem(response, this.#asked))
    return response
  }

  /** The answer's JSON, checked. */
  async json<T>(schema: z.ZodType<T>, request: Request): Promise<T> {
    const response = await this.send(request)
    const parsed = schema.safeParse(await readJson(response, this.#asked))
    if (parsed.success) return parsed.data
    throw new CliError(
      1,
      `${this.url} answered something unexpected: is it a Nameplane ${this.#asked.noun} of this version?`,
      {
        cause: parsed.error,
      },
    )
  }

  async #fetch(url: string, init: RequestInit): Promise<Response> {
    try {
      return await this.#options.fetch(url, init)
    } catch (error) {
      if (init.signal?.aborted) throw error
      const { from } = this.#options.baseUrl
      const { noun, command, option } = this.#asked
      const cure =
        from === 'the default'
          ? `start one with \`${command}\`, or say where it is with ${option} URL`
          : `start it with \`${command}\`, or correct ${from}`
      throw new CliError(1, `no ${noun} answers at ${this.url} (${reasonOf(error)}): ${cure}`, { cause: error })
    }
  }

  #urlOf({ path, query = {} }: Request): string {
    const search = new URLSearchParams()
    for (const [name, value] of Object.entries(query))
      for (const one of Array.isArray(value) ? value : [value]) if (one !== undefined) search.append(name, String(one))
    const suffix = search.size === 0 ? '' : `?${search}`
    return `${this.url}/${path.map(encodeURIComponent).join('/')}${suffix}`
  }
}

/** Headers hold visible ASCII. */
function headerText(text: string): string {
  return /^[!-~]+( +[!-~]+)*$/.test(text) ? text : encodeURIComponent(text)
}

async function readJson(response: Response, { noun }: Asked): Promise<unknown> {
  const text = await response.text()
  try {
    return JSON.parse(text)
  } catch (error) {
    throw new CliError(1, `${response.url} did not answer with JSON: is it a Nameplane ${noun}?`, { cause: error })
  }
}

/** Not every refusal comes from our server; a gateway's has only its status. */
async function readProblem(response: Response, asked: Asked): Promise<Problem> {
  const isProblem = response.headers.get('content-type')?.startsWith('application/problem+json') ?? false
  const parsed = isProblem ? problem.safeParse(await readJson(response, asked)) : undefined
  if (parsed?.success) return parsed.data
  const detail = `${response.url} answered ${response.status} ${response.statusText}`.trimEnd()
  return { status: response.status, detail: isProblem ? detail : `${detail}: is it a Nameplane ${asked.noun}?` }
}
