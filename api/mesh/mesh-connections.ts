// Who is on a connection: a proxy that speaks mesh opens a stream for each name, so the connection stands for it. Knows no
// stream.
import type { Http2Session } from 'node:http2'
import type { Result } from '../../naming/result.ts'
import type { GrpcPorts } from '../grpc/grpc-ports.ts'
import { hostOf } from '../push/http2-of-call.ts'
import type { ProxyRecord } from '../push/proxy-registry.ts'
import type { PushContext } from '../push/push-context.ts'
import type { Subscriber } from '../push/subscription-limits.ts'

/** One connection that has, or had, a mesh stream. */
export interface MeshConnection {
  /** Behind all that its streams still have to send; it leaves when the connection closes. */
  readonly proxy: ProxyRecord
  readonly subscriber: Subscriber
}

export class MeshConnections {
  readonly #ports: GrpcPorts
  readonly #push: PushContext
  readonly #connections = new WeakMap<Http2Session, MeshConnection>()

  constructor(ports: GrpcPorts, push: PushContext) {
    this.#ports = ports
    this.#push = push
  }

  /** The same object each time. */
  of(session: Http2Session): MeshConnection {
    const known = this.#connections.get(session)
    if (known !== undefined) return known
    const { address } = this.#push.connections.of(session)
    const proxy = this.#ports.proxies.join({ protocol: 'io.linkerd.mesh', confirms: false, address })
    const connection = { proxy, subscriber: { client: hostOf(address), held: 0 } }
    this.#connections.set(session, connection)
    if (session.destroyed) proxy.leave()
    else session.once('close', () => proxy.leave())
    return connection
  }

  /** Counts one more stream, given back with `give`; resource-exhausted names the limit. */
  take({ subscriber }: MeshConnection, namespace?: string): Result<void> {
    return this.#push.limits.take(subscriber, namespace)
  }

  give({ subscriber }: MeshConnection, namespace?: string): void {
    this.#push.limits.give(subscriber, namespace)
  }
}
