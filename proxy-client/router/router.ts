// A router as the rest sees it: takes requests of its listeners, and shows what it holds. The way of a request is elsewhere.
import type { BindingCache } from '../binding/binding-cache.ts'
import type { ClientCache } from '../client/client-cache.ts'
import type { Inbound, InboundHandler } from '../exchange/inbound.ts'
import type { ServiceTable } from '../service/service-table.ts'
import { RoutedRequest } from './routed-request.ts'
import type { Entrance, Routing } from './routing.ts'

export interface RouterOptions {
  readonly label: string
  readonly services: ServiceTable
  readonly clients: ClientCache
  readonly routing: Omit<Routing, 'onOver'>
}

export class Router {
  readonly label: string
  readonly namespace: string
  readonly bindings: BindingCache
  readonly services: ServiceTable
  readonly clients: ClientCache
  readonly #routing: Routing
  #active = 0

  constructor({ label, services, clients, routing }: RouterOptions) {
    this.label = label
    this.namespace = routing.namespace
    this.bindings = routing.bindings
    this.services = services
    this.clients = clients
    const onOver = (): void => {
      this.#active--
    }
    this.#routing = { ...routing, onOver }
  }

  /** Requests in progress. */
  get active(): number {
    return this.#active
  }

  /** Answers the requests of one listener; never throws. */
  handlerFor(entrance: Entrance): InboundHandler {
    return inbound => this.#handle(inbound, entrance)
  }

  close(): void {
    this.bindings.close()
    this.clients.close()
  }

  #handle(inbound: Inbound, entrance: Entrance): void {
    this.#active++
    const request = new RoutedRequest(inbound, entrance, this.#routing)
    try {
      request.start()
    } catch (error) {
      request.crash(error)
    }
  }
}
