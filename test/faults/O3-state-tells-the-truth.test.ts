// O3: /state names each source with what it last heard and when; the gauges agree with it, in good times and bad.
import { describe, expect, it } from 'vitest'
import { z } from 'zod'
import { Mesh, putDtab } from '../e2e/mesh.fixture.ts'
import { ProxyClient } from '../e2e/request.fixture.ts'

const sourceState = z.object({
  name: z.string(),
  state: z.string(),
  running: z.boolean(),
  openedAt: z.iso.datetime(),
  lastChangeAt: z.iso.datetime().optional(),
  lastContactAt: z.iso.datetime().optional(),
  ageMs: z.number(),
  observers: z.number(),
  lastError: z.string().optional(),
  failingSince: z.iso.datetime().optional(),
})
const state = z.object({ sources: z.array(sourceState) })
type SourceState = z.output<typeof sourceState>

class Admin {
  readonly #port: number

  constructor(port: number) {
    this.#port = port
  }

  async sources(): Promise<readonly SourceState[]> {
    return state.parse(await (await fetch(`http://127.0.0.1:${this.#port}/state`)).json()).sources
  }

  /** The one source that matches, once it is in the wanted state; the test's limit ends a wait in vain. */
  async source(name: RegExp, wanted: string): Promise<SourceState> {
    for (;;) {
      const found = (await this.sources()).find(source => name.test(source.name) && source.state === wanted)
      if (found !== undefined) return found
    }
  }

  /** Resolves once nobody observes the source, or it is gone. */
  async observersFall(name: RegExp): Promise<number> {
    for (;;) {
      const found = (await this.sources()).find(source => name.test(source.name))
      if (found === undefined || found.observers === 0) return 0
    }
  }

  async gauge(name: string): Promise<number> {
    const text = await (await fetch(`http://127.0.0.1:${this.#port}/metrics`)).text()
    return Number(new RegExp(`^${name} (\\S+)$`, 'm').exec(text)?.[1])
  }

  async reasons(): Promise<string> {
    return await (await fetch(`http://127.0.0.1:${this.#port}/ready`)).text()
  }
}

describe('O3: the state of sources', () => {
  it('is told truly before, during and after a failure, and traffic goes on', async () => {
    await using mesh = await Mesh.create()
    const backend = await mesh.backend('v1')
    const ports = await mesh.startServer()
    await putDtab(ports.http, 'default', '/svc/web => /#/io.l5d.fs/v1')
    const proxy = await mesh.startProxy([ports.grpc])
    await using client = new ProxyClient(proxy.port)
    await client.untilBody('web', 'v1')
    const admin = new Admin(ports.admin)

    const good = await admin.source(/\/v1$/, 'ok')
    expect(good.lastError).toBeUndefined()
    expect([good.running, good.observers > 0, good.ageMs < 60_000]).toEqual([true, true, true])
    expect(await admin.gauge('nameplane_sources_failing')).toBe(0)
    expect(await admin.gauge('nameplane_sources_open')).toBe((await admin.sources()).length)

    await mesh.discover('v1', 'this is no endpoint\n')
    const bad = await admin.source(/\/v1$/, 'stale')
    expect(bad.lastError).toContain('malformed address: this is no endpoint')
    expect(bad.failingSince).toBeDefined()
    expect(await admin.gauge('nameplane_sources_failing')).toBeGreaterThan(0)
    expect(await admin.reasons()).toContain('is stale')
    expect((await client.get('web')).body).toBe('v1')

    const address = backend.address()
    if (address === null || typeof address === 'string') throw new Error('not a TCP server')
    await mesh.discover('v1', `127.0.0.1 ${address.port}\n`)
    const mended = await admin.source(/\/v1$/, 'ok')
    expect([mended.failingSince, await admin.gauge('nameplane_sources_failing')]).toEqual([undefined, 0])
  })

  it('counts its observers, none once the last watcher has left', async () => {
    await using mesh = await Mesh.create()
    await mesh.backend('v1')
    const ports = await mesh.startServer()
    const admin = new Admin(ports.admin)
    const stop = new AbortController()
    const url = `http://127.0.0.1:${ports.http}/api/addr/default?path=/%23/io.l5d.fs/v1&watch=true`
    const watch = await fetch(url, { signal: stop.signal })
    await watch.body?.getReader().read()
    expect((await admin.source(/\/v1$/, 'ok')).observers).toBe(1)
    stop.abort()
    expect(await admin.observersFall(/\/v1$/)).toBe(0)
  })
})
