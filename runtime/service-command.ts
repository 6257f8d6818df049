// The common life of `nameplane serve` and `nameplane proxy`: arguments, start, addresses told, signals, graceful stop.
import { parseArgs } from 'node:util'
import type { Clock } from '../watch/clock.ts'
import { exitFailed, exitUsage, reportFailure, stopWithParent, tellParent, untilStopped } from './command.ts'
import { createLog, type Log, type LogLevel, logLevels } from './log.ts'

/** One bound address; `api` is its role. */
export interface ListeningAddress {
  readonly api: string
  readonly host: string
  readonly port: number
}

export interface RunningService {
  readonly listening: readonly ListeningAddress[]
  /** How long close may take, in milliseconds; after it the process ends all the same. */
  readonly graceMs: number
  close(): Promise<void>
}

export interface ServiceCommand {
  /** As typed, for messages: `nameplane serve`. */
  readonly name: string
  readonly help: string
  readonly clock: Clock
  /** `file` is absent when the command line names none. Errors become one line and an exit code. */
  start(file: string | undefined, log: Log): Promise<RunningService>
}

const print = (line: string): void => void process.stderr.write(`${line}\n`)

/** Runs until a signal; resolves to the exit code: 0 stopped, 1 could not start or stop, 2 wrong command line or configuration. */
export async function runService(command: ServiceCommand, argv: readonly string[]): Promise<number> {
  try {
    const parsed = parseArguments(command, argv)
    if (typeof parsed === 'number') return parsed
    const log = createLog(parsed.level)
    const service = await command.start(parsed.file, log)
    const stopped = untilStopped(command.clock)
    stopWithParent()
    tellParent({ listening: service.listening })
    for (const { api, host, port } of service.listening) log.info({ api, host, port }, `${api} listens`)
    const signal = await stopped
    log.info({ signal }, 'stopping')
    return await stop(service, command.clock, log)
  } catch (error) {
    return reportFailure(command.name, error, print)
  }
}

interface Arguments {
  readonly file: string | undefined
  readonly level: LogLevel
}

function parseArguments({ name, help }: ServiceCommand, argv: readonly string[]): Arguments | number {
  const refuse = (message: string): number => {
    print(`${name}: ${message}\n\n${help}`)
    return exitUsage
  }
  try {
    const { values, positionals } = parseArgs({
      args: [...argv],
      allowPositionals: true,
      options: { help: { type: 'boolean', short: 'h' }, 'log-level': { type: 'string', default: 'info' } },
    })
    if (values.help) {
      process.stdout.write(help)
      return 0
    }
    if (positionals.length > 1) return refuse(`one configuration file at most, not ${positionals.length}`)
    const level = logLevels.find(known => known === values['log-level'])
    if (level === undefined) return refuse(`--log-level is one of ${logLevels.join(', ')}`)
    return { file: positionals[0], level }
  } catch (error) {
    return refuse(error instanceof Error ? error.message : String(error))
  }
}

async function stop({ close, graceMs }: RunningService, clock: Clock, log: Log): Promise<number> {
  const late = new Promise<number>(resolve => {
    clock.after(graceMs, () => {
      log.warn({ graceMs }, 'the grace is over; what is still open is cut')
      resolve(exitFailed)
    })
  })
  return await Promise.race([close().then(() => 0), late])
}
