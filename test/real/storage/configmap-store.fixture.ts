// Stores and backends on a real API server: each place is a Kubernetes namespace of its own, so that many share one server.

import type { AccessConfig } from '../../../clients/kubernetes/access-options.ts'
import type { Env } from '../../../runtime/env.ts'
import { createConfigMapBackend } from '../../../storage/configmap/index.ts'
import type { SharedBackend } from '../../../storage/shared/shared-backend.ts'
import { createSharedStore } from '../../../storage/shared/shared-store.ts'
import { type Clock, systemClock } from '../../../watch/clock.ts'
import type { RealKubernetes } from '../kubernetes.fixture.ts'
import { namespaceObject, namespacesPath } from '../kubernetes-objects.fixture.ts'
import { grantRole } from './configmap-role.fixture.ts'
import type { OpenStore } from './open-store.fixture.ts'
import { realEnv } from './store.fixture.ts'

let places = 0

/** The name of a Kubernetes namespace that is there and has nothing in it; the user of `namerKubeconfig` has the store's rights. */
export async function freshPlace({ api }: RealKubernetes): Promise<string> {
  places++
  const name = `place-${places}`
  await api.create(namespacesPath, namespaceObject(name))
  await grantRole(api, name)
  return name
}

export function openBackend(access: AccessConfig, namespace: string, env: Env): SharedBackend {
  return createConfigMapBackend({ ...access, namespace }, env)
}

export function startStore(kubeconfig: string, namespace: string, clock: Clock = systemClock): OpenStore {
  const env = realEnv(clock)
  const store = createSharedStore(openBackend({ kubeconfig }, namespace, env), env)
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
