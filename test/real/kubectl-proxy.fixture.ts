// A real `kubectl proxy`: plain HTTP/1.1 on loopback, with its own way to the API server. It is what namerd's users run beside it.
import { locateBackend } from '../../backends/locate.ts'
import { BackendProcess, freePorts } from './backend-process.fixture.ts'

/** Ready to be asked. Dispose kills it. */
export class KubectlProxy implements AsyncDisposable {
  readonly port: number
  readonly #kubeconfig: string
  readonly #folder: string
  #process: BackendProcess | undefined

  private constructor(port: number, kubeconfig: string, folder: string) {
    this.port = port
    this.#kubeconfig = kubeconfig
    this.#folder = folder
  }

  static async start(kubeconfig: string, folder: string): Promise<KubectlProxy> {
    const [port = 0] = await freePorts(1)
    const proxy = new KubectlProxy(port, kubeconfig, folder)
    await proxy.start()
    return proxy
  }

  /** As a namer's configuration has it. */
  namer(options: object = {}): object {
    return { kind: 'io.l5d.k8s', host: '127.0.0.1', port: this.port, ...options }
  }

  /** Starts it again on the same port; resolves once it passes requests on. */
  async start(): Promise<void> {
    const argv = [`--kubeconfig=${this.#kubeconfig}`, 'proxy', `--port=${this.port}`]
    this.#process = new BackendProcess(locateBackend('kubectl'), argv, this.#folder)
    await this.#process.until('ready', async () => (await fetch(`http://127.0.0.1:${this.port}/readyz`)).ok)
  }

  async kill(): Promise<void> {
    await this.#process?.kill()
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.kill()
  }
}
