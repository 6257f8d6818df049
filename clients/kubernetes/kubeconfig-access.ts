// A kubeconfig and what it names: tokens, certificates, plugins, read by the client library, which is loaded only here.
import { readFile } from 'node:fs/promises'
import { dirname, resolve } from 'node:path'
import type { KubeConfig } from '@kubernetes/client-node'
import { parse as parseYaml } from 'yaml'
import type { Clock } from '../../watch/clock.ts'
import { isRecord } from './answer.ts'
import { plainTarget, type Target, type TlsIdentity, tlsTarget } from './target.ts'

/** A file; its current context when none is named. */
export interface KubeconfigAccess {
  readonly kubeconfig: string
  readonly context?: string
}

/** A kubeconfig whose credentials stand in files is read again so often; plugins refresh themselves. */
const reloadAfterMs = 60_000

export class Kubeconfig {
  readonly #access: KubeconfigAccess
  readonly #clock: Clock
  #loaded: LoadedConfig | undefined

  constructor(access: KubeconfigAccess, clock: Clock) {
    this.#access = access
    this.#clock = clock
  }

  /** The next read begins with the file. */
  forget(): void {
    this.#loaded = undefined
  }

  async read(): Promise<Target> {
    const { config, tokenFile } = await this.#load()
    const server = config.getCurrentCluster()
    if (server === null) throw new Error(noCluster(this.#access))
    if (server.proxyUrl !== undefined) throw new Error('a proxy-url in the kubeconfig is not supported')
    // The library's own type for this call: options of an HTTPS request that it fills in.
    const options: Parameters<KubeConfig['applyToHTTPSOptions']>[0] & Credentials = { headers: {} }
    await config.applyToHTTPSOptions(options)
    const url = new URL(server.server)
    const headers = headersFrom(options)
    if (tokenFile !== undefined) headers.authorization = `Bearer ${(await readFile(tokenFile, 'utf8')).trim()}`
    return url.protocol === 'https:' ? tlsTarget(url, headers, tlsOf(options)) : plainTarget(url, headers)
  }

  async #load(): Promise<LoadedConfig> {
    const held = this.#loaded
    const now = this.#clock.monotonic()
    if (held !== undefined && (refreshesItself(held.config) || now - held.at < reloadAfterMs)) return held
    this.#loaded = { ...(await loadNamed(this.#access)), at: now }
    return this.#loaded
  }
}

interface LoadedConfig {
  readonly config: KubeConfig
  /** Read for each target: the library reads it once, and only by a name that kubectl does not know. */
  readonly tokenFile: string | undefined
  readonly at: number
}

/** What the library fills in and we use. */
interface Credentials {
  headers?: Record<string, string>
  auth?: string
  ca?: Buffer
  cert?: Buffer | string
  key?: Buffer | string
  servername?: string
  rejectUnauthorized?: boolean
}

function noCluster({ kubeconfig, context }: KubeconfigAccess): string {
  const which = context === undefined ? 'its current-context is no' : `"${context}" is no`
  return `the kubeconfig ${kubeconfig} leads to no cluster: ${which} context of it, or names a cluster that it does not have`
}

/** What is wrong with the file says which file. */
async function loadNamed(access: KubeconfigAccess): Promise<Omit<LoadedConfig, 'at'>> {
  try {
    return await loadConfig(access)
  } catch (cause) {
    const [why = ''] = (cause instanceof Error ? cause.message : String(cause)).split('\n')
    throw new Error(`the kubeconfig ${access.kubeconfig} cannot be read: ${why}`, { cause })
  }
}

async function loadConfig({ kubeconfig, context }: KubeconfigAccess): Promise<Omit<LoadedConfig, 'at'>> {
  // Imported late: it costs a third of a second and 80 MB.
  const { KubeConfig: Config } = await import('@kubernetes/client-node')
  const config = new Config()
  config.loadFromFile(kubeconfig)
  if (context !== undefined) config.setCurrentContext(context)
  // The library refuses plain HTTP unless TLS is not to be verified, which means nothing there.
  config.clusters = config.clusters.map(server =>
    server.server.startsWith('http:') ? { ...server, skipTLSVerify: true } : server,
  )
  const tokenFile = await tokenFileOf(kubeconfig, config.getCurrentUser()?.name)
  return { config, tokenFile }
}

/** The user's `tokenFile`, relative to the kubeconfig as all its paths. */
async function tokenFileOf(kubeconfig: string, user: string | undefined): Promise<string | undefined> {
  const parsed: unknown = parseYaml(await readFile(kubeconfig, 'utf8'))
  const users = isRecord(parsed) ? parsed.users : undefined
  const entry: unknown = Array.isArray(users) ? users.find(item => isRecord(item) && item.name === user) : undefined
  const fields = isRecord(entry) ? entry.user : undefined
  const tokenFile = isRecord(fields) ? fields.tokenFile : undefined
  return typeof tokenFile === 'string' ? resolve(dirname(kubeconfig), tokenFile) : undefined
}

function refreshesItself(config: KubeConfig): boolean {
  const user = config.getCurrentUser()
  return Boolean(user?.exec) || Boolean(user?.authProvider)
}

function headersFrom({ headers, auth }: Credentials): Record<string, string> {
  const trimmed = Object.entries(headers ?? {}).map(([name, value]) => [name.toLowerCase(), value.trim()])
  const basic = auth === undefined ? {} : { authorization: `Basic ${Buffer.from(auth).toString('base64')}` }
  return { ...basic, ...Object.fromEntries(trimmed) }
}

function tlsOf({ ca, cert, key, servername, rejectUnauthorized }: Credentials): TlsIdentity {
  return {
    ...(ca !== undefined && { ca }),
    ...(cert !== undefined && { cert: Buffer.from(cert) }),
    ...(key !== undefined && { key: Buffer.from(key) }),
    ...(servername !== undefined && { servername }),
    ...(rejectUnauthorized !== undefined && { rejectUnauthorized }),
  }
}
