// What is followed in each Kubernetes namespace, made when it is first asked for and let go when nobody follows anything
// there. Only so many are open at once, so that names somebody makes up do not open watches without end.
import { NamingError } from '../../naming/errors.ts'

export interface WatchedNamespace {
  readonly isFollowed: boolean
  close(): void
}

export interface NamespacesOptions<N> {
  readonly create: (namespace: string) => N
  /** Open at once; who asks for one more waits. */
  readonly maxNamespaces: number
}

/** A follow that was not begun yet. */
type Begin = () => void

export class Namespaces<N extends WatchedNamespace> {
  readonly #options: NamespacesOptions<N>
  readonly #open = new Map<string, N>()
  readonly #waiting = new Map<string, Set<Begin>>()

  constructor(options: NamespacesOptions<N>) {
    this.#options = options
  }

  /** How many wait to be opened. */
  get waiting(): number {
    return this.#waiting.size
  }

  /** Does what `follow` does in a namespace, once it has a place; the returned function undoes it. `refused` is told when it has to wait. */
  follow(namespace: string, follow: (watched: N) => () => void, refused: (error: Error) => void): () => void {
    let leave: (() => void) | undefined
    const begin = (): void => {
      leave = this.#enter(namespace, follow)
    }
    if (this.#hasPlace(namespace)) begin()
    else {
      this.#wait(namespace, begin)
      refused(tooMany(this.#options.maxNamespaces))
    }
    return () => {
      this.#forget(namespace, begin)
      leave?.()
    }
  }

  all(): Iterable<N> {
    return this.#open.values()
  }

  close(): void {
    this.#waiting.clear()
    for (const watched of this.#open.values()) watched.close()
    this.#open.clear()
  }

  #hasPlace(namespace: string): boolean {
    return this.#open.has(namespace) || this.#open.size < this.#options.maxNamespaces
  }

  #enter(namespace: string, follow: (watched: N) => () => void): () => void {
    const watched = this.#open.get(namespace) ?? this.#options.create(namespace)
    this.#open.set(namespace, watched)
    const leave = follow(watched)
    return () => {
      leave()
      if (watched.isFollowed || this.#open.get(namespace) !== watched) return
      this.#open.delete(namespace)
      watched.close()
      this.#next()
    }
  }

  #wait(namespace: string, begin: Begin): void {
    const begins = this.#waiting.get(namespace) ?? new Set()
    begins.add(begin)
    this.#waiting.set(namespace, begins)
  }

  #forget(namespace: string, begin: Begin): void {
    const begins = this.#waiting.get(namespace)
    begins?.delete(begin)
    if (begins?.size === 0) this.#waiting.delete(namespace)
  }

  /** A place is free: whoever has waited longest takes it, with all who wait for the same namespace. */
  #next(): void {
    const [first] = this.#waiting
    if (first === undefined || !this.#hasPlace(first[0])) return
    this.#waiting.delete(first[0])
    for (const begin of first[1]) begin()
  }
}

function tooMany(maxNamespaces: number): NamingError {
  const message = `${maxNamespaces} Kubernetes namespaces are followed already; those go on, others have to wait; raise maxNamespaces of this namer if they are real`
  return new NamingError('resource-exhausted', message)
}
