// The log of a thread: the main thread writes it, so that lines stay whole and one level holds for all.
import type { Log } from '../../runtime/log.ts'
import type { Line } from './line.ts'
import type { LogLine } from './thread-data.ts'

export function createThreadLog(line: Pick<Line, 'tell'>, shared: object = {}): Log {
  const write =
    (level: LogLine['level']) =>
    (facts: object, message: string): void =>
      line.tell('log', { level, facts: cloneable({ ...shared, ...facts }), message } satisfies LogLine)
  return {
    debug: write('debug'),
    info: write('info'),
    warn: write('warn'),
    error: write('error'),
    child: facts => createThreadLog(line, { ...shared, ...facts }),
  }
}

/** Facts are plain, but an error may carry anything along. */
function cloneable(facts: object): object {
  try {
    return structuredClone(facts)
  } catch {
    return Object.fromEntries(Object.entries(facts).map(([key, value]) => [key, String(value)]))
  }
}
