// `nameplane proxy`: configuration in, a running thin proxy or one line that says why not.
import { parseConfig, readConfig } from '../runtime/config.ts'
import type { Env } from '../runtime/env.ts'
import type { Log } from '../runtime/log.ts'
import { type ListeningAddress, runService } from '../runtime/service-command.ts'
import { trimHeap } from '../runtime/trim-heap.ts'
import { systemClock } from '../watch/clock.ts'
import { type ProxyConfig, proxyConfig } from './config.ts'
import { createProxyEnv } from './create-proxy-env.ts'
import { graceMs } from './grace.ts'
import { surviveHangUps } from './hang-up.ts'
import { defaultMaxAgeSecs } from './last-good/last-good-config.ts'
import { stateDirectoryOf } from './last-good/state-directory.ts'
import type { RunningProxy } from './with-admin.ts'
import { releaseYoungHeapSoon } from './young-heap.ts'

const help = `Usage: nameplane proxy [config.yaml | -] [--log-level debug|info|warn|error]

Runs the thin proxy beside an application. It asks the naming server which endpoints a name has, once, and is told of
every change; requests never wait for the server once their name is bound. Without a file:
  requests on 127.0.0.1:4140, admin pages on 9990 (/ready /live /metrics /state), server at 127.0.0.1:4321

Examples:
  nameplane proxy
  nameplane proxy examples/proxy.yaml
  curl -H 'Host: web' localhost:4140       the name /svc/web, by the dtab "default"

SIGTERM or Ctrl-C stops gracefully. Exit codes: 0 stopped, 1 could not start, 2 wrong command line or configuration.
`

/** Beyond the drain time, until the process ends all the same. */
const lastMs = 6_000

/** Runs until stopped; resolves to the exit code. */
export function runFirst(argv: readonly string[]): Promise<number> {
  return runService(
    {
      name: 'nameplane proxy',
      help,
      clock: systemClock,
      start: async (file, log) => {
        const document = file === undefined ? parseConfig('{}', 'built-in configuration') : await readConfig(file)
        const env = createProxyEnv(log)
        const config = withStateDirectory(document.check(proxyConfig, document.value, []), log)
        surviveHangUps(config)
        const proxy = await start(config, env)
        releaseYoungHeapSoon(env.clock)
        const close = async (): Promise<void> => {
          await proxy.close(graceMs)
          env.kernel.close()
        }
        return { listening: addressesOf(proxy), graceMs: graceMs + lastMs, close }
      },
    },
    argv,
  )
}

async function start(config: ProxyConfig, env: Env): Promise<RunningProxy> {
  const begin = config.workers > 0 ? await loadFleet() : await loadRouters()
  trimHeap()
  return await begin(config, env)
}

type Begin = (config: ProxyConfig, env: Env) => Promise<RunningProxy>

async function loadFleet(): Promise<Begin> {
  return (await import('./workers/start-fleet.ts')).startFleet
}

/** What a first process whose workers serve does not need. */
async function loadRouters(): Promise<Begin> {
  const [{ startProxy }, { createOpenNaming }] = await Promise.all([import('./proxy.ts'), import('./open-naming.ts')])
  return (config, env) => startProxy(config, env, createOpenNaming(config.lastGood, 0))
}

/** What is not said of the last good state is decided here, by where this process runs. */
function withStateDirectory(config: ProxyConfig, log: Log): ProxyConfig {
  if (config.lastGood !== undefined) return config
  const servers = config.routers.flatMap(router => router.servers)
  const path = stateDirectoryOf(servers, process.env)
  if (path !== undefined) return { ...config, lastGood: { path, maxAgeSecs: defaultMaxAgeSecs } }
  if (servers.some(({ port }) => port !== 0))
    log.warn({}, 'the last good state is not kept, for this user has no home directory: set lastGood.path')
  return config
}

function addressesOf({ admin, routers }: RunningProxy): readonly ListeningAddress[] {
  const routed = Object.entries(routers).flatMap(([api, addresses]) => addresses.map(address => ({ api, ...address })))
  return [{ api: 'admin', ...admin }, ...routed]
}
