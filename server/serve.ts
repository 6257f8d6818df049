// `nameplane serve`: configuration in, a running server or one line that says why not.
import { parseConfig, readConfig } from '../runtime/config.ts'
import { runService } from '../runtime/service-command.ts'
import { trimHeap } from '../runtime/trim-heap.ts'
import { systemClock } from '../watch/clock.ts'
import { loadServerPlan, prepareDefaultFolders, type ServerPlan, startServer } from './compose.ts'
import { defaultConfigText } from './config.ts'

const serveHelp = `Usage: nameplane serve [config.yaml | -] [--log-level debug|info|warn|error]

Runs the naming server. Without a file it keeps dtabs in ./nameplane-data/nameplane.db and
finds endpoints in the files of ./nameplane-data/disco, all on loopback:
  HTTP API 4180, gRPC 4321, admin pages 9991 (/ready /live /metrics /state)

Examples:
  nameplane serve
  nameplane serve examples/server.yaml
  nameplane check examples/server.yaml     only look for mistakes in the file

SIGTERM or Ctrl-C stops gracefully. Exit codes: 0 stopped, 1 could not start, 2 wrong command line or configuration.
`

/** Runs until stopped; resolves to the exit code. */
export function runServe(argv: readonly string[]): Promise<number> {
  return runService(
    {
      name: 'nameplane serve',
      help: serveHelp,
      clock: systemClock,
      start: async (file, log) => {
        const plan = await planFor(file)
        trimHeap()
        const server = await startServer(plan, { log })
        return { ...server, graceMs: plan.config.admin.shutdownGraceMs }
      },
    },
    argv,
  )
}

async function planFor(file: string | undefined): Promise<ServerPlan> {
  if (file !== undefined) return await loadServerPlan(await readConfig(file))
  const plan = await loadServerPlan(parseConfig(defaultConfigText, 'built-in configuration'))
  await prepareDefaultFolders('nameplane-data/nameplane.db', 'nameplane-data/disco')
  return plan
}
