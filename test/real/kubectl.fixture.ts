// kubectl as people use it, in one Kubernetes namespace.
import { execFile } from 'node:child_process'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { locateBackend } from '../../backends/locate.ts'
import type { RealKubernetes } from './kubernetes.fixture.ts'

const run = promisify(execFile)
let files = 0

export interface Kubectl {
  /** Resolves to what it prints; rejects when it fails. */
  (...argv: readonly string[]): Promise<string>
  /** Path of a new file with this object, or these bytes. */
  file(content: object | Uint8Array): Promise<string>
}

/** As the administrator. */
export async function kubectlIn(kubernetes: RealKubernetes, namespace: string): Promise<Kubectl> {
  const kubeconfig = await kubernetes.tokenKubeconfig()
  const call = async (...argv: readonly string[]): Promise<string> => {
    const { stdout } = await run(locateBackend('kubectl'), ['--kubeconfig', kubeconfig, '-n', namespace, ...argv], {
      maxBuffer: 16 << 20,
      env: { ...process.env, HOME: kubernetes.folder },
    })
    return stdout
  }
  const file = async (content: object | Uint8Array): Promise<string> => {
    const path = join(kubernetes.folder, `file-${++files}`)
    await writeFile(path, content instanceof Uint8Array ? content : JSON.stringify(content))
    return path
  }
  return Object.assign(call, { file })
}
