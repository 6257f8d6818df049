// A real kube-apiserver on a real etcd, with the real controllers of slices when they are asked for; no kubelet, no scheduler.
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { locateBackend } from '../../backends/locate.ts'
import { BackendProcess, freePorts } from './backend-process.fixture.ts'
import { KubernetesApi } from './kubernetes-api.fixture.ts'
import { adminToken, createPki, namerToken, type Pki } from './kubernetes-pki.fixture.ts'

export interface RealKubernetesOptions {
  /** Runs kube-controller-manager with the controllers that write Endpoints and EndpointSlices. */
  readonly withControllers?: boolean
  /** More flags of kube-apiserver. */
  readonly apiServerFlags?: readonly string[]
}

const pluginVersion = 'client.authentication.k8s.io/v1'

/** Dispose kills it. */
export interface PeerApiServer extends AsyncDisposable {
  readonly port: number
}

/** A ready API server of which `api` is the administrator. Dispose kills everything and removes the folder. */
export class RealKubernetes implements AsyncDisposable {
  readonly port: number
  readonly api: KubernetesApi
  readonly pki: Pki
  readonly folder: string
  readonly etcdPort: number
  readonly #etcdPeerPort: number
  readonly #flags: readonly string[]
  #etcd: BackendProcess | undefined
  #apiServer: BackendProcess | undefined
  #controllers: BackendProcess | undefined

  private constructor(folder: string, pki: Pki, ca: string, ports: readonly number[], flags: readonly string[]) {
    const [port = 0, etcdPort = 0, etcdPeerPort = 0] = ports
    this.folder = folder
    this.pki = pki
    this.port = port
    this.api = new KubernetesApi(port, ca, adminToken)
    this.etcdPort = etcdPort
    this.#etcdPeerPort = etcdPeerPort
    this.#flags = flags
  }

  static async start({ withControllers, apiServerFlags = [] }: RealKubernetesOptions = {}): Promise<RealKubernetes> {
    const folder = await mkdtemp(join(tmpdir(), 'nameplane-kubernetes-'))
    const pki = await createPki(folder)
    const ca = await readFile(pki.ca, 'utf8')
    const kubernetes = new RealKubernetes(folder, pki, ca, await freePorts(3), apiServerFlags)
    try {
      await kubernetes.startEtcd()
      await kubernetes.startApiServer()
      if (withControllers === true) await kubernetes.#startControllers()
    } catch (error) {
      await kubernetes[Symbol.asyncDispose]()
      throw error
    }
    return kubernetes
  }

  /** A namer on it as its administrator, as it stands in a server's configuration. */
  async namer(options: object = {}): Promise<object> {
    return { kind: 'io.l5d.k8s', kubeconfig: await this.tokenKubeconfig(), ...options }
  }

  /** Path of a kubeconfig whose user has this token; the administrator's when absent. */
  async tokenKubeconfig(token: string = adminToken): Promise<string> {
    return await this.#writeKubeconfig(`token-${token}`, { token })
  }

  /** Path of a kubeconfig of a user who may do nothing until a role is bound to `namerUser`. */
  async namerKubeconfig(): Promise<string> {
    return await this.tokenKubeconfig(namerToken)
  }

