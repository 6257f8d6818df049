// The servers of one store, put together: the announcement of this one, the others, their metrics and their reasons.
import { hostname, networkInterfaces } from 'node:os'
import type { StreamCounts } from '../../api/push-streams.ts'
import type { DialPeer } from '../../api/servers.ts'
import type { Env } from '../../runtime/env.ts'
import type { Metrics } from '../../runtime/metrics.ts'
import type { Store } from '../../storage/store.ts'
import { advertisedAddress } from './advertised-address.ts'
import { announce } from './announcement.ts'
import { createServerId } from './server-id.ts'
import { formatRecord } from './server-record.ts'
import { SharedServers } from './shared-servers.ts'
import { StreamBalance } from './stream-balance.ts'

/** `server` of the configuration. */
export interface ServerIdentity {
  readonly id?: string | undefined
  readonly advertise?: { readonly ip: string; readonly port?: number | undefined } | undefined
}

export interface ServersOptions extends Env {
  readonly store: Store
  readonly identity: ServerIdentity
  /** Of this software. */
  readonly version: string
  /** Given this server's id, what follows another one. */
  readonly createDialer: (selfId: string) => DialPeer
  /** Aborted when this server begins to stop: the others need not wait for it any more. */
  readonly shutdown: AbortSignal
}

/** The streams of this server. */
export interface Streams {
  /** Undefined while no client may come. */
  counts(): StreamCounts | undefined
  /** Sends so many elsewhere. */
  shed(count: number): void
}

export interface OpenServers {
  readonly servers: SharedServers
  /** Announces this server and follows the others; `listener` is the gRPC interface, when there is one. */
  begin(listener: { readonly host: string; readonly port: number } | undefined): void
  /** Evens out the streams among servers until the function that it returns is called. */
  balance(streams: Streams): () => void
  /** For people: who does not reply and who differs. Empty while all is well. */
  reasons(): readonly string[]
  close(): Promise<void>
}

/** Knows this server alone until `begin`. The caller closes it, before the store. */
export function openServers(options: ServersOptions): OpenServers {
  const { store, clock, random, log, metrics, identity, version, createDialer, shutdown } = options
  const self = { id: identity.id ?? createServerId(hostname()), version, startedAt: clock.now() }
  const servers = new SharedServers({ ...options, self, dial: createDialer(self.id) })
  servers.start()
  registerMetrics(metrics, servers)
  let announcement: { close(): Promise<void> } | undefined
  let closing: Promise<void> | undefined
  const withdraw = (): Promise<void> => {
    closing ??= announcement?.close()
    return closing ?? Promise.resolve()
  }
  return {
    servers,
    begin: listener => {
      const { advertise } = identity
      const podIp = process.env.POD_IP
      const address = advertisedAddress({ advertise, listener, podIp, interfaces: networkInterfaces() })
      log.info({ server: self.id, address }, 'this server is announced in its store')
      const data = formatRecord({ ...self, ...(address !== undefined && { address }) })
      announcement = announce({ store, clock, random, log, id: self.id, data })
      servers.follow(address)
      shutdown.addEventListener('abort', () => void withdraw(), { once: true })
    },
    balance: streams => {
      servers.countStreams(() => streams.counts()?.open)
      const others = (): readonly number[] => streamsElsewhere(servers)
      const balance = new StreamBalance({ clock, own: () => streams.counts(), others, shed: n => streams.shed(n) })
      return () => balance.close()
    },
    reasons: () => reasonsOf(servers),
    close: async () => {
      await withdraw()
      servers.close()
    },
  }
}

/** Of the other servers that reply and that clients may come to. */
function streamsElsewhere(servers: SharedServers): readonly number[] {
  return servers.states().flatMap(({ isSelf, streams }) => (isSelf || streams === undefined ? [] : [streams]))
}

const maxNamed = 5

function reasonsOf(servers: SharedServers): readonly string[] {
  const silent = servers.states().filter(({ replies }) => !replies)
  const { differing } = servers.counts()
  const names = servers.alarmed().map(({ namespace }) => namespace)
  return [
    ...silent.slice(0, maxNamed).map(({ id, error }) => `server ${id} does not reply: ${error}`),
    ...(silent.length > maxNamed ? [`and ${silent.length - maxNamed} more`] : []),
    ...(differing > 0 ? [`servers go by different versions of ${listed(names)}`] : []),
  ]
}

function listed(names: readonly string[]): string {
  const shown = names.slice(0, maxNamed).join(', ')
  return names.length > maxNamed ? `${shown} and ${names.length - maxNamed} more` : shown
}

/** Namespaces with a series of their own. */
const maxSeries = 1_000

function registerMetrics(metrics: Metrics, servers: SharedServers): void {
  metrics.gauge({
    name: 'nameplane_dtab_version',
    help: `The version that this server goes by; of at most ${maxSeries} namespaces, those in use first.`,
    labels: ['namespace'],
    collectEach: () => [...servers.own.first(maxSeries)].map(([namespace, version]) => [{ namespace }, version]),
  })
  metrics.gauge({
    name: 'nameplane_servers',
    help: 'Servers that are present in the store, this one included.',
    collect: () => servers.counts().present,
  })
  metrics.gauge({
    name: 'nameplane_servers_silent',
    help: 'Servers that are present in the store and do not reply.',
    collect: () => servers.counts().silent,
  })
  metrics.gauge({
    name: 'nameplane_replicas_disagree',
    help: 'Namespaces for which servers have gone by different versions for over 5 s.',
    collect: () => servers.counts().differing,
  })
}
