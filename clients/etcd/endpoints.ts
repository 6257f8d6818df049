// The servers of a cluster: one is in use, and is left for the next when it does not serve. Knows no call.
import { type ChannelCredentials, type ChannelOptions, Client, credentials } from '@grpc/grpc-js'
import type { EtcdTls } from './options.ts'

export interface Endpoint {
  /** `host:port`. */
  readonly address: string
  /** Shared by all calls to it. */
  readonly client: Client
}

/** Reconnects soon: whoever calls has its own waits, and a server that is back should serve at once. */
const channelOptions: ChannelOptions = {
  'grpc.max_receive_message_length': -1,
  'grpc.max_send_message_length': -1,
  'grpc.initial_reconnect_backoff_ms': 50,
  'grpc.min_reconnect_backoff_ms': 50,
  'grpc.max_reconnect_backoff_ms': 500,
  'grpc.enable_retries': 0,
  'grpc.enable_http_proxy': 0,
  'grpc.service_config_disable_resolution': 1,
  'grpc.use_local_subchannel_pool': 1,
}

/** Connects when it is first asked for a client; close ends all connections but those of `connect`. */
export class Endpoints {
  readonly #addresses: readonly string[]
  readonly #credentials: ChannelCredentials
  readonly #options: ChannelOptions
  #inUse = 0
  #current: Endpoint | undefined

  constructor(addresses: readonly string[], tls: EtcdTls | undefined) {
    this.#addresses = addresses
    this.#credentials = tls === undefined ? credentials.createInsecure() : createTlsCredentials(tls)
    this.#options = {
      ...channelOptions,
      ...(tls?.commonName !== undefined && { 'grpc.ssl_target_name_override': tls.commonName }),
    }
  }

  get count(): number {
    return this.#addresses.length
  }

  get current(): Endpoint {
    const address = this.#addresses[this.#inUse] ?? ''
    this.#current ??= { address, client: this.connect(address) }
    return this.#current
  }

  /** The next one is in use from now on, unless that is so already. Its connection goes with it: it may be a dead one. */
  leave(endpoint: Endpoint): void {
    if (this.#current !== endpoint) return
    this.#inUse = (this.#inUse + 1) % this.#addresses.length
    this.close()
  }

  /** A connection of its own; whoever asked closes it. */
  connect(address: string): Client {
    return new Client(address, this.#credentials, this.#options)
  }

  close(): void {
    this.#current?.client.close()
    this.#current = undefined
  }
}

function createTlsCredentials({ trustCerts, clientAuth, disableValidation }: EtcdTls): ChannelCredentials {
  const authorities = trustCerts === undefined ? null : Buffer.from(trustCerts.join('\n'))
  const [key, cert] =
    clientAuth === undefined ? [null, null] : [Buffer.from(clientAuth.key), Buffer.from(clientAuth.cert)]
  return credentials.createSsl(authorities, key, cert, { rejectUnauthorized: !disableValidation })
}
