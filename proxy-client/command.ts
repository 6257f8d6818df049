// `nameplane proxy` before anything of it is loaded: in the process that was started, or in one of its workers.
import { workerVariable } from './workers/worker-variable.ts'
import { holdYoungHeap } from './young-heap.ts'

/** Runs until stopped; resolves to the exit code. */
export async function runProxy(argv: readonly string[]): Promise<number> {
  holdYoungHeap()
  if (process.env[workerVariable] !== undefined) return (await import('./workers/run-worker.ts')).runWorker(argv)
  return (await import('./main.ts')).runFirst(argv)
}
