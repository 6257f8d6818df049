// Puts a server together from its configuration: the only place that knows every part, and the only importer of registries.
import { mkdir } from 'node:fs/promises'
import { dirname } from 'node:path'
import { z } from 'zod'
import type { GrpcApi } from '../api/grpc/grpc-api.ts'
import { createPeerProxies } from '../api/grpc/proxies-dialer.ts'
import { createPeerDialer } from '../api/grpc/servers-dialer.ts'
import type { HttpApi } from '../api/http/http-api.ts'
import type { ApiPorts } from '../api/ports.ts'
import type { ProxySource } from '../api/proxies.ts'
import { gaugeProxies } from '../api/push/proxy-metrics.ts'
import { ProxyRegistry } from '../api/push/proxy-registry.ts'
import { createInterpreter } from '../interpreters/create-interpreter.ts'
import type { Namer } from '../interpreters/namer.ts'
import { namerKinds } from '../interpreters/registry.ts'
import { NamingError } from '../naming/errors.ts'
import { type Path, pathStartsWith, showPath } from '../naming/path.ts'
import { type AdminServer, startAdmin } from '../runtime/admin-server.ts'
import { type ConfigDocument, type ConfiguredKind, loadKind } from '../runtime/config.ts'
import type { Env } from '../runtime/env.ts'
import type { Log } from '../runtime/log.ts'
import { createMetrics } from '../runtime/metrics.ts'
import { version } from '../runtime/version.ts'
import { storeKinds } from '../storage/registry.ts'
import { createHistorySweeper } from '../storage/retention.ts'
import { snapshotOrigin, withSnapshot } from '../storage/snapshot/index.ts'
import type { Store } from '../storage/store.ts'
import { type Clock, systemClock, systemRandom } from '../watch/clock.ts'
import { createKernel } from '../watch/kernel.ts'
import { adminRoutes } from './admin-routes.ts'
import { Closers } from './closers.ts'
import { checkServerConfig, type ServerConfig } from './config.ts'
import { GrpcStreams } from './grpc-streams.ts'
import { closeTogether, drainMsOf, type Listening, openInterface, warnOpenListeners } from './interfaces.ts'
import { gaugeKernel } from './kernel-metrics.ts'
import { Fleet } from './proxies/fleet.ts'
import { JoinedProxies } from './proxies/joined-proxies.ts'
import { createReadiness, type ServedSnapshot } from './readiness.ts'
import { createRefusedReasons } from './refused-reasons.ts'
import { openServers } from './servers/index.ts'
import { SourceLog } from './source-log.ts'
import { createSources } from './sources.ts'
import { type StorageOptions, splitStorage } from './storage-options.ts'

/** A configuration in which every kind is loaded and every key is checked; nothing is opened yet. */
export interface ServerPlan {
  readonly config: ServerConfig
  readonly document: ConfigDocument
  readonly storage: ConfiguredKind<Store>
  readonly storageOptions: StorageOptions
  readonly namers: readonly ConfiguredKind<Namer>[]
}

/** Storages of namerd that have no counterpart yet. */
const refusedStorages: Readonly<Record<string, string>> = {
  'io.l5d.zk': 'ZooKeeper is not a store here; use sqlite for one machine',
  'io.l5d.k8s': 'custom resources are not a store here; use sqlite for one machine',
}

/** Checks the whole configuration; throws `bad-config` that names the place of each problem. */
export async function loadServerPlan(document: ConfigDocument): Promise<ServerPlan> {
  const config = checkServerConfig(document)
  const { at } = config.storage
  const storageOptions = splitStorage(document, config.storage)
  const value = storageOptions.rest
  const storage = await loadKind({ document, at, value, registry: storeKinds, refused: refusedStorages })
  const namers: ConfiguredKind<Namer>[] = []
  for (const namer of config.namers) namers.push(await loadKind({ document, ...namer, registry: namerKinds }))
  refuseOverlaps(document, namers)
  return { config, document, storage, storageOptions, namers }
}

/** Every namer's configuration holds its whole prefix. */
const withPrefix = z.object({ prefix: z.array(z.string()) })

function refuseOverlaps(document: ConfigDocument, namers: readonly ConfiguredKind<Namer>[]): void {
  const prefixes: readonly Path[] = namers.map(({ config }) => withPrefix.parse(config).prefix)
  for (const [index, prefix] of prefixes.entries()) {
    const clash = prefixes.slice(0, index).find(other => overlap(other, prefix))
    if (clash === undefined) continue
    const said = `prefix ${showPath(prefix)} overlaps ${showPath(clash)}; give one of the two namers another prefix`
    throw document.fail(['namers', index], said)
  }
}

function overlap(a: Path, b: Path): boolean {
  return pathStartsWith(a, b) || pathStartsWith(b, a)
}

export interface ServerOptions {
  readonly log: Log
  readonly clock?: Clock
  /** How long a silent store or source may hold back readiness; milliseconds. */
  readonly readyBoundMs?: number
}

export interface RunningServer {
  /** Every address that was bound. */
  readonly listening: readonly Listening[]
  /** Ends streams, finishes requests, releases everything; resolves when all is closed. */
  close(): Promise<void>
}

/** Opens everything; when one part cannot start, what was opened is closed again and the error says which and why. */
export async function startServer(plan: ServerPlan, options: ServerOptions): Promise<RunningServer> {
  const { log } = options
  const closers = new Closers()
  const close = (): Promise<void> => closers.close(error => log.error({ err: error }, 'a part did not close cleanly'))
  try {
    const listening = await open(plan, options, closers)
    return { listening, close }
  } catch (error) {
    await close()
    throw error
  }
}

