// Namespaces as evaluation sees them: the store's text, parsed and indexed once per version and shared by all names.
// A text that does not parse never replaces a good one. Knows nothing of names and namers.
import type { Dtab } from '../naming/dtab.ts'
import { NamingError } from '../naming/errors.ts'
import { parseNamespace } from '../naming/namespace.ts'
import { type Store, storageGroup, type Version } from '../storage/store.ts'
import type { Cell, Kernel, Sink } from '../watch/cell.ts'
import type { Cancel, Clock } from '../watch/clock.ts'
import { ok, type State } from '../watch/state.ts'
import { type CompiledDtab, compileDtab } from './compile-dtab.ts'
import type { NamespaceSnapshot } from './interpreter.ts'

/** A snapshot with its rules compiled. */
export interface CompiledNamespace extends NamespaceSnapshot {
  readonly compiled: CompiledDtab
}

export interface NamespaceCellsOptions {
  readonly store: Pick<Store, 'observe'>
  readonly kernel: Kernel
  readonly clock: Clock
  /** The rules of a namespace that does not exist. */
  readonly none: CompiledDtab
  /** Told of each version that rules go by from now on, and with undefined when a namespace is let go. Must not throw. */
  readonly onVersion?: OnNamespaceVersion
}

/** Which version evaluation goes by in a namespace that is in use; undefined once it is not. */
export type OnNamespaceVersion = (namespace: string, version: number | undefined) => void

/** How long a namespace stays compiled after the last name in it was let go. */
const lingerMs = 60_000

/** One cell per namespace, open while a name in it is watched and a while longer. */
export function createNamespaceCells(options: NamespaceCellsOptions): (namespace: string) => Cell<CompiledNamespace> {
  const { store, kernel, none, onVersion } = options
  const pool = kernel.pool<string, CompiledNamespace>(
    namespace =>
      kernel.source(
        `dtab ${namespace}`,
        sink => {
          const loader = new Loader(namespace, sink, options)
          const observation = store.observe(namespace).observe({ isRelay: true, deliver: state => loader.take(state) })
          return () => {
            observation.end()
            loader.stop()
            onVersion?.(namespace, undefined)
          }
        },
        { equals: sameVersion, lingerMs, group: storageGroup },
      ),
    namespace => namespace,
  )
  const nowhere = kernel.derive('no such namespace', () => ok(snapshotOf(false, 0, none)))
  return namespace => (parseNamespace(namespace).ok ? pool.at(namespace) : nowhere)
}

function sameVersion(a: CompiledNamespace, b: CompiledNamespace): boolean {
  return a === b || (a.version === b.version && a.exists === b.exists && a.compiled === b.compiled)
}

/** A number alone does not say it: a store that was restored from a copy may give it to another text. */
function sameText(a: Version | undefined, b: Version | undefined): boolean {
  return a === b || (a !== undefined && a.version === b?.version && a.text === b.text)
}

function snapshotOf(exists: boolean, version: number, compiled: CompiledDtab): CompiledNamespace {
  return {
    exists,
    version,
    compiled,
    get dtab(): Dtab {
      return compiled.dtab
    },
    get hash(): string {
      return compiled.hash
    },
  }
}

/** Turns the store's versions into snapshots, one at a time; a newer version makes an unfinished one pointless. */
class Loader {
  readonly #namespace: string
  readonly #sink: Sink<CompiledNamespace>
  readonly #options: NamespaceCellsOptions
  #active: CompiledNamespace | undefined
  #published: CompiledNamespace | undefined
  /** The head last taken up, whether it became active, failed or is being compiled. */
  #taken: { readonly head: Version | undefined } | undefined
  #fault: NamingError | undefined
  #storeFault: Error | undefined
  #cancel: Cancel | undefined

  constructor(namespace: string, sink: Sink<CompiledNamespace>, options: NamespaceCellsOptions) {
    this.#namespace = namespace
    this.#sink = sink
    this.#options = options
  }

  take(state: State<Version | undefined>): void {
    if (state.kind === 'pending') return
    this.#storeFault = state.kind === 'failed' ? state.error : state.stale?.reason
    if (state.kind === 'ok') this.#adopt(state.value)
    else this.#sink.fail(state.error)
  }

  stop(): void {
    this.#cancel?.()
    this.#cancel = undefined
  }

  #adopt(head: Version | undefined): void {
    if (this.#taken !== undefined && sameText(this.#taken.head, head)) {
      if (this.#cancel === undefined) this.#publish()
      return
    }
    this.stop()
    this.#taken = { head }
    const version = head?.version ?? 0
    if (head?.text === undefined) this.#activate(false, version, this.#options.none)
    else this.#compile(version, head.text)
  }

  #compile(version: number, text: string): void {
    let isDone = false
    const cancel = compileDtab(text, this.#options.clock, this.#active?.compiled, result => {
      isDone = true
      this.#cancel = undefined
      if (result.ok) this.#activate(true, version, result.value)
      else this.#refuse(version, result.error)
    })
    if (!isDone) this.#cancel = cancel
  }

  #activate(exists: boolean, version: number, compiled: CompiledDtab): void {
    this.#active = snapshotOf(exists, version, compiled)
    this.#fault = undefined
    this.#publish()
  }

  #refuse(version: number, error: NamingError): void {
    this.#fault = new NamingError(
      'bad-dtab',
      `version ${version} of namespace ${this.#namespace} does not parse: ${error.message}`,
      { detail: { ...error.detail, namespace: this.#namespace, version }, cause: error },
    )
    this.#publish()
  }

  #publish(): void {
    const fault = this.#fault ?? this.#storeFault
    // Setting it anew would say that it was fresh in between.
    const isNews = fault === undefined || this.#active !== this.#published
    if (this.#active !== undefined && isNews) this.#show(this.#active, fault)
    if (this.#active !== undefined && this.#active !== this.#published)
      this.#options.onVersion?.(this.#namespace, this.#active.version)
    this.#published = this.#active
    if (fault !== undefined) this.#sink.fail(fault)
  }

  /** What was stale when it came was never heard from the store, and was never fresh. */
  #show(active: CompiledNamespace, fault: Error | undefined): void {
    if (fault === undefined) this.#sink.set(active)
    else this.#sink.setStale(active, fault)
  }
}
