// What every backend that servers share does, on a real API server and etcd, over HTTP/2 and through a kubectl proxy.
import { afterAll, beforeAll } from 'vitest'
import type { AccessConfig } from '../../../clients/kubernetes/access-options.ts'
import type { SharedBackendFixture } from '../../contract/shared-backend.contract.ts'
import { sharedBackendContract } from '../../contract/shared-backend.contract.ts'
import { KubectlProxy } from '../kubectl-proxy.fixture.ts'
import { RealKubernetes } from '../kubernetes.fixture.ts'
import { HeadsByHand } from './configmap-by-hand.fixture.ts'
import { freshPlace, openBackend } from './configmap-store.fixture.ts'
import { realContract, realEnv, untilTrue } from './store.fixture.ts'

let kubernetes: RealKubernetes
let kubeconfig: string
let proxy: KubectlProxy

beforeAll(async () => {
  kubernetes = await RealKubernetes.start()
  kubeconfig = await kubernetes.namerKubeconfig()
  proxy = await KubectlProxy.start(kubeconfig, kubernetes.folder)
})

afterAll(async () => {
  await proxy[Symbol.asyncDispose]()
  await kubernetes[Symbol.asyncDispose]()
})

async function openPlace(access: AccessConfig): Promise<SharedBackendFixture> {
  const place = await freshPlace(kubernetes)
  const env = realEnv()
  const backends = [openBackend(access, place, env), openBackend(access, place, env)] as const
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

sharedBackendContract('configMap', () => openPlace({ kubeconfig }), realContract)

sharedBackendContract(
  'configMap, through a kubectl proxy,',
  () => openPlace({ host: '127.0.0.1', port: proxy.port }),
  realContract,
)
