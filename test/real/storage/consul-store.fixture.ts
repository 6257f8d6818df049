// Stores and backends on a real Consul: each installation has a folder of keys of its own, so that many share one agent.
import type { Env } from '../../../runtime/env.ts'
import { consulConfig } from '../../../storage/consul/consul-config.ts'
import { consul, openConsulBackend } from '../../../storage/consul/index.ts'
import type { SharedBackend } from '../../../storage/shared/shared-backend.ts'
import type { Store } from '../../../storage/store.ts'
import { realEnv } from './store.fixture.ts'

let installations = 0

/** A folder of keys that nobody has used. */
export function freshPrefix(): string {
  installations++
  return `dtabs/${installations}`
}

export interface ConsulPlace {
  readonly port: number
  readonly pathPrefix: string
  readonly token?: string
  readonly readConsistencyMode?: string
}

const configFor = (place: ConsulPlace) => consulConfig.parse({ host: '127.0.0.1', ...place })

/** Through the agent on that port. */
export async function openStore(place: ConsulPlace, env: Env): Promise<Store> {
  return await consul.open(configFor(place), env)
}

export function openBackend(place: ConsulPlace, env: Env): SharedBackend {
  return openConsulBackend('consul', configFor(place), env)
}

/** A server's worth of store: it and its environment close together. */
export interface OpenStore extends AsyncDisposable {
  readonly store: Store
  readonly env: Env
}

export async function startStore(place: ConsulPlace): Promise<OpenStore> {
  const env = realEnv()
  const store = await openStore(place, env)
  return {
    store,
    env,
    [Symbol.asyncDispose]: async () => {
      await store.close()
      env.kernel.close()
      env.check()
    },
  }
}
