// One try of a request at one endpoint: what comes back goes to the caller's handler, and the balancer learns how it ended.
import type { Dispatcher } from 'undici'
import type { PickedEndpoint } from './name-balancer.ts'

type Handler = Dispatcher.DispatchHandler
type Args<K extends keyof Handler> = Parameters<NonNullable<Handler[K]>>

/** Statuses below it are of interim responses. */
const firstFinal = 200
/** Statuses from here on are the endpoint's failure. */
const firstFailure = 500

export class RelayHandler implements Handler {
  readonly #handler: Handler
  readonly #picked: PickedEndpoint<unknown>
  /** No byte was sent. */
  readonly #onRefused: (controller: Dispatcher.DispatchController, error: Error) => void
  #isStarted = false
  #status = 0
  #controller: Dispatcher.DispatchController | undefined

  constructor(
    handler: Handler,
    picked: PickedEndpoint<unknown>,
    onRefused: (controller: Dispatcher.DispatchController, error: Error) => void,
  ) {
    this.#handler = handler
    this.#picked = picked
    this.#onRefused = onRefused
  }

  onRequestStart(...args: Args<'onRequestStart'>): void {
    this.#isStarted = true
    this.#controller = args[0]
    this.#handler.onRequestStart?.(...args)
  }

  onRequestUpgrade(...args: Args<'onRequestUpgrade'>): void {
    this.#picked.release('success')
    this.#handler.onRequestUpgrade?.(...args)
  }

  onResponseStart(...args: Args<'onResponseStart'>): void {
    this.#status = args[1]
    if (this.#status >= firstFinal) this.#picked.answered(this.#outcome)
    this.#handler.onResponseStart?.(...args)
  }

  onResponseData(...args: Args<'onResponseData'>): void {
    this.#handler.onResponseData?.(...args)
  }

  onResponseEnd(...args: Args<'onResponseEnd'>): void {
    this.#picked.release(this.#outcome)
    this.#handler.onResponseEnd?.(...args)
  }

  onResponseError(controller: Dispatcher.DispatchController, error: Error): void {
    if (isOfRequest(error)) {
      this.#picked.release('aborted')
      this.#handler.onResponseError?.(controller, error)
      return
    }
    if (!this.#isStarted) {
      this.#picked.release('refused')
      this.#onRefused(controller, error)
      return
    }
    this.#picked.release(this.#controller?.aborted === true ? 'aborted' : 'failure')
    this.#handler.onResponseError?.(controller, error)
  }

  get #outcome(): 'success' | 'failure' {
    return this.#status < firstFailure ? 'success' : 'failure'
  }

  onResponseStarted(): void {
    this.#handler.onResponseStarted?.()
  }

  onBodySent(chunk: Buffer): void {
    this.#handler.onBodySent?.(chunk)
  }

  onRequestSent(): void {
    this.#handler.onRequestSent?.()
  }
}

/** undici would send it to nobody. */
function isOfRequest(error: Error): boolean {
  return 'code' in error && (error.code === 'UND_ERR_INVALID_ARG' || error.code === 'UND_ERR_NOT_SUPPORTED')
}
