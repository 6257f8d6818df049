// A kubeconfig file for tests.
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fakeApiCertificate } from '../../fakes/kubernetes-api.fake.ts'
import { Rig, type RigOptions } from './rig.fixture.ts'

/** A folder with a kubeconfig, which lives as long as the test. */
export class Kubeconfig implements AsyncDisposable {
  readonly folder: string
  readonly user: Record<string, unknown>

  private constructor(folder: string, user: Record<string, unknown>) {
    this.folder = folder
    this.user = user
  }

  static async create(user: Record<string, unknown>): Promise<Kubeconfig> {
    return new Kubeconfig(await mkdtemp(join(tmpdir(), 'kubeconfig-')), user)
  }

  get path(): string {
    return join(this.folder, 'config')
  }

  /** Names the server, and an authority for it: the fake's own when absent. */
  async write(server: string, authorityText = fakeApiCertificate): Promise<void> {
    const authority = Buffer.from(authorityText).toString('base64')
    const config = {
      clusters: [{ name: 'c', cluster: { server, 'certificate-authority-data': authority } }],
      users: [{ name: 'u', user: this.user }],
      contexts: [{ name: 'x', context: { cluster: 'c', user: 'u' } }],
      'current-context': 'x',
    }
    await writeFile(this.path, JSON.stringify(config))
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await rm(this.folder, { recursive: true })
  }
}

/** A rig over TLS, as the kubeconfig says. */
export async function startTls(config: Kubeconfig, options: Omit<RigOptions, 'access'>): Promise<Rig> {
  const rig = await Rig.start({ ...options, access: () => ({ kubeconfig: config.path }) })
  await config.write(`https://127.0.0.1:${rig.api.port}`)
  return rig
}
