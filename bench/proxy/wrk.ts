// One run of wrk on the load core.
import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import { locateTool } from '../../backends/locate.ts'
import { loadCore } from './pinned.ts'

export interface Load {
  readonly port: number
  readonly path: string
  readonly connections: number
  readonly seconds: number
}

export interface LoadResult {
  readonly requests: number
  readonly perSecond: number
  readonly p50Ms: number
  readonly p99Ms: number
}

const unitMs: Readonly<Record<string, number>> = { us: 0.001, ms: 1, s: 1000, m: 60_000 }

/** Sends requests with `Host: web` as fast as they are answered. Throws when one was not answered, or not with success. */
export async function runWrk({ port, path, connections, seconds }: Load): Promise<LoadResult> {
  const { stdout } = await promisify(execFile)('taskset', [
    ...['-c', String(loadCore), locateTool('wrk')],
    ...['-t', '1', '-c', String(connections), '-d', `${seconds}s`, '--latency', '--timeout', '10s'],
    ...['-H', 'Host: web', `http://127.0.0.1:${port}${path}`],
  ])
  if (/Non-2xx|Socket errors/.test(stdout)) throw new Error(`wrk was not served well:\n${stdout}`)
  return {
    requests: Number(/(\d+) requests in/.exec(stdout)?.[1]),
    perSecond: Number(/Requests\/sec:\s+([\d.]+)/.exec(stdout)?.[1]),
    p50Ms: latency(stdout, '50'),
    p99Ms: latency(stdout, '99'),
  }
}

function latency(output: string, percent: string): number {
  const [, figure, unit] = new RegExp(`${percent}%\\s+([\\d.]+)(us|ms|s|m)`).exec(output) ?? []
  return Number(figure) * (unitMs[unit ?? ''] ?? Number.NaN)
}
