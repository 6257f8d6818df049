// What every backend that servers share does, on a real API server and etcd.
import { afterAll, beforeAll } from 'vitest'
import type { SharedBackendFixture } from '../../contract/shared-backend.contract.ts'
import { sharedBackendContract } from '../../contract/shared-backend.contract.ts'
import { RealKubernetes } from '../kubernetes.fixture.ts'
import { HeadsByHand } from './configmap-by-hand.fixture.ts'
import { freshPlace, openBackend } from './configmap-store.fixture.ts'
import { realContract, realEnv, untilTrue } from './store.fixture.ts'

let kubernetes: RealKubernetes
let kubeconfig: string

beforeAll(async () => {
  kubernetes = await RealKubernetes.start()
  kubeconfig = await kubernetes.namerKubeconfig()
})

afterAll(() => kubernetes[Symbol.asyncDispose]())

async function openPlace(): Promise<SharedBackendFixture> {
  const place = await freshPlace(kubernetes)
  const env = realEnv()
  const backends = [openBackend(kubeconfig, place, env), openBackend(kubeconfig, place, env)] as const
  const byHand = new HeadsByHand(kubernetes.api, place)
  return {
    backend: backends[0],
    other: backends[1],
    outside: {
      put: (namespace, content) => byHand.put(namespace, content),
      remove: namespace => byHand.remove(namespace),
    },
    until: untilTrue,
    close: async () => {
      await Promise.all(backends.map(backend => backend.close()))
      env.kernel.close()
      env.check()
    },
  }
}

sharedBackendContract('configMap', openPlace, realContract)
