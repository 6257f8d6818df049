// The access log of one router, from its configuration to its file.
import { NamingError } from '../../naming/errors.ts'
import type { Log } from '../../runtime/log.ts'
import type { Clock } from '../../watch/clock.ts'
import type { AccessLogConfig } from './access-log-config.ts'
import { accessLogLine } from './access-log-line.ts'
import { BufferedLog } from './buffered-log.ts'
import { createStdoutOutput, type LogOutput, openFileOutput } from './log-output.ts'
import type { RecordSink } from './router-telemetry.ts'

export interface AccessLog extends RecordSink {
  /** Writes what waits. */
  close(): Promise<void>
}

/** Undefined when none is configured; rejects with `unavailable` when the file cannot be opened. The caller closes it. */
export async function openAccessLog(
  config: AccessLogConfig,
  { clock, log }: { readonly clock: Clock; readonly log: Log },
): Promise<AccessLog | undefined> {
  const path = config.httpAccessLog
  if (path === undefined) return undefined
  const lines = new BufferedLog({
    output: path === 'stdout' ? createStdoutOutput(clock) : await openFile(path, config, clock),
    clock,
    onTrouble: error => {
      if (error === undefined) log.info({ path }, 'the access log is written again')
      else log.warn({ path, err: error }, 'the access log cannot be written; its lines are dropped')
    },
  })
  return {
    write: record => lines.write(accessLogLine(record)),
    get dropped() {
      return lines.dropped
    },
    close: () => lines.close(),
  }
}

/**
 * Empties what is to be emptied at the start, for processes that write on from there: each would empty it again otherwise,
 * one that takes another's place too. Gives the routers as those are to be told; rejects as `openAccessLog` does.
 */
export async function beginAccessLogs<R extends AccessLogConfig>(routers: readonly R[], clock: Clock): Promise<R[]> {
  const begun = routers.map(async router => {
    const { httpAccessLog: path, httpAccessLogAppend: append } = router
    if (path !== undefined && path !== 'stdout' && !append) await (await openFile(path, router, clock)).close()
    return { ...router, httpAccessLogAppend: true }
  })
  return await Promise.all(begun)
}

async function openFile(path: string, config: AccessLogConfig, clock: Clock): Promise<LogOutput> {
  try {
    return await openFileOutput({
      path,
      append: config.httpAccessLogAppend,
      rollBytes: config.httpAccessLogRollPolicy,
      keep: config.httpAccessLogRotateCount,
      clock,
    })
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error)
    throw new NamingError('unavailable', `the access log ${path} cannot be opened: ${reason}`, { cause: error })
  }
}
