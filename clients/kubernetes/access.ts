// Where an API server is and as whom it is asked: plain HTTP, a kubeconfig file, or the pod's own service account.
// Reads credentials again so that rotated ones are followed. Knows nothing of requests.
import { createHash } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { dirname, resolve } from 'node:path'
import type { KubeConfig } from '@kubernetes/client-node'
import { parse as parseYaml } from 'yaml'
import type { Clock } from '../../watch/clock.ts'
import { isRecord } from './answer.ts'

export type KubernetesAccess =
  /** Plain HTTP without credentials, as to a `kubectl proxy` beside us. */
  | { readonly host: string; readonly port: number }
  /** A kubeconfig file; its current context when none is named. */
  | { readonly kubeconfig: string; readonly context?: string }
  /** The service account of the pod that we run in; `root` goes before the paths of its files. */
  | { readonly inCluster: true; readonly root?: string }

export interface TlsIdentity {
  readonly ca?: Buffer
  readonly cert?: Buffer
  readonly key?: Buffer
  readonly servername?: string
  readonly rejectUnauthorized?: boolean
}

/** All that a request needs beside its path. */
export interface Target {
  /** With the path that goes before every request's, `/` when there is none. */
  readonly url: URL
  readonly headers: Readonly<Record<string, string>>
  /** Absent for plain HTTP. */
  readonly tls?: TlsIdentity
  /** Targets with the same one may share connections. */
  readonly connectionKey: string
}

export interface AccessSource {
  /** Rejects while the credentials cannot be read. */
  target(): Promise<Target>
  /** The server refused the credentials: the next call reads all of them again. */
  forget(): void
}

/** Many watches that begin at once share one reading. */
const sharedForMs = 1_000
/** A plugin that has not answered for so long is started again. */
const hangsAfterMs = 60_000
/** A kubeconfig whose credentials stand in files is read again so often; plugins and token files refresh themselves. */
const reloadAfterMs = 60_000

export function createAccess(access: KubernetesAccess, clock: Clock): AccessSource {
  if ('host' in access) {
    const target = plainTarget(new URL(`http://${urlHost(access.host)}:${access.port}`), {})
    return { target: () => Promise.resolve(target), forget: () => {} }
  }
  return new LoadedAccess(access, clock)
}

type LoadedKind = Exclude<KubernetesAccess, { readonly host: string }>

class LoadedAccess implements AccessSource {
  readonly #access: LoadedKind
  readonly #clock: Clock
  #config: LoadedConfig | undefined
  #target: SharedTarget | undefined

  constructor(access: LoadedKind, clock: Clock) {
    this.#access = access
    this.#clock = clock
  }

  target(): Promise<Target> {
    const now = this.#clock.monotonic()
    const shared = this.#target
    if (shared !== undefined) {
      const isFresh =
        shared.readAt === undefined ? now - shared.begunAt < hangsAfterMs : now - shared.readAt < sharedForMs
      if (isFresh) return shared.reading
    }
    const entry: SharedTarget = { reading: this.#read(), begunAt: now, readAt: undefined }
    this.#target = entry
    entry.reading.then(
      () => {
        entry.readAt = this.#clock.monotonic()
      },
      () => {
        if (this.#target === entry) this.#target = undefined
      },
    )
    return entry.reading
  }

  forget(): void {
    this.#config = undefined
    this.#target = undefined
  }

  async #read(): Promise<Target> {
    const { config, tokenFile } = await this.#load()
    const server = config.getCurrentCluster()
    if (server === null) throw new Error('the kubeconfig has no such context, or its context names no cluster')
    if (server.proxyUrl !== undefined) throw new Error('a proxy-url in the kubeconfig is not supported')
    // The library's own type for this call: options of an HTTPS request that it fills in.
    const options: Parameters<KubeConfig['applyToHTTPSOptions']>[0] & Credentials = { headers: {} }
    await config.applyToHTTPSOptions(options)
    const url = new URL(server.server)
    const headers = headersFrom(options)
    if (tokenFile !== undefined) headers.authorization = `Bearer ${(await readFile(tokenFile, 'utf8')).trim()}`
    return url.protocol === 'https:' ? tlsTarget(url, headers, options) : plainTarget(url, headers)
  }

  async #load(): Promise<LoadedConfig> {
    const held = this.#config
    const now = this.#clock.monotonic()
    if (held !== undefined && (refreshesItself(held.config) || now - held.at < reloadAfterMs)) return held
    this.#config = { ...(await loadConfig(this.#access)), at: now }
    return this.#config
  }
}

interface SharedTarget {
  readonly reading: Promise<Target>
  readonly begunAt: number
  readAt: number | undefined
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

async function loadConfig(access: LoadedKind): Promise<Omit<LoadedConfig, 'at'>> {
  // Imported late: it costs a third of a second and 80 MB.
  const { KubeConfig: Config } = await import('@kubernetes/client-node')
  const config = new Config()
  if ('kubeconfig' in access) {
    config.loadFromFile(access.kubeconfig)
    if (access.context !== undefined) config.setCurrentContext(access.context)
  } else {
    if (process.env.KUBERNETES_SERVICE_HOST === undefined) throw new Error('not in a pod: no KUBERNETES_SERVICE_HOST')
    config.loadFromCluster(access.root)
  }
  // The library refuses plain HTTP unless TLS is not to be verified, which means nothing there.
  config.clusters = config.clusters.map(server =>
    server.server.startsWith('http:') ? { ...server, skipTLSVerify: true } : server,
  )
  const tokenFile =
    'kubeconfig' in access ? await tokenFileOf(access.kubeconfig, config.getCurrentUser()?.name) : undefined
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

function plainTarget(url: URL, headers: Record<string, string>): Target {
  return { url, headers, connectionKey: url.origin }
}

function tlsTarget(url: URL, headers: Record<string, string>, options: Credentials): Target {
  const { ca, cert, key, servername, rejectUnauthorized } = options
  const tls: TlsIdentity = {
    ...(ca !== undefined && { ca }),
    ...(cert !== undefined && { cert: Buffer.from(cert) }),
    ...(key !== undefined && { key: Buffer.from(key) }),
    ...(servername !== undefined && { servername }),
    ...(rejectUnauthorized !== undefined && { rejectUnauthorized }),
  }
  const hash = createHash('sha256')
  for (const part of [url.origin, servername, String(rejectUnauthorized), ca, cert, key])
    hash.update(part ?? '').update('\0')
  return { url, headers, tls, connectionKey: hash.digest('hex') }
}

function urlHost(host: string): string {
  return host.includes(':') ? `[${host}]` : host
}
