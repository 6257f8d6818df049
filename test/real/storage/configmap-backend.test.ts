// What every backend that servers share does, on a real API server and etcd.
import { afterAll, beforeAll } from 'vitest'
import { headName } from '../../../storage/configmap/object-names.ts'
import type { SharedBackendFixture } from '../../contract/shared-backend.contract.ts'
import { sharedBackendContract } from '../../contract/shared-backend.contract.ts'
import { RealKubernetes } from '../kubernetes.fixture.ts'
import { corePath } from '../kubernetes-objects.fixture.ts'
import { freshPlace, openBackend } from './configmap-store.fixture.ts'
import { realContract, realEnv, untilTrue } from './store.fixture.ts'

let kubernetes: RealKubernetes
let kubeconfig: string
let edits = 0

beforeAll(async () => {
  kubernetes = await RealKubernetes.start()
  kubeconfig = await kubernetes.namerKubeconfig()
})

afterAll(() => kubernetes[Symbol.asyncDispose]())

async function openPlace(): Promise<SharedBackendFixture> {
  const place = await freshPlace(kubernetes)
  const env = realEnv()
  const backends = [openBackend(kubeconfig, place, env), openBackend(kubeconfig, place, env)] as const
  const path = corePath(place, 'configmaps')
  return {
    backend: backends[0],
    other: backends[1],
    outside: {
      put: (namespace, content) => putByHand(path, namespace, content),
      remove: namespace => kubernetes.api.delete(`${path}/${headName(namespace)}`),
    },
    until: untilTrue,
    close: async () => {
      await Promise.all(backends.map(backend => backend.close()))
      env.kernel.close()
      env.check()
    },
  }
}

/** As kubectl would: text under data, anything else under binaryData. */
async function putByHand(path: string, namespace: string, content: Uint8Array): Promise<void> {
  const bytes = Buffer.from(content)
  const text = bytes.toString('utf8')
  const isText = Buffer.from(text).equals(bytes)
  const contents = isText
    ? { data: { namespace, dtab: text }, binaryData: { dtab: null } }
    : { data: { namespace, dtab: null }, binaryData: { dtab: bytes.toString('base64') } }
  const name = headName(namespace)
  // As kubectl does; the API server takes no notice of a change that changes nothing.
  const metadata = { name, labels: { 'nameplane.io/dtab': 'head' }, annotations: { edit: String(++edits) } }
  await kubernetes.api.patch(`${path}/${name}`, { ...contents, metadata }).catch(async (error: unknown) => {
    if (!String(error).includes('answered 404')) throw error
    const part = isText ? { data: { namespace, dtab: text } } : { data: { namespace }, binaryData: contents.binaryData }
    await kubernetes.api.create(path, { apiVersion: 'v1', kind: 'ConfigMap', metadata, ...part })
  })
}

sharedBackendContract('configMap', openPlace, realContract)
