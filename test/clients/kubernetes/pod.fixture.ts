// The service account of a pod, as files and variables that last as long as the test: TLS and HTTP/2 without the library that
// reads kubeconfigs, which costs a third of a second.
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { onTestFinished, vi } from 'vitest'
import type { KubernetesAccess } from '../../../clients/kubernetes/access.ts'
import { type FakeApiOptions, fakeApiCertificate } from '../../fakes/kubernetes-api.fake.ts'
import { Rig } from './rig.fixture.ts'

export class Pod {
  readonly #root: string
  readonly #account: string

  private constructor(root: string) {
    this.#root = root
    this.#account = join(root, 'var/run/secrets/kubernetes.io/serviceaccount')
  }

  static async create(): Promise<Pod> {
    const pod = new Pod(await mkdtemp(join(tmpdir(), 'pod-')))
    onTestFinished(async () => {
      vi.unstubAllEnvs()
      await rm(pod.#root, { recursive: true })
    })
    await mkdir(pod.#account, { recursive: true })
    await pod.trust(fakeApiCertificate)
    await pod.login('secret')
    return pod
  }

  get access(): KubernetesAccess {
    return { inCluster: true, root: this.#root }
  }

  /** Where the API server is from now on. */
  findServer(port: number, host = '127.0.0.1'): void {
    vi.stubEnv('KUBERNETES_SERVICE_HOST', host)
    vi.stubEnv('KUBERNETES_SERVICE_PORT', String(port))
  }

  async trust(authority: string): Promise<void> {
    await writeFile(join(this.#account, 'ca.crt'), authority)
  }

  async login(token: string): Promise<void> {
    await writeFile(join(this.#account, 'token'), token)
  }
}

/** A rig over HTTP/2. */
export async function startInPod(options: FakeApiOptions = {}): Promise<Rig> {
  const pod = await Pod.create()
  const rig = await Rig.start({ tls: 'h2', ...options, access: () => pod.access })
  pod.findServer(rig.api.port)
  return rig
}
