// Applications that call each other, each request through a proxy of its own; names are evaluated by the real interpreter
// over a dtab in memory. What is left out is the wire between a proxy and its server.
import type { IncomingHttpHeaders, IncomingMessage, ServerResponse } from 'node:http'
import { onTestFinished } from 'vitest'
import { createInterpreter } from '../../interpreters/create-interpreter.ts'
import type { Interpreter } from '../../interpreters/interpreter.ts'
import { parseDtab } from '../../naming/parse.ts'
import { orThrow } from '../../naming/result.ts'
import { proxyConfig } from '../../proxy-client/config.ts'
import type { NamingClient } from '../../proxy-client/naming.ts'
import { startProxy } from '../../proxy-client/proxy.ts'
import type { Env } from '../../runtime/env.ts'
import { silentLog } from '../../runtime/log.ts'
import { createMetrics } from '../../runtime/metrics.ts'
import { createMemoryStore } from '../../storage/memory/memory-store.ts'
import { systemClock } from '../../watch/clock.ts'
import { createKernel } from '../../watch/kernel.ts'
import { send, startUpstream, type TestResponse } from './proxy.fixture.ts'
import { seededRandom } from './seeded-random.fixture.ts'

/** One call that an application got. */
export interface Call {
  readonly app: string
  readonly headers: IncomingHttpHeaders
}

/** Header fields that an application passes on when it calls another. */
export type PassOn = (headers: IncomingHttpHeaders) => Record<string, string>

/** What every application that wants to be routed as its caller was must do. */
export const passContext: PassOn = headers =>
  Object.fromEntries(
    Object.entries(headers).flatMap(([name, value]) =>
      name.startsWith('l5d-ctx-') || name === 'l5d-reqid' ? [[name, String(value)]] : [],
    ),
  )

export class Mesh {
  /** In order of arrival. */
  readonly calls: Call[] = []
  readonly #env: Env
  readonly #interpreter: Interpreter
  #proxies = 0

  private constructor(env: Env, interpreter: Interpreter) {
    this.#env = env
    this.#interpreter = interpreter
  }

  /** `apps` are names under /svc, each led to the port of the application that `start` gives. Ends with the test. */
  static async open(start: (mesh: Mesh) => Promise<Readonly<Record<string, number>>>): Promise<Mesh> {
    const kernel = createKernel({
      clock: systemClock,
      onError: error => {
        throw error
      },
    })
    const clock = systemClock
    const store = createMemoryStore({ kernel, clock })
    const interpreter = createInterpreter({ store, kernel, clock, namers: [] })
    onTestFinished(() => {
      interpreter.close()
      kernel.close()
    })
    const env = { kernel, clock, random: seededRandom(5), log: silentLog, metrics: createMetrics() }
    const mesh = new Mesh(env, interpreter)
    const ports = await start(mesh)
    const text = Object.entries(ports)
      .map(([app, port]) => `/svc/${app} => /$/inet/127.0.0.1/${port};`)
      .join('\n')
    const change = { expect: { kind: 'anything' }, author: 'test', verified: false, message: '' } as const
    await store.write({ namespace: 'default', text, ...change })
    return mesh
  }

  /** Resolves with the port of a proxy; `server` is laid over its one listener. */
  async proxy(server: object = {}): Promise<number> {
    const label = `proxy-${++this.#proxies}`
    const config = proxyConfig.parse({ admin: { port: 0 }, routers: [{ label, servers: [{ port: 0, ...server }] }] })
    const env = { ...this.#env, metrics: createMetrics() }
    const proxy = await startProxy(config, env, () => this.#naming())
    onTestFinished(() => proxy.close(0))
    return proxy.routers[label]?.[0]?.port ?? 0
  }

  /** Resolves with the port of an application that answers with its name, followed by the answer of `next`, if any. */
  async app(name: string, next?: (headers: IncomingHttpHeaders) => Promise<TestResponse>): Promise<number> {
    const answer = async (message: IncomingMessage, response: ServerResponse): Promise<void> => {
      this.calls.push({ app: name, headers: message.headers })
      message.resume()
      const further = await next?.(message.headers)
      response.statusCode = further?.status ?? 200
      response.end(further === undefined ? name : `${name} ${further.body}`)
    }
    const { port } = await startUpstream((message, response) => {
      answer(message, response).catch(error => response.destroy(error))
    })
    return port
  }

  /** Resolves with the port of an application that calls another through a proxy of its own. */
  async caller(name: string, callee: string, passOn: PassOn = passContext): Promise<number> {
    const port = await this.proxy()
    return this.app(name, headers => send(port, { host: callee, headers: passOn(headers) }))
  }

  /** The headers with which an application was called last. */
  lastCall(app: string): IncomingHttpHeaders {
    return this.calls.findLast(call => call.app === app)?.headers ?? {}
  }

  #naming(): NamingClient {
    return {
      bind: ({ namespace, path, dtab }) =>
        this.#interpreter.bind({ namespace, path, ...(dtab !== undefined && { local: orThrow(parseDtab(dtab)) }) }),
      replicas: id => this.#interpreter.replicas(id),
      status: () => ({ connected: true, wasConnected: true, facts: {} }),
      close: () => {},
    }
  }
}
