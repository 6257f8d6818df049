// The service account of the pod that we run in. Its token is rotated, so its files are read each time.
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { type Target, tlsTarget, urlHost } from './target.ts'

const folder = '/var/run/secrets/kubernetes.io/serviceaccount'

/** Rejects when we run in no pod, or one without a service account. `root` goes before the paths of the files. */
export async function readInClusterTarget(root: string): Promise<Target> {
  const { KUBERNETES_SERVICE_HOST: host, KUBERNETES_SERVICE_PORT: port } = process.env
  if (host === undefined || port === undefined) throw new Error('not in a pod: no KUBERNETES_SERVICE_HOST and _PORT')
  const [ca, token] = await Promise.all([
    readFile(join(root, folder, 'ca.crt')),
    readFile(join(root, folder, 'token'), 'utf8'),
  ])
  return tlsTarget(new URL(`https://${urlHost(host)}:${port}`), { authorization: `Bearer ${token.trim()}` }, { ca })
}
