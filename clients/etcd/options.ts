// How an etcd cluster is reached, and what is counted of it. Knows nothing of configuration files.
import type { Clock, Random } from '../../watch/clock.ts'
import type { EtcdFailure } from './etcd-error.ts'

/** Texts of PEM, not paths. */
export interface EtcdTls {
  /** The authorities that are trusted; the system's when absent. */
  readonly trustCerts?: readonly string[]
  /** The name that the servers' certificates must bear; the host when absent. */
  readonly commonName?: string
  readonly disableValidation: boolean
  readonly clientAuth?: { readonly cert: string; readonly key: string }
}

/** What is counted; must not throw. */
export interface EtcdEvents {
  /** A try of a call that did not serve, or a watch that was given up; the next endpoint may have served. */
  onFailure?(reason: EtcdFailure): void
  /** A watch begins; the returned function is called at its end. */
  onWatch?(): () => void
}

export interface EtcdOptions {
  /** `host:port` of at least one server; calls go to one of them for as long as it serves. */
  readonly endpoints: readonly string[]
  readonly tls?: EtcdTls
  readonly login?: { readonly name: string; readonly password: string }
  readonly clock: Clock
  readonly random: Random
  readonly events: EtcdEvents
}
