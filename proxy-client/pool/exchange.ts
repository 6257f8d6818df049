// One request with its handler, from the pool's side: waiting for a connection, carried by one, or over.
import type { Linked, LinkedList } from './linked-list.ts'
import type { Sending, UpstreamHandler, UpstreamRequest } from './upstream.ts'

/** Whoever has the exchange in hand. */
export interface ExchangeHolder {
  abort(exchange: Exchange): void
  resume(exchange: Exchange): void
}

export class Exchange implements Sending, Linked<Exchange> {
  readonly request: UpstreamRequest
  readonly handler: UpstreamHandler
  /** Undefined when it is over. */
  holder: ExchangeHolder | undefined
  list: LinkedList<Exchange> | undefined
  before: Exchange | undefined
  after: Exchange | undefined

  constructor(request: UpstreamRequest, handler: UpstreamHandler) {
    this.request = request
    this.handler = handler
    this.holder = undefined
    this.list = undefined
    this.before = undefined
    this.after = undefined
  }

  abort(): void {
    this.holder?.abort(this)
  }

  resume(): void {
    this.holder?.resume(this)
  }
}
