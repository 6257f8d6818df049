// A bare watch of EndpointSlices: what the API server itself takes to tell a change.
import type { KubernetesApi } from '../../test/real/kubernetes-api.fixture.ts'
import { slicePath } from '../../test/real/kubernetes-objects.fixture.ts'

interface Slice {
  readonly metadata: { readonly name: string }
  readonly endpoints: readonly unknown[] | null
}

/** Watches one namespace until disposed. */
export class SliceWatch implements AsyncDisposable {
  readonly #abort = new AbortController()
  readonly #ended: Promise<void>
  #waiting: ((slice: Slice) => void) | undefined

  private constructor(api: KubernetesApi, namespace: string, version: string) {
    const seen = (object: unknown): void => this.#waiting?.(object as Slice) // the collection is one of slices
    this.#ended = api.watch(slicePath(namespace), version, ({ object }) => seen(object), this.#abort.signal)
  }

  static async open(api: KubernetesApi, namespace: string): Promise<SliceWatch> {
    return new SliceWatch(api, namespace, await api.version(slicePath(namespace)))
  }

  /** Resolves with the time (of `performance.now`) at which the slice was told to have so many endpoints. One wait at a time. */
  async until(name: string, endpoints: number): Promise<number> {
    return await new Promise(resolve => {
      this.#waiting = slice => {
        if (slice.metadata.name === name && (slice.endpoints ?? []).length === endpoints) resolve(performance.now())
      }
    })
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#abort.abort()
    await this.#ended
  }
}
