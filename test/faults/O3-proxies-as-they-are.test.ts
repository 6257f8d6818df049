// O3: the version that is shown of a proxy was proved; in the middle of changes it is late at most.
import { afterEach, describe, expect, it } from 'vitest'
import { createWatchClient, type WatchClient } from '../../proxy-client/watch/watch-client.ts'
import { silentLog } from '../../runtime/log.ts'
import { systemClock, systemRandom } from '../../watch/clock.ts'
import { startServer, type TestServer, testKernel, until } from '../api/grpc/grpc-api.fixture.ts'
import { path, treeTo } from '../fakes/interpreter.fake.ts'

let server: TestServer
let client: WatchClient

afterEach(async () => {
  client.close()
  await server.close()
})

/** The version of the rules that the tree of a name was made by. */
const treeOf = (version: number) => treeTo(`/#/fs/v${version}`)

describe('O3 what is shown of a proxy', () => {
  it('is never ahead of what it holds, for any version, and comes to it', async () => {
    server = await startServer()
    const { interpreter, proxies, address } = server
    const kernel = testKernel()
    client = createWatchClient({
      kernel,
      clock: systemClock,
      random: systemRandom,
      log: silentLog,
      addresses: [address],
      clientId: 'edge',
    })
    let held = 0
    for (let version = 1; version <= 30; version++) interpreter.set(`/#/fs/v${version}`).set({ kind: 'neg' })
    const goBy = (version: number): void => {
      interpreter.goBy('default', version)
      interpreter.tree('default/svc/web').set(treeOf(version))
    }
    goBy(1)
    client.bind({ namespace: 'default', path: path('/svc/web') }).watch(state => {
      if (state.kind === 'ok' && state.value.kind === 'leaf') held = Number(state.value.value.id[2]?.slice(1))
    })
    const shown = (): number => {
      const version = proxies.pageNow({ limit: 1 }).proxies[0]?.namespaces[0]?.version ?? 0
      expect(version).toBeLessThanOrEqual(held)
      return version
    }
    for (let version = 1; version <= 30; version++) {
      goBy(version)
      // Some versions follow each other faster than they are confirmed.
      if (version % 10 === 0) await until(() => shown() === version)
      else for (let turn = 0; turn < 5; turn++) await until(() => shown() >= 0)
    }
    expect([proxies.pageNow({ limit: 1 }).behind, held]).toEqual([0, 30])
  })
})
