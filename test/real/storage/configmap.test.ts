// The suite of every store on ConfigMaps, on a real API server and etcd, as a user who has only the rights of the README.
import { afterAll, beforeAll } from 'vitest'
import { createSharedStore } from '../../../storage/shared/shared-store.ts'
import { storeContract } from '../../contract/store.contract.ts'
import { storeLeftOverContract } from '../../contract/store-left-overs.contract.ts'
import { RealKubernetes } from '../kubernetes.fixture.ts'
import { freshPlace, openBackend } from './configmap-store.fixture.ts'
import { openLeftOverFixture, openRealFixture, realContract } from './store.fixture.ts'

let kubernetes: RealKubernetes
let kubeconfig: string

beforeAll(async () => {
  kubernetes = await RealKubernetes.start()
  kubeconfig = await kubernetes.namerKubeconfig()
})

afterAll(() => kubernetes[Symbol.asyncDispose]())

storeContract(
  'configMap',
  async () => {
    const place = await freshPlace(kubernetes)
    return await openRealFixture(env => createSharedStore(openBackend({ kubeconfig }, place, env), env))
  },
  realContract,
)

storeLeftOverContract(
  'configMap',
  async () => {
    const place = await freshPlace(kubernetes)
    return await openLeftOverFixture(env => openBackend({ kubeconfig }, place, env))
  },
  realContract,
)
