// The backend alone, on a real Consul.
import { afterAll, beforeAll } from 'vitest'
import { sharedBackendContract } from '../../contract/shared-backend.contract.ts'
import { RealConsul } from '../consul.fixture.ts'
import { freshPrefix, openBackend } from './consul-store.fixture.ts'
import { realContract, realEnv, untilTrue } from './store.fixture.ts'

let consul: RealConsul

beforeAll(async () => {
  consul = await RealConsul.start()
})

afterAll(() => consul[Symbol.asyncDispose]())

sharedBackendContract(
  'consul',
  async () => {
    const place = { port: consul.port, pathPrefix: freshPrefix() }
    const env = realEnv()
    const [backend, other] = [openBackend(place, env), openBackend(place, env)]
    return {
      backend,
      other,
      outside: {
        put: (namespace, content) => consul.api.putKey(`${place.pathPrefix}/${namespace}`, Buffer.from(content)),
        remove: namespace => consul.api.deleteKey(`${place.pathPrefix}/${namespace}`),
      },
      until: untilTrue,
      close: async () => {
        await Promise.all([backend.close(), other.close()])
        env.kernel.close()
        env.check()
      },
    }
  },
  realContract,
)
