// Whoever had the answer to a write sees it on this server: by a read, a listing, a binding, a watch. Nothing is polled
// here: the clock stands still.
import { join } from 'node:path'
import { afterEach, describe, expect, it } from 'vitest'
import { createHttpApi, type HttpApi } from '../../../api/http/index.ts'
import { createInterpreter } from '../../../interpreters/create-interpreter.ts'
import type { Env } from '../../../runtime/env.ts'
import { createSources } from '../../../server/sources.ts'
import { createMemoryStore } from '../../../storage/memory/memory-store.ts'
import { openSqliteStore } from '../../../storage/sqlite/sqlite-store.ts'
import type { Store } from '../../../storage/store.ts'
import { loneServer } from '../../fakes/servers.fake.ts'
import { tempDirectory, testEnv } from '../../storage/store.fixture.ts'
import { openStream, SteppedClock, TestNamer } from './http-api.fixture.ts'

const stores: Readonly<Record<string, (directory: string, env: Env) => Store | Promise<Store>>> = {
  memory: (_, { kernel, clock }) => createMemoryStore({ kernel, clock }),
  sqlite: (directory, env) => openSqliteStore({ path: join(directory, 'store.db') }, env),
}

/** Compiled in several turns and printed in a worker. */
const padding = '/pad => /a ;\n'.repeat(21_000)

let close: (() => Promise<void>) | undefined
afterEach(async () => {
  await close?.()
  close = undefined
})

function neverAsked(): never {
  throw new Error('nobody waits for proxies here')
}

async function open(kind: string): Promise<HttpApi> {
  const directory = tempDirectory()
  const env = testEnv(new SteppedClock())
  const store = await stores[kind]?.(directory.path, env)
  if (store === undefined) throw new Error(`no store ${kind}`)
  const namer = new TestNamer(env.kernel)
  for (let i = 0; i < 4; i++) namer.set(`v${i}`, '10.0.0.1:80')
  const servers = loneServer(env, store)
  servers.start()
  const interpreter = createInterpreter({ store, ...env, namers: [namer], onVersion: servers.own.takeInUse })
  const sources = createSources({ ...env, namers: [], storageKind: kind })
  const api = await createHttpApi({
    store,
    interpreter,
    sources,
    servers,
    fleet: { list: neverAsked, whenApplied: neverAsked },
    ...env,
    shutdown: new AbortController().signal,
  })
  close = async () => {
    await api.close()
    servers.close()
    interpreter.close()
    await store.close()
    env.kernel.close()
    directory.remove()
  }
  return api
}

async function put(api: HttpApi, payload: string): Promise<number> {
  const headers = { 'content-type': 'application/dtab' }
  const answer = await api.inject({ method: 'PUT', url: '/api/dtabs/default', headers, payload })
  return answer.json().version
}

describe.each(Object.keys(stores))('a write to %s', kind => {
  it.each([
    ['small', ''],
    ['large', padding],
  ])('of a %s dtab is seen by everything that is asked after its answer', async (_, rest) => {
    const api = await open(kind)
    const { port } = await api.listen({ host: '127.0.0.1', port: 0 })
    for (let i = 1; i < 3; i++) {
      const version = await put(api, `/svc => /#/io.test/v${i} ;\n${rest}`)
      expect(version).toBe(i)
      const [bound, resolved, namerds] = await Promise.all([
        api.inject({ url: '/api/bind/default?path=/svc' }),
        api.inject({ url: '/api/resolve/default?path=/svc' }),
        api.inject({ url: '/api/1/bind/default?path=/svc' }),
      ])
      expect(bound.json()).toMatchObject({ dtabVersion: i, tree: { bound: { id: `/#/io.test/v${i}` } } })
      expect(resolved.json()).toMatchObject({ dtabVersion: i })
      expect(namerds.json()).toMatchObject({ bound: { id: `/#/io.test/v${i}` } })
      expect((await api.inject({ url: '/api/dtabs/default' })).json().version).toBe(i)
      expect((await api.inject({ url: '/api/dtabs' })).json().namespaces[0]).toMatchObject({ version: i })
      for (const path of ['/api/dtabs/default?', '/api/bind/default?path=/svc&']) {
        const stream = await openStream(port, `${path}watch=true`)
        let event = await stream.event()
        while (event.pending !== undefined) event = await stream.event()
        expect(event, path).toMatchObject({ dtabVersion: i })
        stream.response.destroy()
      }
    }
  })
})
