// A `kubectl proxy` in this process: plain HTTP to an API server as its administrator, and a gate that the test opens and shuts.

import { readFile } from 'node:fs/promises'
import { type ClientRequest, createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import { request as httpsRequest } from 'node:https'
import type { AddressInfo } from 'node:net'
import { finished } from 'node:stream'
import type { RealKubernetes } from './kubernetes.fixture.ts'
import { adminToken } from './kubernetes-pki.fixture.ts'

/** Dispose ends it and every answer that is on its way. */
export class KubernetesGate implements AsyncDisposable {
  /** What went through since it began: one text for each answer, as far as it has come. */
  readonly answers: { readonly path: string; readonly status: number; text: string }[] = []
  readonly #server: Server
  readonly #apiServer: { readonly host: string; readonly port: number; readonly ca: string }
  readonly #watches = new Set<{ readonly upstream: ClientRequest; readonly response: ServerResponse }>()
  #held: (() => void)[] | undefined

  private constructor(port: number, ca: string) {
    this.#apiServer = { host: '127.0.0.1', port, ca }
    this.#server = createServer((request, response) => {
      const forward = (): void => this.#forward(request, response)
      if (this.#held === undefined) forward()
      else this.#held.push(forward)
    })
  }

  static async open({ port, pki }: RealKubernetes): Promise<KubernetesGate> {
    const gate = new KubernetesGate(port, await readFile(pki.ca, 'utf8'))
    await new Promise<void>(resolve => gate.#server.listen(0, '127.0.0.1', resolve))
    return gate
  }

  /** As a namer's configuration has it. */
  namer(options: object = {}): object {
    const { port } = this.#server.address() as AddressInfo // a TCP server's
    return { kind: 'io.l5d.k8s', host: '127.0.0.1', port, ...options }
  }

  /** Ends the watches that are open as cleanly as an API server does, and keeps every request waiting. */
  shut(): void {
    this.#held ??= []
    for (const { upstream, response } of this.#watches) {
      response.end()
      upstream.destroy()
    }
  }

  /** The requests that waited go on, as they were sent. */
  reopen(): void {
    const held = this.#held ?? []
    this.#held = undefined
    for (const forward of held) forward()
  }

  /** How many requests wait for the gate. */
  get waiting(): number {
    return this.#held?.length ?? 0
  }

  #forward(request: IncomingMessage, response: ServerResponse): void {
    const path = request.url ?? '/'
    const headers = { authorization: `Bearer ${adminToken}` }
    const upstream = httpsRequest({ ...this.#apiServer, path, headers, agent: false }, answer => {
      const seen = { path, status: answer.statusCode ?? 0, text: '' }
      this.answers.push(seen)
      response.writeHead(seen.status, { 'content-type': answer.headers['content-type'] })
      response.flushHeaders()
      answer.on('data', chunk => {
        seen.text += String(chunk)
        response.write(chunk)
      })
      answer.once('end', () => response.end())
      answer.once('error', () => response.destroy())
    })
    upstream.once('error', () => response.destroy())
    upstream.end()
    if (!path.includes('watch=')) return
    const watch = { upstream, response }
    this.#watches.add(watch)
    finished(response, () => {
      this.#watches.delete(watch)
      upstream.destroy()
    })
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#server.closeAllConnections()
    await new Promise<void>(resolve => this.#server.close(() => resolve()))
  }
}
