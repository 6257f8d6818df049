// `nameplane serve` and `nameplane check`: configuration in, a running server or one line that says why not.
import { parseArgs } from 'node:util'
import { exitUsage, reportFailure, stopWithParent, tellParent, untilStopped } from '../runtime/command.ts'
import { type ConfigDocument, parseConfig, readConfig } from '../runtime/config.ts'
import { createLog, type LogLevel, logLevels } from '../runtime/log.ts'
import { loadServerPlan, prepareDefaultFolders, type RunningServer, type ServerPlan, startServer } from './compose.ts'
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

const checkHelp = `Usage: nameplane check config.yaml | -

Looks for mistakes in a server configuration and starts nothing.
Exit codes: 0 valid, 2 a problem, each with its line and column.
`

const print = (line: string): void => void process.stderr.write(`${line}\n`)

interface ServeArguments {
  readonly file: string | undefined
  readonly level: LogLevel
}

/** Runs until stopped; resolves to the exit code. */
export async function runServe(argv: readonly string[]): Promise<number> {
  try {
    const parsed = parseServeArguments(argv)
    if (typeof parsed === 'number') return parsed
    const log = createLog(parsed.level)
    const plan = await planFor(parsed.file)
    const server = await startServer(plan, { log })
    tellParent({ listening: server.listening })
    stopWithParent()
    for (const { api, host, port } of server.listening) log.info({ api, host, port }, `${api} listens`)
    const signal = await untilStopped()
    log.info({ signal }, 'stopping')
    return await stop(server, plan.config.admin.shutdownGraceMs)
  } catch (error) {
    return reportFailure('nameplane serve', error, print)
  }
}

/** Validates; resolves to the exit code. */
export async function runCheck(argv: readonly string[]): Promise<number> {
  const [file] = argv
  if (file === '--help' || file === '-h') return printHelp(checkHelp)
  if (argv.length !== 1 || file === undefined) {
    print(`nameplane check: exactly one configuration file is needed\n\n${checkHelp}`)
    return exitUsage
  }
  try {
    await loadServerPlan(await readConfig(file))
    process.stdout.write(`${file}: valid\n`)
    return 0
  } catch (error) {
    return reportFailure('nameplane check', error, print)
  }
}

function printHelp(help: string): number {
  process.stdout.write(help)
  return 0
}

function parseServeArguments(argv: readonly string[]): ServeArguments | number {
  try {
    const { values, positionals } = parseArgs({
      args: [...argv],
      allowPositionals: true,
      options: { help: { type: 'boolean', short: 'h' }, 'log-level': { type: 'string', default: 'info' } },
    })
    if (values.help) return printHelp(serveHelp)
    if (positionals.length > 1) return refuse(`one configuration file at most, not ${positionals.length}`)
    const level = logLevels.find(known => known === values['log-level'])
    if (level === undefined) return refuse(`--log-level is one of ${logLevels.join(', ')}`)
    return { file: positionals[0], level }
  } catch (error) {
    return refuse(error instanceof Error ? error.message : String(error))
  }
}

function refuse(message: string): number {
  print(`nameplane serve: ${message}\n\n${serveHelp}`)
  return exitUsage
}

async function planFor(file: string | undefined): Promise<ServerPlan> {
  const document: ConfigDocument =
    file === undefined ? parseConfig(defaultConfigText, 'built-in configuration') : await readConfig(file)
  const plan = await loadServerPlan(document)
  if (file === undefined) await prepareDefaultFolders('nameplane-data/nameplane.db', 'nameplane-data/disco')
  return plan
}

/** Closes within the grace; after it the process ends all the same, with code 1. */
async function stop(server: RunningServer, graceMs: number): Promise<number> {
  const late = new Promise<number>(resolve => {
    setTimeout(() => resolve(1), graceMs).unref()
  })
  return await Promise.race([server.close().then(() => 0), late])
}
