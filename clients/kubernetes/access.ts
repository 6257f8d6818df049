// Where an API server is and as whom it is asked: plain HTTP, a kubeconfig file, or the pod's own service account.
// Reads credentials again so that rotated ones are followed. Knows nothing of requests.
import type { Clock } from '../../watch/clock.ts'
import { readInClusterTarget } from './in-cluster-access.ts'
import { Kubeconfig, type KubeconfigAccess } from './kubeconfig-access.ts'
import { plainTarget, type Target, urlHost } from './target.ts'

export type KubernetesAccess =
  /** Plain HTTP without credentials, as to a `kubectl proxy` beside us. */
  | { readonly host: string; readonly port: number }
  | KubeconfigAccess
  /** The service account of the pod that we run in; `root` goes before the paths of its files. */
  | { readonly inCluster: true; readonly root?: string }

export interface AccessSource {
  /** Rejects while the credentials cannot be read. */
  target(): Promise<Target>
  /** The server refused these credentials: the next call reads all of them again, unless that was done since or just before. */
  forget(refused: Target): void
}

/** Many watches that begin at once share one reading. */
const sharedForMs = 1_000
/** A credential plugin that has not answered for so long is started again. */
const hangsAfterMs = 60_000
/** While what is read anew is refused too, plugins run no more often. */
const refusedAgainMs = 5_000

export function createAccess(access: KubernetesAccess, clock: Clock): AccessSource {
  if ('host' in access) {
    const target = plainTarget(new URL(`http://${urlHost(access.host)}:${access.port}`), {})
    return { target: () => Promise.resolve(target), forget: () => {} }
  }
  if ('inCluster' in access) {
    return new SharedAccess({ read: () => readInClusterTarget(access.root ?? '/'), forget: () => {} }, clock)
  }
  return new SharedAccess(new Kubeconfig(access, clock), clock)
}

/** What gives credentials, read by read. */
interface Credentials {
  read(): Promise<Target>
  forget(): void
}

interface Reading {
  readonly promise: Promise<Target>
  readonly begunAt: number
  done: { readonly target: Target; readonly at: number } | undefined
}

class SharedAccess implements AccessSource {
  readonly #credentials: Credentials
  readonly #clock: Clock
  #reading: Reading | undefined
  #forgotAt = Number.NEGATIVE_INFINITY

  constructor(credentials: Credentials, clock: Clock) {
    this.#credentials = credentials
    this.#clock = clock
  }

  target(): Promise<Target> {
    const shared = this.#reading
    if (shared !== undefined && this.#isFresh(shared)) return shared.promise
    const reading: Reading = { promise: this.#credentials.read(), begunAt: this.#clock.monotonic(), done: undefined }
    this.#reading = reading
    reading.promise.then(
      target => {
        reading.done = { target, at: this.#clock.monotonic() }
      },
      () => {
        if (this.#reading === reading) this.#reading = undefined
      },
    )
    return reading.promise
  }

  forget(refused: Target): void {
    const now = this.#clock.monotonic()
    if (this.#reading?.done?.target !== refused || now - this.#forgotAt < refusedAgainMs) return
    this.#forgotAt = now
    this.#reading = undefined
    this.#credentials.forget()
  }

  #isFresh({ begunAt, done }: Reading): boolean {
    const now = this.#clock.monotonic()
    return done === undefined ? now - begunAt < hangsAfterMs : now - done.at < sharedForMs
  }
}
