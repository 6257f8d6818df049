// A log that keeps its lines for a test to read.
import type { Log } from '../../runtime/log.ts'

export interface LogLine {
  readonly level: 'debug' | 'info' | 'warn' | 'error'
  /** Those of the children that lead to the line, then its own. */
  readonly facts: object
  readonly message: string
}

/** Appends every line to `lines`. */
export function recordingLog(lines: LogLine[], inherited: object = {}): Log {
  const at =
    (level: LogLine['level']) =>
    (facts: object, message: string): void =>
      void lines.push({ level, facts: { ...inherited, ...facts }, message })
  return {
    debug: at('debug'),
    info: at('info'),
    warn: at('warn'),
    error: at('error'),
    child: facts => recordingLog(lines, { ...inherited, ...facts }),
  }
}