  /** Path of a kubeconfig whose user, an administrator, has a client certificate. */
  async certificateKubeconfig(): Promise<string> {
    return await this.#writeKubeconfig('certificate', {
      'client-certificate': this.pki.clientCertificate,
      'client-key': this.pki.clientKey,
    })
  }

  /** Path of a kubeconfig whose user, the administrator, gets a token from a plugin that kubectl would run. */
  async pluginKubeconfig(): Promise<string> {
    const credential = { apiVersion: pluginVersion, kind: 'ExecCredential', status: { token: adminToken } }
    const args = ['-c', `echo '${JSON.stringify(credential)}'`]
    const exec = { apiVersion: pluginVersion, command: 'sh', args, interactiveMode: 'Never' }
    return await this.#writeKubeconfig('plugin', { exec })
  }

  /** Path of a kubeconfig of the user whose token this file holds, whenever it is read. */
  async tokenFileKubeconfig(tokenFile: string): Promise<string> {
    return await this.#writeKubeconfig('token-file', { tokenFile })
  }

  /** Path of the administrator's kubeconfig, with the API server behind another port of this machine. */
  async kubeconfigBehind(port: number): Promise<string> {
    return await this.#writeKubeconfig(`behind-${port}`, { token: adminToken }, port)
  }

  /** Starts it again on the same port and the same etcd; resolves once it is ready. */
  async startApiServer(): Promise<void> {
    this.#apiServer = this.#launchApiServer(this.port, this.etcdPort)
    await this.#apiServer.until('ready', () => this.api.isReady())
  }

  /** Another API server on the same etcd, which it reaches through `etcdPort`; ready. Whoever asked disposes it. */
  async startPeer(etcdPort: number): Promise<PeerApiServer> {
    const [port = 0] = await freePorts(1)
    const api = new KubernetesApi(port, await readFile(this.pki.ca, 'utf8'), adminToken)
    const process = this.#launchApiServer(port, etcdPort)
    const peer = {
      port,
      [Symbol.asyncDispose]: async () => {
        await process.kill()
        await api[Symbol.asyncDispose]()
      },
    }
    try {
      await process.until('ready', () => api.isReady())
    } catch (error) {
      await peer[Symbol.asyncDispose]()
      throw error
    }
    return peer
  }

  #launchApiServer(port: number, etcdPort: number): BackendProcess {
    const { ca, serverCertificate, serverKey, serviceAccountKey, serviceAccountPublicKey, tokens } = this.pki
    return new BackendProcess(
      locateBackend('kube-apiserver'),
      [
        ...[`--etcd-servers=http://127.0.0.1:${etcdPort}`, `--secure-port=${port}`],
        ...['--bind-address=127.0.0.1', '--advertise-address=127.0.0.1', '--endpoint-reconciler-type=none'],
        ...[`--tls-cert-file=${serverCertificate}`, `--tls-private-key-file=${serverKey}`, `--client-ca-file=${ca}`],
        ...[`--token-auth-file=${tokens}`, '--authorization-mode=RBAC', '--disable-admission-plugins=ServiceAccount'],
        ...['--service-account-issuer=https://kubernetes.default.svc', '--service-cluster-ip-range=10.0.0.0/16'],
        `--service-account-key-file=${serviceAccountPublicKey}`,
        `--service-account-signing-key-file=${serviceAccountKey}`,
        ...this.#flags,
      ],
      this.folder,
    )
  }

  /** SIGKILL; etcd keeps what was written. */
  async killApiServer(): Promise<void> {
    await this.#apiServer?.kill()
  }

  /** Stands still with its connections open. */
  freezeApiServer(): void {
    this.#apiServer?.freeze()
  }

  resumeApiServer(): void {
    this.#apiServer?.resume()
  }

  /** Makes every version before the present one too old: forgets it in etcd, and in the server's own cache by a restart. */
  async forgetHistory(): Promise<void> {
    const revision = await this.api.version('/api/v1/namespaces')
    await this.killApiServer()
    const response = await fetch(`http://127.0.0.1:${this.etcdPort}/v3/kv/compaction`, {
      method: 'POST',
      body: JSON.stringify({ revision, physical: true }),
    })
    if (!response.ok) throw new Error(`compaction answered ${response.status}: ${await response.text()}`)
    await this.startApiServer()
  }

  /** SIGKILL; the API server runs on without it. What was written is on the disk's way, which the machine outlives. */
  async killEtcd(): Promise<void> {
    await this.#etcd?.kill()
  }

  /** Starts it again on the same port and with the same data; resolves once it is healthy. */
  async startEtcd(): Promise<void> {
    const client = `http://127.0.0.1:${this.etcdPort}`
    const peer = `http://127.0.0.1:${this.#etcdPeerPort}`
    this.#etcd = new BackendProcess(
      locateBackend('etcd'),
      [
        ...['--name=t', `--data-dir=${join(this.folder, 'etcd')}`, '--unsafe-no-fsync', '--log-level=warn'],
        ...[`--listen-client-urls=${client}`, `--advertise-client-urls=${client}`],
        ...[`--listen-peer-urls=${peer}`, `--initial-advertise-peer-urls=${peer}`, `--initial-cluster=t=${peer}`],
      ],
      this.folder,
    )
    await this.#etcd.until('ready', async () => (await (await fetch(`${client}/health`)).text()).includes('"true"'))
  }

  async #startControllers(): Promise<void> {
    const controllers = ['endpointslice-controller', 'endpoints-controller', 'endpointslice-mirroring-controller']
    this.#controllers = new BackendProcess(
      locateBackend('kube-controller-manager'),
      [
        ...[`--kubeconfig=${await this.tokenKubeconfig()}`, '--leader-elect=false', '--secure-port=0'],
        `--controllers=${controllers.join(',')}`,
      ],
      this.folder,
    )
  }

  async #writeKubeconfig(name: string, user: object, port = this.port): Promise<string> {
    const path = join(this.folder, `${name}.kubeconfig`)
    const cluster = { server: `https://127.0.0.1:${port}`, 'certificate-authority': this.pki.ca }
    const config = {
      apiVersion: 'v1',
      kind: 'Config',
      'current-context': 'test',
      clusters: [{ name: 'test', cluster }],
      users: [{ name: 'test', user }],
      contexts: [{ name: 'test', context: { cluster: 'test', user: 'test' } }],
    }
    await writeFile(path, JSON.stringify(config))
    return path
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#controllers?.kill()
    await this.#apiServer?.kill()
    await this.#etcd?.kill()
    await this.api[Symbol.asyncDispose]()
    await rm(this.folder, { recursive: true, force: true })
  }
}
