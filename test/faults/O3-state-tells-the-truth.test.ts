// O3: /state names each source with what it last heard and when; the gauges agree with it, in good times and bad.
import { describe, expect, it } from 'vitest'
import { z } from 'zod'
import { createDiscovery, type Found, type FoundSink } from '../../interpreters/discovery.ts'
import { createSources } from '../../server/sources.ts'
import { bareNamer } from '../api/http/http-api.fixture.ts'
import { Mesh, putDtab } from '../e2e/mesh.fixture.ts'
import { ProxyClient } from '../e2e/request.fixture.ts'
import { FakeClock } from '../fakes/clock.fake.ts'
import { testEnv } from '../storage/store.fixture.ts'

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
const backend = z.object({
  state: z.string(),
  counts: z.object({ stale: z.number(), held: z.number() }),
  failingSince: z.iso.datetime().optional(),
  lastError: z.string().optional(),
})
const page = z.object({
  source: backend,
  names: z.array(z.object({ name: z.string(), state: z.string(), ageMs: z.number(), lastChangeAt: z.iso.datetime() })),
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
    return Number(new RegExp(`^${RegExp.escape(name)} (\\S+)$`, 'm').exec(text)?.[1])
  }

  async reasons(): Promise<string> {
    return await (await fetch(`http://127.0.0.1:${this.#port}/ready`)).text()
  }
}

async function fsSource(httpPort: number): Promise<z.output<typeof page>> {
  const url = `http://127.0.0.1:${httpPort}/api/sources/io.l5d.fs?state=stale`
  return page.parse(await (await fetch(url)).json())
}

const degraded = 'source_degraded{source="io.l5d.fs"}'

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
    expect(await admin.gauge(degraded)).toBe(0)
    expect(await fsSource(ports.http)).toMatchObject({ source: { state: 'ok' }, names: [] })
    expect(await admin.gauge('nameplane_sources_open')).toBe((await admin.sources()).length)

    await mesh.discover('v1', 'this is no endpoint\n')
    const bad = await admin.source(/\/v1$/, 'stale')
    expect(bad.lastError).toContain('malformed address: this is no endpoint')
    expect(bad.failingSince).toBeDefined()
    expect(await admin.gauge('nameplane_sources_failing')).toBeGreaterThan(0)
    expect(await admin.reasons()).toContain('is stale')
    expect(await admin.gauge(degraded)).toBe(1)
    expect(await fsSource(ports.http)).toMatchObject({
      source: { state: 'degraded', counts: { stale: 1 }, failingSince: bad.failingSince, lastError: bad.lastError },
      names: [{ name: bad.name, state: 'stale', lastChangeAt: bad.lastChangeAt }],
    })
    expect((await client.get('web')).body).toBe('v1')

    const address = backend.address()
    if (address === null || typeof address === 'string') throw new Error('not a TCP server')
    await mesh.discover('v1', `127.0.0.1 ${address.port}\n`)
    const mended = await admin.source(/\/v1$/, 'ok')
    expect([mended.failingSince, await admin.gauge('nameplane_sources_failing')]).toEqual([undefined, 0])
    expect(await admin.gauge(degraded)).toBe(0)
    expect(await fsSource(ports.http)).toMatchObject({ source: { state: 'ok' }, names: [] })
  })

  it('says of a loss that is held back which names it holds and since when, until it is released', async () => {
    const clock = new FakeClock(1_000_000)
    const env = testEnv(clock)
    const prefix = ['#', 'io.l5d.consul']
    const rule = { emptyIsNeg: true, emptyHoldDownMs: 0, massEmpty: { maxShare: 0.5, windowMs: 30_000, minNames: 2 } }
    const discovery = createDiscovery({ kind: 'io.l5d.consul', prefix, rule, lingerMs: 0 }, env)
    const { guard } = discovery
    if (guard === undefined) throw new Error('no guard')
    const namer = { ...bareNamer(prefix, guard), close: discovery.close }
    const sources = createSources({ ...env, namers: [{ kind: 'io.l5d.consul', namer }], storageKind: 'memory' })
    const sinks: FoundSink[] = []
    const seen = ['a', 'b', 'c'].map(name => {
      const cell = discovery.follow(`dc1/${name}`, sink => {
        sinks.push(sink)
        return () => {}
      })
      cell.watch(() => {})
      return cell
    })
    const tell = (endpoints: Found['endpoints']): void => {
      for (const sink of sinks) sink.set({ exists: true, endpoints })
      clock.advance(1_000)
    }
    const gauge = async (): Promise<string | undefined> =>
      /^source_degraded\{source="io.l5d.consul"\} (.*)$/m.exec((await env.metrics.expose()).body)?.[1]
    tell([{ address: '10.0.0.1', port: 80, weight: 1 }])
    expect([sources.list()[0]?.state, await gauge()]).toEqual(['ok', '0'])

    tell([])
    const held = sources.names('io.l5d.consul', { limit: 10 })
    expect(held).toMatchObject({
      value: {
        source: { state: 'held', counts: { total: 3, ok: 0, stale: 0, held: 3 }, guard: { held: 3 } },
        names: ['a', 'b', 'c'].map(name => ({ name: `io.l5d.consul dc1/${name}`, state: 'held', observers: 1 })),
      },
    })
    expect(sources.list()[0]?.guard?.since).toBe(held.ok && held.value.names[0]?.heldSince)
    expect([await gauge(), seen[0]?.peek().kind]).toEqual(['1', 'ok'])

    expect(sources.release('io.l5d.consul', { author: 'ann', message: '' })).toEqual({ ok: true, value: 3 })
    clock.advance(1_000)
    expect([sources.list()[0]?.state, await gauge()]).toEqual(['ok', '0'])
    expect(seen.map(cell => cell.peek())).toMatchObject(seen.map(() => ({ kind: 'ok', value: { kind: 'neg' } })))
    discovery.close()
    env.kernel.close()
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
