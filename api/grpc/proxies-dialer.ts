// Asks another server for its proxies over gRPC: each question is a connection of its own, for they are rare. Knows neither
// presence nor when to try again.
import { Client, credentials, Metadata, type StatusObject, status } from '@grpc/grpc-js'
import { decodeApplied, encodeAppliedQuery } from '../../proto/proxies-messages.ts'
import { proxiesService } from '../../proto/proxies-service.ts'
import { plainFailure } from '../../runtime/grpc-failure.ts'
import type { Unwatch } from '../../watch/cell.ts'
import type { Clock } from '../../watch/clock.ts'
import type { AppliedListener, ProxiesPart, ProxiesQuery, ProxySource } from '../proxies.ts'
import type { DtabVersion } from '../servers.ts'
import { decodePart, encodeQuery } from './proxies-wire.ts'
import { peerChannelOptions } from './servers-dialer.ts'

/** The proxies of the server `id` at `host:port`; nothing is opened before it is asked. */
export function createPeerProxies(id: string, address: string, clock: Clock): ProxySource {
  return new PeerProxies(id, address, clock)
}

class PeerProxies implements ProxySource {
  readonly #id: string
  readonly #address: string
  readonly #clock: Clock

  constructor(id: string, address: string, clock: Clock) {
    this.#id = id
    this.#address = address
    this.#clock = clock
  }

  async page(query: ProxiesQuery, signal: AbortSignal): Promise<ProxiesPart> {
    const client = this.#connect()
    try {
      return decodePart(await call(client, encodeQuery(query), signal), this.#id, this.#clock.now())
    } finally {
      client.close()
    }
  }

  followApplied({ namespace, version }: DtabVersion, listener: AppliedListener): Unwatch {
    let isOver = false
    let close = (): void => {}
    const lose = (reason: string): void => {
      if (isOver) return
      isOver = true
      close()
      listener.lost(reason)
    }
    try {
      const client = this.#connect()
      const { path, requestSerialize, responseDeserialize } = proxiesService.FollowApplied
      const request = encodeAppliedQuery(namespace, version)
      const stream = client.makeServerStreamRequest(
        path,
        requestSerialize,
        responseDeserialize,
        request,
        new Metadata(),
      )
      close = () => {
        stream.cancel()
        client.close()
      }
      stream.on('data', (bytes: Buffer) => {
        if (isOver) return
        try {
          listener.heard(decodeApplied(bytes))
        } catch (error) {
          if (!(error instanceof RangeError)) throw error
          lose(`it sent what cannot be read: ${error.message}`)
        }
      })
      stream.on('status', end => lose(reasonOf(end)))
      stream.on('error', () => {}) // the status says it too
    } catch (error) {
      // What another server says of itself may be no address.
      const reason = error instanceof Error ? error.message : String(error)
      return this.#clock.defer(() => lose(`it cannot be dialled: ${reason}`))
    }
    return () => {
      if (isOver) return
      isOver = true
      close()
    }
  }

  #connect(): Client {
    return new Client(this.#address, credentials.createInsecure(), peerChannelOptions)
  }
}

function call(client: Client, request: Buffer, signal: AbortSignal): Promise<Buffer> {
  const { path, requestSerialize, responseDeserialize } = proxiesService.List
  const { promise, resolve, reject } = Promise.withResolvers<Buffer>()
  const running = client.makeUnaryRequest(path, requestSerialize, responseDeserialize, request, (error, answer) => {
    signal.removeEventListener('abort', cancel)
    if (error !== null) reject(new Error(reasonOf(error), { cause: error }))
    else if (answer !== undefined) resolve(answer)
    else reject(new Error('it answered nothing'))
  })
  const cancel = (): void => running.cancel()
  signal.addEventListener('abort', cancel, { once: true })
  if (signal.aborted) cancel()
  return promise
}

function reasonOf({ code, details }: Pick<StatusObject, 'code' | 'details'>): string {
  if (code === status.UNIMPLEMENTED) return 'it is of a version that does not tell of its proxies'
  return plainFailure(details) || 'it ended the stream'
}
