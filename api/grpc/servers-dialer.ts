// Follows another server over gRPC. Knows one stream at a time, neither presence nor when to try again.
import { type ChannelOptions, Client, credentials, Metadata, type StatusObject } from '@grpc/grpc-js'
import { decodeFollowResponse, encodeSpeaker, type Speaker, signOfLife } from '../../proto/server-versions.ts'
import { serversService } from '../../proto/servers-service.ts'
import { plainFailure } from '../../runtime/grpc-failure.ts'
import type { Clock } from '../../watch/clock.ts'
import type { DialPeer, PeerListener } from '../servers.ts'
import { heartbeatMs } from './servers-session.ts'

/** Of every connection from one server to another. */
export const peerChannelOptions: ChannelOptions = {
  'grpc.enable_channelz': 0,
  'grpc.enable_retries': 0,
  'grpc.use_local_subchannel_pool': 1,
  'grpc.service_config_disable_resolution': 1,
  'grpc.max_receive_message_length': 4 * 1024 * 1024,
  // Servers of one store are neighbours: no proxy of the environment stands between them.
  'grpc.enable_http_proxy': 0,
}

/** Says `self` to each server that it dials. */
export function createPeerDialer(self: Speaker, clock: Clock): DialPeer {
  return (address, listener) => {
    try {
      const stream = new FollowedServer(address, { self, clock, listener })
      return () => stream.close()
    } catch (error) {
      // What another server says of itself may be no address.
      const reason = error instanceof Error ? error.message : String(error)
      return clock.defer(() => listener.lost(`it cannot be dialled: ${reason}`))
    }
  }
}

interface FollowedServerOptions {
  readonly self: Speaker
  readonly clock: Clock
  readonly listener: PeerListener
}

class FollowedServer {
  readonly #client: Client
  readonly #stream: ReturnType<typeof openStream>
  readonly #options: FollowedServerOptions
  #isSending = false
  #isOver = false
  #cancelBeat: () => void

  constructor(address: string, options: FollowedServerOptions) {
    this.#options = options
    this.#client = new Client(address, credentials.createInsecure(), peerChannelOptions)
    this.#stream = openStream(this.#client)
    this.#stream.on('data', (bytes: Buffer) => this.#hear(bytes))
    this.#stream.on('status', ({ details }: StatusObject) => this.#lose(plainFailure(details) || 'it ended the stream'))
    this.#stream.on('error', () => {}) // the status says it too
    this.#cancelBeat = options.clock.after(heartbeatMs, this.#beat)
    this.#send(encodeSpeaker(options.self))
  }

  close(): void {
    if (this.#isOver) return
    this.#isOver = true
    this.#cancelBeat()
    this.#stream.cancel()
    this.#client.close()
  }

  #lose(reason: string): void {
    if (this.#isOver) return
    this.close()
    this.#options.listener.lost(reason)
  }

  #hear(bytes: Buffer): void {
    if (this.#isOver) return
    try {
      const { id, version: _, ...said } = decodeFollowResponse(bytes)
      this.#options.listener.heard({ ...said, ...(id !== '' && { id }) })
    } catch (error) {
      if (!(error instanceof RangeError)) throw error
      this.#lose(`it sent what cannot be read: ${error.message}`)
    }
  }

  readonly #beat = (): void => {
    this.#cancelBeat = this.#options.clock.after(heartbeatMs, this.#beat)
    if (!this.#isSending) this.#send(signOfLife)
  }

  #send(message: Uint8Array): void {
    this.#isSending = true
    this.#stream.write(message, () => {
      this.#isSending = false
    })
  }
}

function openStream(client: Client) {
  const { path, requestSerialize, responseDeserialize } = serversService.Follow
  return client.makeBidiStreamRequest<Uint8Array, Buffer>(path, requestSerialize, responseDeserialize, new Metadata())
}