async function open(plan: ServerPlan, options: ServerOptions, closers: Closers): Promise<readonly Listening[]> {
  const { log, clock = systemClock } = options
  const metrics = createMetrics({ processMetrics: true })
  const onError = (error: unknown, where: string): void => log.error({ err: error, where }, 'a watcher failed')
  const sourceLog = new SourceLog({ log, metrics, clock })
  closers.add(() => sourceLog.close())
  const kernel = createKernel({ clock, onError, onSource: sourceLog.note })
  closers.add(() => kernel.close())
  gaugeKernel(kernel, metrics)
  const env: Env = { kernel, clock, random: systemRandom, log, metrics }
  const { store, servedSnapshot } = await openStore(plan, env)
  closers.add(() => store.close())
  const sweeper = createHistorySweeper({ ...env, store, rule: plan.storageOptions.history })
  closers.add(() => sweeper.close())
  const namers = await openNamers(plan, env)
  const sources = createSources({
    ...env,
    namers,
    storageKind: plan.storage.kind.kind,
  })
  const stopping = new AbortController()
  const shutdown = stopping.signal
  const replicas = openServers({
    ...env,
    store,
    identity: plan.config.server,
    version,
    createDialer: id => createPeerDialer({ id, version }, clock),
    shutdown,
  })
  const interpreter = createInterpreter({
    store,
    kernel,
    namers: namers.map(({ namer }) => namer),
    clock,
    onVersion: replicas.servers.own.takeInUse,
  })
  closers.add(() => interpreter.close())
  closers.add(() => replicas.close())
  const proxies = new ProxyRegistry({
    clock,
    kernel,
    namespace: interpreter.namespace,
    server: replicas.servers.selfId,
    newest: namespace => replicas.servers.newest(namespace),
  })
  const streams = new GrpcStreams(shutdown)
  gaugeProxies(metrics, proxies)
  const { servers } = replicas
  const peer = (id: string, address: string): ProxySource => createPeerProxies(id, address, clock)
  const ownProxies = new JoinedProxies()
  ownProxies.join(proxies)
  const fleet = new Fleet({ clock, own: ownProxies, servers, peer })
  const ports: ApiPorts = { ...env, store, interpreter, sources, servers, fleet, shutdown }
  const refused = createRefusedReasons(store)
  closers.add(refused.close)
  const readiness = createReadiness({
    kernel,
    store,
    clock,
    servedSnapshot,
    boundMs: options.readyBoundMs ?? 10_000,
    otherReasons: () => [...refused.reasons(), ...replicas.reasons()],
    shutdown,
  })
  closers.add(readiness.close)
  readiness.whenReady(() => streams.setServing())
  const admin = await openAdmin(
    plan,
    adminRoutes({ kernel, metrics, readiness, streams, clock, version, startedAt: clock.now() }),
    log,
  )
  closers.add(() => admin.close())
  const listening: Listening[] = [{ api: 'admin', host: admin.host, port: admin.port }]
  const opened: (HttpApi | GrpcApi)[] = []
  closers.add(() => closeTogether(opened))
  const parts = { ports, proxies, ownProxies, streams, readiness, opened, drainMs: drainMsOf(plan) }
  for (const each of plan.config.interfaces) listening.push(await openInterface(each, parts))
  replicas.begin(listening.find(({ api }) => api === 'grpc'))
  closers.add(replicas.balance(streams))
  closers.add(() => stopping.abort())
  warnOpenListeners(listening, log)
  return listening
}

/** The configured store, with a snapshot around it where there is to be one. */
async function openStore(plan: ServerPlan, env: Env): Promise<OpenedStore> {
  const { snapshotPath: path, identity } = plan.storageOptions
  const store = await plan.storage.kind.open(plan.storage.config, env)
  if (path === undefined) return { store, servedSnapshot: () => undefined }
  const warm = await withSnapshot(store, { env, path, origin: snapshotOrigin(identity) })
  return { store: warm, servedSnapshot: () => warm.served }
}

interface OpenedStore {
  readonly store: Store
  readonly servedSnapshot: () => ServedSnapshot | undefined
}

/** A namer with the name of its kind. */
interface OpenedNamer {
  readonly kind: string
  readonly namer: Namer
}

/** For the interpreter, which closes them; when one cannot be opened those before it are closed here. */
async function openNamers(plan: ServerPlan, env: Env): Promise<readonly OpenedNamer[]> {
  const namers: OpenedNamer[] = []
  try {
    for (const [index, { kind, config }] of plan.namers.entries()) {
      namers.push({ kind: kind.kind, namer: await openNamer(plan, index, () => kind.open(config, env)) })
    }
    return namers
  } catch (error) {
    for (const { namer } of namers) namer.close()
    throw error
  }
}

/** A namer that refuses its configuration is told where that stands in the file. */
async function openNamer(plan: ServerPlan, index: number, openIt: () => Namer | Promise<Namer>): Promise<Namer> {
  try {
    return await openIt()
  } catch (error) {
    const known = NamingError.from(error)
    if (known.code !== 'bad-config') throw known
    throw plan.document.fail(['namers', index], known.message)
  }
}

async function openAdmin(plan: ServerPlan, routes: ReturnType<typeof adminRoutes>, log: Log): Promise<AdminServer> {
  const { ip, port } = plan.config.admin
  return await startAdmin({
    host: ip,
    port,
    routes,
    onError: error => log.error({ err: error }, 'an admin page failed'),
  })
}

/** Makes the folders that the default configuration names. */
export async function prepareDefaultFolders(databasePath: string, discoveryPath: string): Promise<void> {
  await mkdir(dirname(databasePath), { recursive: true })
  await mkdir(discoveryPath, { recursive: true })
}
