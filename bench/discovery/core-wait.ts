// How long a process was ready to run and got no core: on a shared machine that is most of every tail, and none of our doing.
import { readFileSync } from 'node:fs'

/** Of the process's first thread since it began, in milliseconds. */
export function coreWaitMs(pid: number): number {
  const waited = /^\d+ (\d+) /.exec(readFileSync(`/proc/${pid}/task/${pid}/schedstat`, 'utf8'))?.[1]
  if (waited === undefined) throw new Error(`process ${pid} tells no schedstat`)
  return Number(waited) / 1e6
}
