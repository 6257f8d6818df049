// C5, R2: a real server process is started while its real store is away. It serves a proxy the last rules from its disk,
// says so, and takes up the store's edits once that is back.
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { z } from 'zod'
import { formatBoundTree } from '../../../naming/bound-tree.ts'
import { parsePath } from '../../../naming/parse.ts'
import { orThrow } from '../../../naming/result.ts'
import { createWatchClient, type WatchClient } from '../../../proxy-client/watch/watch-client.ts'
import { putDtab } from '../../e2e/mesh.fixture.ts'
import { Watched } from '../../e2e/watched-server.fixture.ts'
import { eventually } from '../backend-process.fixture.ts'
import { RealConsul } from '../consul.fixture.ts'
import { RealEtcd } from '../etcd.fixture.ts'
import { RealKubernetes } from '../kubernetes.fixture.ts'
import { type FleetServer, ServerFleet } from '../storage/server-fleet.fixture.ts'
import { realEnv } from '../storage/store.fixture.ts'

/** A backend that can go away and come back with what it had. */
interface Backend extends AsyncDisposable {
  readonly storage: object
  leave(): Promise<void>
  comeBack(): Promise<void>
}

const backends: Readonly<Record<string, () => Promise<Backend>>> = {
  /** Refuses connections. */
  etcd: async () => {
    const etcd = await RealEtcd.start()
    return {
      storage: { kind: 'etcd', endpoints: etcd.endpoints },
      leave: () => etcd.server.kill(),
      comeBack: () => etcd.server.start(),
      [Symbol.asyncDispose]: () => etcd[Symbol.asyncDispose](),
    }
  },
  /** Refuses connections; what is in its etcd stays. */
  configMap: async () => {
    const kubernetes = await RealKubernetes.start()
    const namespace = 'nameplane'
    await kubernetes.api.create('/api/v1/namespaces', { metadata: { name: namespace } })
    return {
      storage: { kind: 'configMap', kubeconfig: await kubernetes.tokenKubeconfig(), namespace },
      leave: () => kubernetes.killApiServer(),
      comeBack: () => kubernetes.startApiServer(),
      [Symbol.asyncDispose]: () => kubernetes[Symbol.asyncDispose](),
    }
  },
  /** Takes connections and never answers. */
  consul: async () => {
    const consul = await RealConsul.start()
    return {
      storage: { kind: 'consul', host: '127.0.0.1', port: consul.port },
      leave: async () => consul.freeze(),
      comeBack: async () => consul.resume(),
      [Symbol.asyncDispose]: () => consul[Symbol.asyncDispose](),
    }
  },
}

const readyAnswer = z.object({ ready: z.boolean(), reasons: z.array(z.string()) })
const listing = z.object({ namespaces: z.array(z.unknown()), stale: z.object({ reason: z.string() }).optional() })

async function readyOf(server: FleetServer): Promise<z.infer<typeof readyAnswer>> {
  return readyAnswer.parse(await (await fetch(`${server.adminUrl}/ready`)).json())
}

async function holds(folder: string, text: string): Promise<boolean> {
  const files = (await readdir(folder)).filter(file => file.endsWith('.json'))
  const texts = await Promise.all(files.map(file => readFile(join(folder, file), 'utf8')))
  return texts.some(each => each.includes(text))
}

/** What a proxy that starts now sees of /svc/web. */
class StartedProxy implements Disposable {
  readonly #client: WatchClient
  readonly #binding: Watched<Parameters<typeof formatBoundTree>[0]>
  readonly #close: () => void

  constructor(server: FleetServer) {
    const env = realEnv()
    this.#client = createWatchClient({ ...env, addresses: [`127.0.0.1:${server.grpcPort}`], clientId: 'test' })
    this.#binding = new Watched(this.#client.bind({ namespace: 'default', path: orThrow(parsePath('/svc/web')) }))
    this.#close = () => env.kernel.close()
  }

  /** Resolves once it is bound so. */
  async bound(id: string, isStale: boolean): Promise<void> {
    await this.#binding.until(
      state => state.kind === 'ok' && formatBoundTree(state.value) === id && (state.stale !== undefined) === isStale,
    )
  }

  [Symbol.dispose](): void {
    this.#client.close()
    this.#close()
  }
}

describe('C5, R2: a server whose store is away when it starts', () => {
  it.concurrent.each(Object.keys(backends))(
    'serves the last rules to a proxy, says so, and takes up edits once %s is back',
    async kind => {
      await using backend = await backends[kind]?.()
      if (backend === undefined) throw new Error(`there is no backend ${kind}`)
      const path = await mkdtemp(join(tmpdir(), 'nameplane-snapshot-'))
      try {
        await using fleet = await ServerFleet.start(1, () => ({ ...backend.storage, snapshot: { path } }))
        const [server] = fleet.servers
        if (server === undefined) throw new Error('no server was started')
        const write = (port: number): Promise<number> =>
          putDtab(Number(new URL(server.url).port), 'default', `/svc/web => /$/inet/127.0.0.1/${port}`)
        await eventually('a write', () => write(8001))
        using first = new StartedProxy(server)
        await first.bound('/$/inet/127.0.0.1/8001', false)
        await eventually('the file', () => holds(path, '/$/inet/127.0.0.1/8001'))
        await eventually('the listing', () => holds(path, '"namespaces":[{"namespace":"default"'))

        await server.kill()
        await backend.leave()
        await server.start()
        using proxy = new StartedProxy(server)
        await proxy.bound('/$/inet/127.0.0.1/8001', true)
        const { ready, reasons } = await readyOf(server)
        expect([ready, reasons]).toEqual([
          true,
          expect.arrayContaining([
            expect.stringMatching(
              new RegExp(`^the store ${kind} is away since 2\\S+Z; serving the local snapshot of 2\\S+Z`),
            ),
          ]),
        ])
        const namespaces = listing.parse(await (await fetch(`${server.url}/api/dtabs`)).json())
        expect([namespaces.namespaces.length, namespaces.stale?.reason]).toEqual([
          1,
          expect.stringContaining('local snapshot'),
        ])
        const read = fetch(`${server.url}/api/dtabs/default`).then(({ status }) => status)
        await expect(Promise.all([write(8002), read])).rejects.toThrow('503')
        expect(await read).toBe(503)

        await backend.comeBack()
        await proxy.bound('/$/inet/127.0.0.1/8001', false)
        await eventually('a write', () => write(8003))
        await proxy.bound('/$/inet/127.0.0.1/8003', false)
        expect((await readyOf(server)).reasons.join()).not.toContain('snapshot')
        await eventually('the file', () => holds(path, '/$/inet/127.0.0.1/8003'))
      } finally {
        await rm(path, { recursive: true, force: true })
      }
    },
  )
})
