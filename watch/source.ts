// A cell fed by a backend: opened by its first observer, closed once after its last one left and the linger is over.
import type { Sink, SourceEvent, SourceOptions, SourceReport } from './cell.ts'
import type { Cancel } from './clock.ts'
import { type Core, errorFrom, type OpenSource } from './core.ts'
import { SettableNode } from './settable.ts'
import { pending } from './state.ts'

type Open = (sink: Sink<unknown>) => () => void

/** What is known of one opening. A sink that outlives its opening is ignored. */
class Opening {
  readonly openedAt: number
  close: (() => void) | undefined
  changedAt: number | undefined
  contactAt: number | undefined
  version: string | undefined
  failingSince: number | undefined
  lastError: string | undefined
  retryAt: number | undefined

  constructor(openedAt: number) {
    this.openedAt = openedAt
  }
}

export class SourceNode extends SettableNode implements OpenSource {
  readonly #open: Open
  readonly #lingerMs: number
  readonly #group: string | undefined
  #opening: Opening | undefined
  #cancelLinger: Cancel | undefined

  constructor(core: Core, name: string, open: Open, options: SourceOptions<unknown>) {
    super(core, name, options)
    this.#open = open
    this.#lingerMs = options.lingerMs ?? 0
    this.#group = options.group
  }

  protected activate(): void {
    if (this.#cancelLinger !== undefined) {
      this.#cancelLinger()
      this.#cancelLinger = undefined
      return
    }
    if (this.core.isClosed) return
    const opening = new Opening(this.core.options.clock.now())
    this.#opening = opening
    this.core.openSources.add(this)
    this.occupy()
    this.#tell('opened')
    this.#start(opening)
  }

  #start(opening: Opening): void {
    try {
      opening.close = this.#open(this.#sinkOf(opening))
    } catch (error) {
      this.core.options.onError(error, this.name)
      if (this.#opening === opening) this.#fail(opening, errorFrom(error))
    }
    if (this.#opening !== opening) this.#close(opening)
  }

  protected deactivate(): void {
    if (this.#opening === undefined) return
    const { clock } = this.core.options
    const shut = (): void => this.shut()
    this.#cancelLinger = this.#lingerMs > 0 ? clock.after(this.#lingerMs, shut) : clock.defer(shut)
  }

  /** Closes at once, whether or not anyone watches; harmless when it is not open. */
  shut(): void {
    const opening = this.#opening
    if (opening === undefined) return
    this.#cancelLinger?.()
    this.#cancelLinger = this.#opening = undefined
    this.core.openSources.delete(this)
    this.state = pending
    this.release()
    this.#tell('closed')
    this.#close(opening)
  }

  #close(opening: Opening): void {
    const { close } = opening
    opening.close = undefined
    try {
      close?.()
    } catch (error) {
      this.core.options.onError(error, this.name)
    }
  }

  report(): SourceReport {
    const { openedAt = 0, changedAt, contactAt, version, retryAt, close } = this.#opening ?? {}
    const stale = this.state.kind === 'ok' ? this.state.stale : undefined
    const failingSince = stale?.since ?? this.#opening?.failingSince
    const lastError = stale?.reason.message ?? this.#opening?.lastError
    return {
      name: this.name,
      state: stale !== undefined ? 'stale' : this.state.kind,
      running: close !== undefined,
      openedAt,
      observers: this.countObservers(),
      lingering: this.#cancelLinger !== undefined,
      ...(this.#group !== undefined && { group: this.#group }),
      ...(changedAt !== undefined && { changedAt }),
      ...(version !== undefined && { version }),
      ...(contactAt !== undefined && { contactAt, ageMs: this.core.options.clock.now() - contactAt }),
      ...(failingSince !== undefined && { failingSince }),
      ...(lastError !== undefined && { lastError }),
      ...(retryAt !== undefined && { retryAt }),
    }
  }

  #sinkOf(opening: Opening): Sink<unknown> {
    const isOpen = (): boolean => this.#opening === opening
    return {
      set: (value, version) => {
        if (isOpen()) this.#set(opening, value, version)
      },
      fail: (error, retryAt) => {
        if (isOpen()) this.#fail(opening, error, retryAt)
      },
      setStale: (value, reason) => {
        if (isOpen() && this.acceptStale(value, reason)) opening.changedAt = this.core.options.clock.now()
      },
      contact: version => {
        if (!isOpen()) return
        opening.contactAt = this.core.options.clock.now()
        opening.version = version ?? opening.version
      },
    }
  }

  #set(opening: Opening, value: unknown, version: string | undefined): void {
    const now = this.core.options.clock.now()
    const hasRecovered = opening.failingSince !== undefined
    opening.contactAt = now
    opening.version = version ?? opening.version
    opening.failingSince = opening.retryAt = undefined
    if (this.accept(value)) opening.changedAt = now
    if (hasRecovered) this.#tell('recovered')
  }

  #fail(opening: Opening, error: Error, retryAt?: number): void {
    const kind = opening.failingSince === undefined ? 'failed' : 'failed-again'
    opening.failingSince ??= this.core.options.clock.now()
    opening.lastError = error.message
    opening.retryAt = retryAt
    this.reject(error)
    this.#tell(kind, { error, ...(retryAt !== undefined && { retryAt }) })
  }

  #tell(kind: SourceEvent['kind'], facts: Pick<SourceEvent, 'error' | 'retryAt'> = {}): void {
    const group = this.#group
    try {
      this.core.options.onSource?.({ kind, source: this.name, ...(group !== undefined && { group }), ...facts })
    } catch (error) {
      this.core.options.onError(error, this.name)
    }
  }
}
